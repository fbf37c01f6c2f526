import asyncio
import datetime as dt

import pytest

from axis.store import FakeStore
from tests.unit.cli.conftest import Run


def days(run: Run, year: int) -> dict[str, tuple[bool, bool]]:
    listed = run("calendar", "list", "--year", str(year), "--json").json["days"]
    return {each["day"]: (each["working"], each["set_here"]) for each in listed}


def test_the_holidays_of_vietnam_and_the_swap_of_2026(run: Run, store: FakeStore) -> None:
    known = days(run, 2026)
    assert {day: known.get(day) for day in ("2026-02-16", "2026-02-20", "2026-08-22", "2026-08-31", "2026-08-23")} == {
        "2026-02-16": (False, False),
        "2026-02-20": (False, False),
        "2026-08-22": (True, False),
        "2026-08-31": (False, False),
        "2026-08-23": None,
    }
    ran = run("calendar", "list", "--year", "2026")
    assert "16/02/2026" in ran.out
    assert "08:00-12:00,13:30-17:30" in ran.out


def test_what_is_said_of_a_day_goes_before_the_holidays(run: Run, store: FakeStore) -> None:
    assert run("calendar", "set", "2026-11-25", "--off", "--why", "bầu cử").code == 0
    ran = run("calendar", "set", "24/11/2026", "--worked", "--why", "làm bù")
    assert "24/11/2026, a Tuesday, is worked" in ran.out
    assert days(run, 2026)["2026-11-25"] == (False, True)
    assert days(run, 2026)["2026-11-24"] == (True, True)
    assert "làm bù" in run("calendar", "list", "--year", "2026").out
    assert run("calendar", "unset", "2026-11-24", "--json").json == {"day": "2026-11-24", "working": False}
    assert [each.day for each in asyncio.run(store.workdays.overrides())] == [dt.date(2026, 11, 25)]
    acts = [(action, subject, detail["before"], detail["after"]) for _, action, subject, detail in store.audits]
    worked = {"working": True, "why": "làm bù"}
    assert acts == [
        ("calendar.set", "2026-11-25", None, {"working": False, "why": "bầu cử"}),
        ("calendar.set", "2026-11-24", None, worked),
        ("calendar.unset", "2026-11-24", worked, None),
    ]


def test_nothing_said_cannot_be_taken_back(run: Run, store: FakeStore) -> None:
    ran = run("calendar", "unset", "2026-11-25")
    assert ran.code == 66
    assert "25/11/2026" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "2026-11-25", "--off", "--why", "  "),
        ("set", "2026-11-25", "--why", "?"),
        ("set", "2026-02-30", "--off", "--why", "?"),
        ("set", "hôm nay", "--off", "--why", "?"),
    ],
)
def test_what_cannot_be_meant_is_refused(run: Run, store: FakeStore, arguments: tuple[str, ...]) -> None:
    assert run("calendar", *arguments).code == 2
    assert asyncio.run(store.workdays.overrides()) == ()


def test_working_hours_that_are_none_are_refused_at_the_start(
    run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AXIS_WORKING_HOURS", "12:00-08:00")
    ran = run("calendar", "list")
    assert ran.code == 78
    assert "08:00-12:00,13:30-17:30" in ran.err
