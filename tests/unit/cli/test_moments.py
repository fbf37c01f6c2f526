import datetime as dt

import pytest
import typer

from axis.cli.moments import day, moment


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


def test_a_time_without_zone_is_this_machines() -> None:
    assert moment("2026-11-24T08:00") == dt.datetime(2026, 11, 24, 8).astimezone()


def test_a_day_stays_the_day_that_was_typed() -> None:
    assert day("2026-11-24") == dt.date(2026, 11, 24)
    assert day(None) is None


def test_no_date() -> None:
    with pytest.raises(typer.BadParameter, match="hôm nay"):
        moment("hôm nay")
