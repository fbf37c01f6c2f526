import datetime as dt

import pytest

from axis.catalogue.workdays import holiday_names, workdays
from axis.core.workdays import Override

DAY = dt.date.fromisoformat


@pytest.mark.parametrize(
    ("signed", "morning"),
    [
        ("2026-02-13", "2026-02-23"),  # the Friday before Tết
        ("2026-08-21", "2026-08-22"),  # Saturday is worked
        ("2026-08-28", "2026-09-03"),  # for Monday, which is off, and then comes the National Day
        ("2026-04-24", "2026-04-28"),  # the Hùng Kings' day was a Sunday
        ("2026-11-27", "2026-11-30"),
    ],
)
def test_the_next_working_morning_in_vietnam(signed: str, morning: str) -> None:
    assert workdays((), 2026).next_morning(DAY(signed)).date() == DAY(morning)


def test_operators_are_believed_before_the_holidays() -> None:
    said = [Override(DAY("2026-08-22"), working=False, why="?"), Override(DAY("2026-02-16"), working=True, why="?")]
    calendar = workdays(said, 2026)
    assert not calendar.is_working(DAY("2026-08-22"))
    assert calendar.is_working(DAY("2026-02-16"))


def test_years_around_are_known_and_others_have_weekends() -> None:
    calendar = workdays((), 2026)
    new_years = [DAY(f"{year}-01-01") for year in (2019, 2024, 2027, 2028, 2035)]
    assert [day.year for day in new_years if calendar.is_working(day)] == [2035]


def test_holidays_have_names_in_both_languages() -> None:
    assert "Tết Nguyên Đán" in holiday_names(2026, vietnamese=True)["2026-02-17"]
    assert "Lunar New Year" in holiday_names(2026, vietnamese=False)["2026-02-17"]
