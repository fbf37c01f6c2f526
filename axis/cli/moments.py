"""Dates and times as people type them."""

import datetime as dt
import re

import typer

from axis.edxml import VIETNAM_TIME

_BEFORE_ZONE = re.compile(r" (?=[+-]\d{2}(?::?\d{2})?$)")


def now() -> dt.datetime:
    """Tell the time as people read it, to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def moment(text: str) -> dt.datetime:
    """Read a date or an ISO 8601 time, as commands write it too, of Vietnam where no zone is said; return UTC.

    A date is its beginning: decrees count days in Vietnam.
    """
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(text.strip(), form).replace(tzinfo=VIETNAM_TIME).astimezone(dt.UTC)
        except ValueError:
            continue
    try:
        read = dt.datetime.fromisoformat(_BEFORE_ZONE.sub("", text.strip()))
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no date: write 2026-11-24, 24/11/2026 or 2026-11-24T08:00+07:00"
        ) from error
    return (read if read.tzinfo else read.replace(tzinfo=VIETNAM_TIME)).astimezone(dt.UTC)


def day(text: str | None) -> dt.date | None:
    """Read a date."""
    return None if text is None else moment(text).astimezone(VIETNAM_TIME).date()
