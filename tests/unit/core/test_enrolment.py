"""The life of a certificate as dates: state, end, warnings, and how long evidence counts."""

import datetime as dt
from typing import Any

import pytest

from axis.core import ending as endings
from axis.core.ending import Ending
from axis.core.enrolment import Enrolment, State
from axis.core.evidence import GracePolicy, Proof, Standing
from schemas import Certificate
from tests.builders import NOW
from tests.unit.store.rows import certificate

DAY = dt.timedelta(days=1)
LATER = NOW + 400 * DAY


SECOND = "Z" * 43  # the thumbprint of the only ML-DSA-65 key here


def is_second(each: Enrolment) -> bool:
    return each.thumbprint == SECOND


def ending(certificates: list[Enrolment], at: dt.datetime) -> list[Ending]:
    return endings.ending(certificates, at, is_second=is_second)


def due(certificates: list[Enrolment], warned: dict[str, dict[int, object]], at: dt.datetime) -> list[Ending]:
    return endings.due(certificates, warned, at, is_second=is_second)


def named(letter: str, **changes: Any) -> Enrolment:
    return certificate(thumbprint=letter * 43, **changes)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.VALID),
        ({"not_before": NOW + DAY}, State.NOT_YET_VALID),
        ({"not_after": NOW}, State.EXPIRED),
        ({"retired_at": NOW}, State.RETIRED),
        ({"retired_at": NOW + DAY}, State.VALID),
        ({"trusted_until": NOW}, State.UNPROVEN),
        ({"trusted_until": NOW, "retired_at": NOW}, State.RETIRED),
        ({"revoked_at": NOW, "retired_at": NOW, "not_after": NOW}, State.REVOKED),
    ],
)
def test_of_several_ends_the_gravest_counts(changes: dict[str, Any], state: State) -> None:
    assert certificate(**changes).state(NOW) is state


def test_it_ends_with_the_first_of_its_ends() -> None:
    assert certificate().until == NOW + 365 * DAY
    ends: dict[str, Any] = {"retired_at": NOW + 4 * DAY, "trusted_until": NOW + 3 * DAY, "revoked_at": NOW + 2 * DAY}
    for name in ("revoked_at", "trusted_until", "retired_at"):
        assert certificate(**ends).until == ends.pop(name)


def test_agencies_see_nothing_of_its_life() -> None:
    record = certificate(retired_at=NOW, evidence=7, matched="serialNumber")
    assert type(record.certificate) is Certificate
    assert Enrolment.of(record.certificate) == certificate()
    assert Enrolment.of(record) is record


@pytest.mark.parametrize(("left", "days"), [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0.1, 7)])
def test_warnings_come_at_sixty_thirty_and_seven_days(left: float, days: int | None) -> None:
    record = certificate(not_after=NOW + left * DAY)
    assert [each.days for each in ending([record], NOW)] == ([] if days is None else [days])


def test_each_warning_comes_once() -> None:
    record = certificate(not_after=NOW + 20 * DAY)
    assert [each.days for each in due([record], {}, NOW)] == [30]
    assert [each.days for each in due([record], {record.thumbprint: {60: NOW}}, NOW)] == [30]
    assert due([record], {record.thumbprint: {30: NOW}}, NOW) == []
    # Who missed the first one is not told of it after the second.
    assert due([record], {record.thumbprint: {7: NOW}}, NOW) == []


def test_a_successor_silences_the_warning() -> None:
    old = named("A", not_after=NOW + 20 * DAY)
    assert ending([old, named("B", not_after=LATER)], NOW) == []
    for other in (
        named("B", not_after=NOW + 50 * DAY),  # ends soon as well
        named("B", not_after=LATER, revoked_at=NOW),
        named("B", not_after=LATER, retired_at=NOW + 5 * DAY),
        named("B", not_after=LATER, role="gateway"),
        named("B", not_after=LATER, organisation="H38"),
    ):
        assert old.thumbprint in {each.certificate.thumbprint for each in ending([old, other], NOW)}


def test_the_keys_of_a_hybrid_do_not_replace_each_other() -> None:
    for old, other in (("A", SECOND[0]), (SECOND[0], "A")):
        record = named(old, not_after=NOW + 20 * DAY)
        assert [each.certificate for each in ending([record, named(other, not_after=LATER)], NOW)] == [record]


def test_retirement_is_an_end_too_and_the_ended_are_not_warned_of() -> None:
    assert [each.days for each in ending([certificate(retired_at=NOW + 6 * DAY)], NOW)] == [7]
    assert ending([certificate(revoked_at=NOW), named("B", not_after=NOW)], NOW) == []


def test_grace_is_the_nearest_codes() -> None:
    policy = GracePolicy({"*": 1, "H37": 2, "H37.05": 3})
    hours = {code: policy.of(code) / dt.timedelta(hours=1) for code in ("G22", "H37", "H37.04", "H37.05.02", "H370")}
    assert hours == {"G22": 1, "H37": 2, "H37.04": 2, "H37.05.02": 3, "H370": 1}
    assert GracePolicy({}).of("G22") == dt.timedelta()
    assert policy.trusted_until("H37", NOW) == NOW + dt.timedelta(hours=2)


def test_evidence_is_stale_once_its_time_is_over() -> None:
    proof = Proof(1, NOW - DAY, NOW)
    assert [proof.standing(at) for at in (NOW - DAY, NOW)] == [Standing.FRESH, Standing.STALE]
