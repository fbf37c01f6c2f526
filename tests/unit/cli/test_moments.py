import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from axis.cli.console import local_time, print_json, print_table
from axis.cli.moments import day, moment
from axis.core.workdays import VIETNAM_TIME


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-24", "2026-11-23T17:00:00+00:00"),
        ("24/11/2026", "2026-11-23T17:00:00+00:00"),
        ("2026-11-24T08:00+07:00", "2026-11-24T01:00:00+00:00"),
        ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00+00:00"),
    ],
)
def test_a_day_begins_in_vietnam(text: str, utc: str) -> None:
    assert moment(text) == dt.datetime.fromisoformat(utc)
    assert moment(text).tzinfo is dt.UTC


@pytest.fixture
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in New York."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_elsewhere")
def test_a_time_without_zone_is_vietnams_wherever_the_machine_is() -> None:
    assert moment("2026-11-24T08:00") == dt.datetime(2026, 11, 24, 1, tzinfo=dt.UTC)
    assert day("2026-11-24") == dt.date(2026, 11, 24)


@pytest.mark.usefixtures("_elsewhere")
def test_times_are_written_as_vietnams_wherever_the_machine_is(capsys: pytest.CaptureFixture[str]) -> None:
    at = dt.datetime(2026, 11, 23, 18, 5, 6, tzinfo=dt.UTC)
    assert local_time(at) == "2026-11-24 01:05:06 +07"
    assert moment(local_time(at)) == at
    print_table(("when", "what"), [(at, "a"), (None, "b")])
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["when", "(+07)", "what"]
    assert first.split() == ["2026-11-24", "01:05:06", "a"]
    assert second.split() == ["–", "b"]


@pytest.mark.usefixtures("_elsewhere")
def test_machines_are_told_utc(capsys: pytest.CaptureFixture[str]) -> None:
    at = dt.datetime(2026, 11, 24, 1, 5, 6, tzinfo=VIETNAM_TIME)
    print_json({"at": at})
    assert capsys.readouterr().out == '{\n  "at": "2026-11-23T18:05:06Z"\n}\n'


def test_no_command_asks_for_the_zone_of_the_machine() -> None:
    """What is in one zone here and in another there misleads whoever compares; the two ways to ask are these."""
    asked = re.compile(r"astimezone\(\)|fromtimestamp\([^,()]*\)|\blocaltime\(|datetime\.now\(\)|date\.today\(\)")
    sources = sorted((Path(__file__).parents[3] / "axis").rglob("*.py"))
    assert sources
    assert [str(each) for each in sources if asked.search(each.read_text(encoding="utf-8"))] == []


def test_a_day_stays_the_day_that_was_typed() -> None:
    assert day("2026-11-24") == dt.date(2026, 11, 24)
    assert day(None) is None


def test_no_date() -> None:
    with pytest.raises(typer.BadParameter, match="hôm nay"):
        moment("hôm nay")
