import datetime as dt

import pytest

from axis.core.directory import Directory
from tests.unit.core.records import BEGINNING, MERGER, NOW, closed, directory, mailbox, organisation

INSTANT = dt.timedelta(microseconds=1)


def test_an_organisation_is_in_force_from_its_first_instant_to_before_its_last() -> None:
    known = directory(closed("H22", "H60"))
    assert known.organisation("H22", BEGINNING - INSTANT) is None
    assert known.organisation("H22", BEGINNING) is not None
    assert known.organisation("H22", MERGER - INSTANT) is not None
    assert known.organisation("H22", MERGER) is None


def test_old_dates_keep_their_old_names() -> None:
    old = organisation("G06", name="Bộ Khoa học và Công nghệ", valid_to=MERGER)
    new = organisation("G06", name="Bộ Khoa học và Công nghệ (mới)", valid_from=MERGER)
    known = directory(new, old)
    assert known.history("G06") == (old, new)
    assert known.organisation("G06", MERGER - INSTANT) == old
    assert known.organisation("G06", NOW) == new
    assert known.latest("G06") == new
    assert known.latest("G07") is None


def test_of_two_overlapping_periods_the_later_one_speaks() -> None:
    correction = organisation("H37", name="corrected", valid_from=MERGER)
    assert directory(correction, organisation("H37")).organisation("H37", NOW) == correction


def test_closed_is_said_only_of_what_was_and_is_not() -> None:
    gone = closed("H22", "H60")
    back = organisation("H22", valid_from=NOW)
    known = directory(gone, back, organisation("H99", valid_from=NOW + INSTANT))
    assert known.closed("H22", MERGER - INSTANT) is None
    assert known.closed("H22", MERGER) == gone
    assert known.closed("H22", NOW) is None
    assert known.closed("H99", NOW) is None
    assert known.closed("H98", NOW) is None


def test_the_nearest_mailbox_is_found_upwards() -> None:
    known = directory(mailbox("H37"), mailbox("H37.05"), mailbox("H38", valid_to=MERGER))
    assert known.mailbox_of("H37.05.02", NOW) == "H37.05"
    assert known.mailbox_of("H37.06", NOW) == "H37"
    assert known.mailbox_of("H38.01", NOW) is None
    assert known.mailbox_of("H370", NOW) is None
    assert known.has_mailbox("H38", MERGER - INSTANT)
    assert not known.has_mailbox("H38", MERGER)


@pytest.mark.parametrize(
    ("account", "claim", "holds"),
    [
        ("H37", "H37", True),
        ("H37", "H37.05.02", True),
        ("H37.05", "H37", False),
        ("H37", "H370", False),
        ("H38", "H38", False),
        ("H37.06", "H37.06", False),
    ],
)
def test_an_account_speaks_for_its_code_and_those_below(account: str, claim: str, *, holds: bool) -> None:
    known = directory(mailbox("H37"), mailbox("H37.05"), mailbox("H38", valid_to=MERGER))
    assert known.holds(account, claim, NOW) is holds


def test_old_forms_come_from_the_directory_first() -> None:
    known = directory(organisation("H53.07", code102="000.00.13.H53"), organisation("H53.13", code102="000.00.99.H53"))
    assert known.code_of_102("000.00.13.h53\u200b") == "H53.07"
    assert known.code_of_102("000.00.14.H53") == "H53.14"
    assert known.code_of_102("H53.07") is None


def test_the_rule_is_not_used_against_the_directory() -> None:
    known = directory(organisation("H53.13", code102="000.00.99.H53"))
    assert known.code_of_102("000.00.13.H53") is None


def test_an_old_form_means_who_bore_it_last() -> None:
    before = closed("H53.31.21", "H53.40", code102="000.21.31.H53")
    since = organisation("H53.40", valid_from=MERGER, code102="000.21.31.H53")
    assert directory(before, since).code_of_102("000.21.31.H53") == "H53.40"
    assert directory(since, before).code_of_102("000.21.31.H53") == "H53.40"


def test_an_update_replaces_the_histories_named_and_no_others() -> None:
    first = directory(organisation("H22", code102="000.00.00.H22"), organisation("H60"), mailbox("H22"))
    second = first.updated([closed("H22", "H60")], [mailbox("H60")])
    assert first.organisation("H22", NOW) is not None
    assert second.organisation("H22", NOW) is None
    assert second.organisation("H60", NOW) is not None
    assert second.has_mailbox("H60", NOW)
    assert second.has_mailbox("H22", NOW)
    assert not first.has_mailbox("H60", NOW)


def test_an_update_can_take_an_old_form_away() -> None:
    first = directory(organisation("H53.07", code102="000.00.13.H53"))
    assert first.updated([organisation("H53.07")], []).code_of_102("000.00.13.H53") == "H53.13"


def test_going_through_all_is_in_order_of_codes() -> None:
    known = directory(
        organisation("H60"), organisation("H22", valid_from=MERGER), closed("H22"), mailbox("H60"), mailbox("G22")
    )
    assert [(o.code, o.valid_from) for o in known.organisations()] == [
        ("H22", BEGINNING),
        ("H22", MERGER),
        ("H60", BEGINNING),
    ]
    assert [m.code for m in known.mailboxes(NOW)] == ["G22", "H60"]
    assert list(known.mailboxes(BEGINNING - INSTANT)) == []
    assert list(Directory().organisations()) == []
