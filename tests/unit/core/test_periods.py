"""Periods of reports: what is read, what is refused, what came before."""

import datetime as dt

import pytest

from axis.core.periods import read_period
from axis.errors import Refused

TODAY = dt.date(2026, 11, 29)


@pytest.mark.parametrize(
    ("text", "first", "last", "before"),
    [
        ("2026-Q4", "2026-10-01", "2026-12-31", "2026-Q3"),
        (" 2026-q1 ", "2026-01-01", "2026-03-31", "2025-Q4"),
        ("2026-11", "2026-11-01", "2026-11-30", "2026-10"),
        ("2024-2", "2024-02-01", "2024-02-29", "2024-01"),
        ("2026-01", "2026-01-01", "2026-01-31", "2025-12"),
        ("2026", "2026-01-01", "2026-12-31", "2025"),
        ("2026-11-01..2026-11-15", "2026-11-01", "2026-11-15", "2026-10-17..2026-10-31"),
        ("2026-11-29..2026-11-29", "2026-11-29", "2026-11-29", "2026-11-28..2026-11-28"),
        ("2018-Q1", "2018-01-01", "2018-03-31", "2017-Q4"),
    ],
)
def test_a_period_is_read(text: str, first: str, last: str, before: str) -> None:
    period = read_period(text, TODAY)
    assert (str(period.first), str(period.last), str(period.before)) == (first, last, before)
    assert read_period(str(period), TODAY) == period
    assert period.running(TODAY) is (period.last >= TODAY)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "report/period"),
        ("quý 4", "report/period"),
        ("2026-Q5", "report/period"),
        ("2026-Q0", "report/period"),
        ("2026-13", "report/period"),
        ("2026-00", "report/period"),
        ("0000", "report/period"),
        ("1926", "report/period"),
        ("9999-12", "report/period"),
        ("9999-Q4", "report/period"),
        ("9999", "report/period"),
        ("٢٠٢٦", "report/period"),
        ("2026-02-30..2026-03-01", "report/period"),
        ("2026-11-15..2026-11-01", "report/period"),
        ("1926-01-01..2026-01-01", "report/period"),
        ("2018-01-01..2026-01-01", "report/period"),
        ("2026-11-30..2026-12-01", "report/future"),
        ("2027-Q1", "report/future"),
        ("2026-12", "report/future"),
        ("2026-11" * 9999, "report/period"),
    ],
)
def test_a_period_that_cannot_be_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        read_period(text, TODAY)
    assert caught.value.code == code
