"""What the scenario about clocks does: workers with a wrong one, and messages whose ids are from another time."""

import asyncio
import datetime as dt
import sys
import time
from collections.abc import Callable
from random import Random

from axis.client.building import Author
from axis.client.ledger import Entry
from axis.errors import Unavailable
from axis.faults.field import Field
from axis.faults.processes import until
from schemas import Document, StatusCode

_TOLD_SECONDS = 60.0
_LOOK_SECONDS = 0.05


async def refused_document(field: Field, code: str, at: dt.datetime, random: Random) -> None:
    """Send a document as an agency whose clock says `at`; it has to be told `envelope/id-time`."""
    other = random.choice([each for each in field.traffic.codes if each != code])
    entry = _author(field, code, lambda: at).envelope(
        sender=code, recipients=[other], document=Document(document_id=f"{code},{at:%Y/%m/%d},0/TB", subject="Giờ sai")
    )
    await _refused(field, code, entry, "envelope/id-time")


async def refused_status(field: Field, code: str, at: dt.datetime) -> None:
    """Report a status as an agency whose clock says `at`; it has to be told `status/id-time`."""
    for document in reversed(field.traffic.records.documents.values()):
        if code in document.taken:
            entry = _author(field, code, lambda: at).status(document.id, StatusCode.ACCEPTED)
            await _refused(field, code, entry, "status/id-time")
            return


async def replace_worker(field: Field, kind: str, wrong_by: dt.timedelta | None = None) -> None:
    """Start one with another clock (None: the right one) in the place of every worker of a kind."""
    old = field.kind(kind)
    if wrong_by is None:
        await field.start_worker(kind)
    else:
        program = (sys.executable, "-m", "axis.faults.skewed", str(wrong_by.total_seconds()), kind)
        await field.start_worker(kind, argv=program)
    for worker in old:
        if (ended := await field.stop_worker(worker)) != 0:
            field.explain(f"{worker.log.stem} ended with {ended} after SIGTERM, see {worker.log}")


async def nothing_under_way(field: Field, deadline: float = _TOLD_SECONDS) -> None:
    """Stop sending and wait until everything sent has its receipt and is delivered."""
    field.traffic.pause()
    end = time.monotonic() + deadline
    while not await field.traffic.complete():
        if time.monotonic() >= end:
            field.explain(f"{field.traffic.records.open} documents are still under way after {deadline:g} s")
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _author(field: Field, code: str, now: Callable[[], dt.datetime]) -> Author:
    return Author(code, field.traffic.member(code).key, now)


async def _refused(field: Field, code: str, entry: Entry, reason: str) -> None:
    records = field.traffic.records
    noted = records.begin(entry.id, code, "normal", frozenset(), "refused")
    try:
        async with field.traffic.second_connection(code) as publisher:
            await publisher.publish(entry.outgoing(code))
    except Unavailable as error:
        records.withdraw(noted)
        field.explain(f"{code} could not send {entry.id}: {error}")
        return
    noted.confirmed = True
    if not await until(lambda: bool(noted.receipts), _TOLD_SECONDS):
        return  # counted as lost
    if noted.receipts != [("refused", reason)]:
        field.explain(f"{entry.id} with a time of {code} was answered {noted.receipts}, it should have been {reason}")
