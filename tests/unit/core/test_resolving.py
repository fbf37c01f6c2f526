import datetime as dt

import pytest

from axis.core.resolving import MAX_SUCCESSORS, Rule, resolve
from schemas import REASONS, Organisation, UnknownBelow
from tests.unit.core.records import MERGER, NOW, closed, directory, mailbox, organisation

DIRECTORY = directory(
    organisation("H37"),
    organisation("H37.05"),
    organisation("H37.05.02"),
    mailbox("H37"),
    mailbox("H37.05"),
    organisation("H60", unknown_below=UnknownBelow.OPEN),
    mailbox("H60"),
    closed("H22", "H60"),
    organisation("H22.05"),
    organisation("H22.06"),
    mailbox("H22"),
    mailbox("H22.06"),
    closed("G05", "G12", forwarding=False),
    organisation("G12"),
    closed("G36"),
    organisation("G99", valid_from=NOW + dt.timedelta(days=7)),
)


def rules(recipient: str, at: dt.datetime = NOW) -> list[Rule]:
    return [step.rule for step in resolve(DIRECTORY, recipient, at).steps]


def test_an_organisation_with_a_mailbox_gets_its_own() -> None:
    resolution = resolve(DIRECTORY, "H37", NOW)
    assert resolution.ok
    assert (resolution.resolved, resolution.mailbox, resolution.via, resolution.reason) == ("H37", "H37", (), None)
    assert rules("H37") == [Rule.IN_FORCE, Rule.MAILBOX]


def test_a_unit_receives_through_the_nearest_above_with_a_mailbox() -> None:
    resolution = resolve(DIRECTORY, "H37.05.02", NOW)
    assert (resolution.resolved, resolution.mailbox) == ("H37.05.02", "H37.05")
    assert resolution.via == ("via H37.05: the nearest above H37.05.02 with a mailbox",)


def test_documents_for_a_closed_organisation_go_to_its_successor() -> None:
    resolution = resolve(DIRECTORY, "H22", NOW)
    assert (resolution.resolved, resolution.mailbox) == ("H60", "H60")
    assert resolution.via == ("via successor H60: H22 closed on 2025-07-01",)
    assert resolve(DIRECTORY, "H22", MERGER - dt.timedelta(seconds=1)).mailbox == "H22"


def test_a_closed_organisation_receives_nothing_for_its_units_either() -> None:
    resolution = resolve(DIRECTORY, "H22.05", NOW)
    assert (resolution.resolved, resolution.mailbox) == ("H60", "H60")
    assert resolution.via == ("via successor H60: H22, above H22.05, closed on 2025-07-01",)


def test_a_unit_in_force_with_a_mailbox_of_its_own_keeps_it() -> None:
    assert resolve(DIRECTORY, "H22.06", NOW).mailbox == "H22.06"


def test_a_closed_organisation_without_successor_is_passed_over_on_the_way_up() -> None:
    known = directory(
        organisation("H53"), closed("H53.31"), organisation("H53.31.21"), mailbox("H53"), mailbox("H53.31")
    )
    assert resolve(known, "H53.31.21", NOW).mailbox == "H53"


@pytest.mark.parametrize(
    ("recipient", "reason", "said"),
    [
        ("X01", "recipient/unknown", "X01 is not in the directory"),
        ("H370", "recipient/unknown", "H370 is not in the directory"),
        ("H37.99", "recipient/not-registered", "address H37"),
        ("H37.05.99.01", "recipient/not-registered", "address H37.05"),
        ("G99", "recipient/not-yet-valid", "from 2026-12-01 on"),
        ("G05", "recipient/closed", "its successor is G12"),
        ("G36", "recipient/closed", "names no successor"),
        ("G12", "recipient/no-mailbox", "neither G12 nor"),
        ("H22.99", "recipient/not-registered", "H22.99 is not registered below H22"),
    ],
)
def test_refusals_say_why_and_what_to_do(recipient: str, reason: str, said: str) -> None:
    resolution = resolve(DIRECTORY, recipient, NOW)
    assert not resolution.ok
    assert resolution.reason == reason
    assert reason in REASONS
    assert said in (resolution.detail or "")


def test_open_organisations_take_what_is_unknown_below_them() -> None:
    resolution = resolve(DIRECTORY, "H60.99.01", NOW)
    assert (resolution.resolved, resolution.mailbox) == ("H60", "H60")
    assert rules("H60.99.01") == [Rule.OPEN_BELOW, Rule.IN_FORCE, Rule.MAILBOX]
    assert "H60.99.01" in resolution.via[0]


def test_an_open_organisation_that_closed_hands_on_what_it_would_have_taken() -> None:
    known = directory(
        closed("H22", "H60", unknown_below=UnknownBelow.OPEN), organisation("H60"), mailbox("H60"), mailbox("H22")
    )
    resolution = resolve(known, "H22.99", NOW)
    assert resolution.mailbox == "H60"
    assert [step.rule for step in resolution.steps[:2]] == [Rule.OPEN_BELOW, Rule.SUCCESSOR]


def test_a_resolved_organisation_without_mailbox_is_named() -> None:
    resolution = resolve(DIRECTORY, "G12", NOW)
    assert (resolution.resolved, resolution.mailbox) == ("G12", None)


def test_successors_are_followed_over_several_mergers() -> None:
    known = directory(closed("H01", "H02"), closed("H02", "H03"), organisation("H03"), mailbox("H03"))
    resolution = resolve(known, "H01", NOW)
    assert resolution.mailbox == "H03"
    assert len(resolution.via) == 2


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([closed("H01", "H02"), closed("H02", "H01")], "in a circle: H01 → H02 → H01"),
        ([closed("H01", "H09")], "H09 is not in the directory"),
        ([closed("H01", "H02.05"), organisation("H02")], "H02.05 is not registered below H02"),
        ([closed("H01", "H01.05"), closed("H01.05", "H01")], "in a circle"),
    ],
)
def test_to_the_sender_a_mistaken_successor_is_a_closed_recipient(records: list[Organisation], said: str) -> None:
    resolution = resolve(directory(*records), "H01", NOW)
    assert resolution.reason == "recipient/closed"
    assert said in (resolution.detail or "")
    assert "H01 closed on 2025-07-01" in (resolution.detail or "")


def test_a_successor_without_mailbox_is_named_so() -> None:
    resolution = resolve(directory(closed("H01", "H02"), organisation("H02")), "H01", NOW)
    assert (resolution.reason, resolution.resolved) == ("recipient/no-mailbox", "H02")


def test_chains_that_no_history_explains_are_cut() -> None:
    length = MAX_SUCCESSORS + 2
    chain = [closed(f"H{n:02d}", f"H{n + 1:02d}") for n in range(length)]
    known = directory(*chain, organisation(f"H{length:02d}"), mailbox(f"H{length:02d}"))
    assert resolve(known, "H00", NOW).reason == "recipient/closed"
    assert resolve(known, "H02", NOW).mailbox == f"H{length:02d}"


def test_a_mailbox_not_in_force_is_no_mailbox() -> None:
    known = directory(organisation("H37"), organisation("H37.05"), mailbox("H37"), mailbox("H37.05", valid_to=MERGER))
    assert resolve(known, "H37.05", NOW).mailbox == "H37"
    assert resolve(known, "H37.05", MERGER - dt.timedelta(seconds=1)).mailbox == "H37.05"
