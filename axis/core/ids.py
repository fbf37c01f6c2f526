"""Time-ordered identifiers (UUIDv7, RFC 9562 section 5.7)."""

import datetime as dt

import uuid_utils

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def new_id(at: dt.datetime) -> str:
    """Make a UUIDv7 whose time is `at` (millisecond precision), lower case with dashes."""
    nanoseconds = (at - _EPOCH) // dt.timedelta(microseconds=1) * 1_000
    return str(uuid_utils.uuid7(nanoseconds=nanoseconds))


def time_of(identifier: str) -> dt.datetime:
    """Read the creation time out of a UUIDv7 in its canonical text."""
    return _EPOCH + dt.timedelta(milliseconds=int(identifier[:8] + identifier[9:13], 16))
