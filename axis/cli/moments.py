"""Dates and times as people type them."""

import datetime as dt

import typer

from axis.edxml import VIETNAM_TIME


def now() -> dt.datetime:
    """Tell the time as people read it, to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def moment(text: str) -> dt.datetime:
    """Read a date (its beginning in Vietnam, where decrees count days) or an ISO 8601 time; return UTC."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(text.strip(), form).replace(tzinfo=VIETNAM_TIME).astimezone(dt.UTC)
        except ValueError:
            continue
    try:
        read = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no date: write 2026-11-24, 24/11/2026 or 2026-11-24T08:00+07:00"
        ) from error
    return (read if read.tzinfo else read.astimezone()).astimezone(dt.UTC)


def day(text: str | None) -> dt.date | None:
    """Read a date."""
    return None if text is None else moment(text).astimezone(VIETNAM_TIME).date()
