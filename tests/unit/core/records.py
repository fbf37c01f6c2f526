"""Directory records for tests, with the dates of 2025 that matter."""

import datetime as dt
from typing import Any

from axis.core.directory import Directory
from schemas import Mailbox, Organisation

BEGINNING = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
# 1 July 2025 in Vietnam, as the resolutions of 2025 say; in UTC it is still the day before.
MERGER = dt.datetime(2025, 6, 30, 17, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def organisation(code: str, **more: Any) -> Organisation:
    return Organisation(**{"code": code, "name": f"Organisation {code}", "valid_from": BEGINNING, **more})


def closed(code: str, successor: str | None = None, **more: Any) -> Organisation:
    return organisation(code, valid_to=MERGER, successor=successor, **more)


def mailbox(code: str, **more: Any) -> Mailbox:
    return Mailbox(**{"code": code, "valid_from": BEGINNING, "password_hash": f"hash of {code}", **more})


def directory(*records: Organisation | Mailbox) -> Directory:
    return Directory.build(
        [record for record in records if isinstance(record, Organisation)],
        [record for record in records if isinstance(record, Mailbox)],
    )
