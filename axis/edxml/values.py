"""Dates, times and document identifiers: what was written, and what it means where it means something."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from axis.core.workdays import VIETNAM_TIME

__all__ = ["VIETNAM_TIME", "Day", "DocumentId", "IdForm", "Instant"]


@dataclass(frozen=True, slots=True)
class Day:
    """A date as written; `value` is None where the text is no date (2014/02/30 is seen in real packages)."""

    text: str
    value: dt.date | None = None

    @classmethod
    def of(cls, day: dt.date) -> "Day":
        """Write a date as the format asks."""
        return cls(_slashed(day), day)


@dataclass(frozen=True, slots=True)
class Instant:
    """A time as written; packages carry no zone and QĐ 28/2018 article 14.4 says Vietnam time (UTC+7)."""

    text: str
    value: dt.datetime | None = None

    @classmethod
    def of(cls, moment: dt.datetime) -> "Instant":
        """Write an aware time as the format asks, to the second, in Vietnam time."""
        local = moment.astimezone(VIETNAM_TIME).replace(microsecond=0)
        return cls(f"{_slashed(local)} {local:%H:%M:%S}", local)


class IdForm(StrEnum):
    """How a DocumentId is built."""

    TRIPLE = "triple"  # <code>,<yyyy/MM/dd>,<number>/<notation>
    UUID = "uuid"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class DocumentId:
    """The sender's business key; its three parts where it is a triple."""

    text: str
    form: IdForm = IdForm.OTHER
    organ_id: str | None = None
    day: Day | None = None
    notation: str | None = None

    @classmethod
    def of(cls, organ_id: str, day: dt.date, notation: str) -> "DocumentId":
        """Build the official triple; `notation` is `<number>/<notation>`."""
        written = Day.of(day)
        return cls(f"{organ_id},{written.text},{notation}", IdForm.TRIPLE, organ_id, written, notation)


def _slashed(day: dt.date) -> str:
    """Write yyyy/MM/dd; strftime pads years before 1000 on some systems only."""
    return f"{day.year:04}/{day.month:02}/{day.day:02}"
