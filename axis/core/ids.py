"""Time-ordered identifiers (UUIDv7, RFC 9562 section 5.7)."""

import datetime as dt
import re

import uuid_utils

from schemas.base import UUID7_PATTERN

_UUID7 = re.compile(UUID7_PATTERN.removesuffix("$"))
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def new_id(at: dt.datetime) -> str:
    """Make a UUIDv7 whose time is `at` (millisecond precision), lower case with dashes."""
    nanoseconds = (at - _EPOCH) // dt.timedelta(microseconds=1) * 1_000
    return str(uuid_utils.uuid7(nanoseconds=nanoseconds))


def time_of(identifier: str) -> dt.datetime:
    """Read the creation time out of a UUIDv7 in its canonical text."""
    return _EPOCH + dt.timedelta(milliseconds=int(identifier[:8] + identifier[9:13], 16))


def is_id(text: str) -> bool:
    """Say whether a text is a UUIDv7 in its canonical form."""
    return _UUID7.fullmatch(text) is not None
