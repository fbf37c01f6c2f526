"""The working days of Vietnam: the holidays of each year, as published, and what operators have said otherwise."""

from collections.abc import Iterable

from axis.core.workdays import USUAL_HOURS, Calendar, Hours, Override

_FIRST = 2019  # the axis is no older, and no document on it needs an earlier day
_AHEAD = 2  # years; of those not announced yet the package knows the fixed days and the moon's


def workdays(overrides: Iterable[Override], year: int, hours: Hours = USUAL_HOURS) -> Calendar:
    """Build the calendar as it is known in a year; days far from that have weekends only.

    Saturdays worked for a Monday off come with the holidays (`holidays`, pinned: each year is decided anew).
    """
    # Here, because it takes as long to import as most commands to run.
    from holidays import country_holidays  # noqa: PLC0415

    known = country_holidays("VN", years=range(_FIRST, year + _AHEAD + 1))
    off, worked = set(known), set(known.weekend_workdays)
    for each in overrides:
        (worked if each.working else off).add(each.day)
        (off if each.working else worked).discard(each.day)
    return Calendar(frozenset(off), frozenset(worked), hours)


def holiday_names(year: int, *, vietnamese: bool) -> dict[str, str]:
    """Name the holidays of a year, by date (ISO 8601)."""
    from holidays import country_holidays  # noqa: PLC0415 - as above

    known = country_holidays("VN", years=year, language="vi" if vietnamese else "en_US")
    return {day.isoformat(): name for day, name in sorted(known.items())}
