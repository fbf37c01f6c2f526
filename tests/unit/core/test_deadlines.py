import datetime as dt
from dataclasses import replace

import pytest

from axis.core.deadlines import Clock, DocumentFacts, Escalation, Pause, Targets, deadlines, escalation, sent_late
from axis.core.workdays import VIETNAM_TIME
from tests.unit.core.test_workdays import VIETNAM_2026, at

TARGETS = Targets()
NORMAL = DocumentFacts(
    lane="normal",
    action="new",
    kind="Công văn",
    issued_on=dt.date(2026, 11, 24),
    due_on=dt.date(2026, 12, 4),
    sent_at=at("2026-11-24T09:00"),
    accepted_at=at("2026-11-24T09:00"),
)
URGENT = replace(NORMAL, lane="urgent")


def of(document: DocumentFacts, *pauses: Pause, targets: Targets = TARGETS) -> list[dt.datetime | None]:
    found = deadlines(document, pauses, VIETNAM_2026, targets)
    assert found.paused == (found.arrive_by is None)
    return [found.of(clock) for clock in Clock]


def test_a_normal_document_has_working_time() -> None:
    assert of(NORMAL) == [
        at("2026-11-25T12:00"), at("2026-11-24T14:30"), at("2026-11-25T09:00"), at("2026-12-04T23:59:59")
    ]  # fmt: skip


def test_an_urgent_one_has_minutes_by_the_clock() -> None:
    at_night = replace(URGENT, accepted_at=at("2026-11-28T23:50"))
    assert of(at_night)[:3] == [at("2026-11-24T23:59:59"), at("2026-11-29T00:05"), at("2026-11-29T00:50")]


@pytest.mark.parametrize(
    ("document", "sent_at", "late"),
    [
        (NORMAL, "2026-11-24T23:00", False),
        (NORMAL, "2026-11-25T12:00", False),
        (NORMAL, "2026-11-25T12:01", True),
        (replace(NORMAL, issued_on=dt.date(2026, 2, 13)), "2026-02-23T11:59", False),
        (replace(NORMAL, issued_on=dt.date(2026, 11, 27)), "2026-11-30T13:00", True),
        (URGENT, "2026-11-24T23:00", False),
        (URGENT, "2026-11-25T00:00", True),
        (replace(NORMAL, issued_on=dt.date(2027, 1, 1)), "2026-11-25T12:01", False),
        (replace(NORMAL, issued_on=None), "2026-11-30T12:00", False),
        (replace(NORMAL, action="recall"), "2026-11-30T12:00", False),
        (replace(NORMAL, issued_on=dt.date(1, 1, 1)), "2026-11-30T12:00", True),
    ],
)
def test_what_was_sent_late(document: DocumentFacts, sent_at: str, late: bool) -> None:
    sent = replace(document, sent_at=at(sent_at).astimezone(dt.UTC))
    assert sent_late(sent, VIETNAM_2026) is late
    assert deadlines(sent, (), VIETNAM_2026, TARGETS).sent_late is late


def test_time_held_at_the_axis_does_not_count() -> None:
    held = Pause(at("2026-11-24T10:00"), at("2026-11-24T15:30"))
    assert of(NORMAL, held)[1:3] == [at("2026-11-25T09:00"), at("2026-11-25T14:30")]
    assert of(URGENT, held)[1:3] == [at("2026-11-24T09:15"), at("2026-11-24T10:00")]  # it was over before
    at_once = Pause(at("2026-11-24T09:00"), at("2026-11-26T09:00"))
    assert of(URGENT, at_once)[1] == at("2026-11-26T09:15")
    assert of(NORMAL, at_once)[3] == at("2026-12-07T23:59:59")  # two days later would be a Sunday


def test_pauses_that_overlap_count_once() -> None:
    one, other = (
        Pause(at("2026-11-24T09:05"), at("2026-11-24T10:00")),
        Pause(at("2026-11-24T09:30"), at("2026-11-24T10:05")),
    )
    assert of(URGENT, other, one)[1] == at("2026-11-24T10:15")
    assert of(URGENT, Pause(at("2026-11-24T09:10"), at("2026-11-24T09:10")))[1] == at("2026-11-24T09:15")
    assert of(URGENT, Pause(at("2026-11-23T09:10"), at("2026-11-24T08:00")))[1] == at("2026-11-24T09:15")


def test_while_it_is_paused_there_is_no_deadline() -> None:
    pauses = Pause(at("2026-11-24T09:30"), None), Pause(at("2026-11-24T10:00"), at("2026-11-24T11:00"))
    assert of(NORMAL, *pauses) == [at("2026-11-25T12:00"), None, None, None]
    assert of(NORMAL, *reversed(pauses))[1:] == [None, None, None]


def test_a_recall_is_not_finished() -> None:
    assert of(replace(NORMAL, action="recall")) == [None, at("2026-11-24T14:30"), at("2026-11-25T09:00"), None]


def test_due_on_a_day_off_is_due_on_the_next_working_day() -> None:
    assert of(replace(NORMAL, due_on=dt.date(2026, 2, 17)))[3] == at("2026-02-23T23:59:59")
    assert of(replace(NORMAL, due_on=dt.date.max))[3] == dt.datetime(9999, 12, 30, 23, 59, 59, tzinfo=VIETNAM_TIME)
    assert of(replace(NORMAL, due_on=None))[3] is None


def test_kinds_have_targets_of_their_own() -> None:
    targets = Targets.model_validate_json(
        '{"arrival": {"urgent": 5, "normal": 60}, "kinds": {"giấy mời": {"acceptance": {"urgent": 30, "normal": 120}}}}'
    )
    assert of(replace(NORMAL, kind="Giấy Mời"), targets=targets)[1:3] == [
        at("2026-11-24T10:00"),
        at("2026-11-24T11:00"),
    ]
    assert of(replace(NORMAL, kind=None), targets=targets)[1:3] == [at("2026-11-24T10:00"), at("2026-11-25T09:00")]


@pytest.mark.parametrize(
    ("now", "done", "expected"),
    [
        ("11:00", None, Escalation.ON_TIME),
        ("11:01", None, Escalation.NEAR),
        ("12:00", None, Escalation.NEAR),
        ("12:01", None, Escalation.LATE),
        ("23:00", "11:59", Escalation.ON_TIME),
        ("23:00", "12:01", Escalation.LATE),
    ],
)
def test_escalation(now: str, done: str | None, expected: Escalation) -> None:
    day = "2026-11-24T"
    done_at = None if done is None else at(day + done)
    assert escalation(at(day + "08:00"), at(day + "12:00"), done_at, at(day + now)) is expected


def test_after_a_day_it_is_very_late_and_without_a_deadline_nothing_is() -> None:
    start, by = at("2026-11-24T08:00"), at("2026-11-24T12:00")
    assert escalation(start, by, None, at("2026-11-25T12:00")) is Escalation.LATE
    assert escalation(start, by, None, at("2026-11-25T12:01")) is Escalation.VERY_LATE
    assert escalation(start, at("2026-11-28T08:00"), None, at("2026-12-02T08:00")) is Escalation.LATE
    assert escalation(start, None, None, at("2026-12-02T08:00")) is None
