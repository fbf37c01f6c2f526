"""The accounting: what senders were told, against what applications got and what the store says."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from axis.errors import Unavailable
from axis.faults.field import Field
from axis.faults.records import Document, Records, Said

DRAIN_SECONDS = 120.0
STILL_SECONDS = 45.0  # nothing has moved for so long: what is missing now is counted as missing
_TELLING_SECONDS = 20.0
_LOOK_SECONDS = 0.2
_NAMED = 10  # findings of one sort that are spelled out

# How far a recipient is with a document (axis.core.lifecycle): a state never goes back, and 02 ends it.
_RANK = {"01": 1, "03": 3, "04": 4, "05": 5, "06": 6, "02": 7}


@dataclass(slots=True)
class Account:
    """What became of everything that was sent."""

    sent: int = 0
    deliveries: int = 0
    statuses: int = 0
    lost: int = 0
    doubled: int = 0
    misordered: int = 0
    unexplained: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether all is as it has to be."""
        return not (self.lost or self.doubled or self.misordered or self.unexplained)

    def note(self, kind: str, findings: Iterable[str]) -> None:
        """Count findings of one kind and spell out the first of them."""
        found = list(findings)
        setattr(self, kind, getattr(self, kind) + len(found))
        self.findings += [f"{kind}: {finding}" for finding in found[:_NAMED]]
        if len(found) > _NAMED:
            self.findings.append(f"{kind}: and {len(found) - _NAMED} more like it")


async def drain(field: Field) -> None:
    """Send nothing new and wait until all is through, or nothing moves any more."""
    traffic = field.traffic
    traffic.pause()
    for code in traffic.codes:
        traffic.read(code)
    end = still = time.monotonic()
    before: Any = None
    while not (await traffic.complete() and await _store_is_through(field) and await _queues_are_empty(field)):
        now = time.monotonic()
        progress = (traffic.taken, traffic.sent, sum(said.came for said in traffic.records.statuses.values()))
        if progress != before:
            before, still = progress, now
        if now - still > STILL_SECONDS or now - end > DRAIN_SECONDS:
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def account(field: Field) -> Account:
    """Account for everything since the field was opened; call it after `drain`."""
    records = field.traffic.records
    documents, statuses = list(records.documents.values()), list(records.statuses.values())
    found = Account(
        sent=sum(document.confirmed for document in documents),
        deliveries=sum(len(document.taken) for document in documents),
        statuses=sum(said.confirmed for said in statuses),
    )
    found.note("lost", _lost(documents, statuses))
    found.note("doubled", _doubled(documents, statuses))
    found.note("misordered", misordered(documents))
    found.note("unexplained", field.unexplained)
    found.note("unexplained", _unexplained(field, records))
    await _compare_with_store(field, found)
    return found


def _lost(documents: list[Document], statuses: list[Said]) -> Iterator[str]:
    for document in documents:
        if not document.confirmed:
            continue
        if not document.receipts:
            yield f"{document.account} was never answered about {document.id}"
        if missing := sorted(document.mailboxes - set(document.taken)):
            yield f"{document.id} of {document.account} never came to {missing}"
    for said in statuses:
        if said.confirmed and not said.came:
            yield f"status {said.code} of {said.reporter} about {said.envelope} never came back"


def _doubled(documents: list[Document], statuses: list[Said]) -> Iterator[str]:
    for document in documents:
        if document.again:
            yield f"an application was handed {document.id} {document.again} times more"
    for said in statuses:
        if said.came > 1:
            yield f"status {said.id} came back {said.came} times"


def misordered(documents: list[Document]) -> Iterator[str]:
    """Find documents that were taken before one whose receipt was there before they were begun."""
    groups: dict[tuple[str, str, str], list[Document]] = defaultdict(list)
    for document in documents:
        for mailbox in document.taken:
            groups[document.account, document.lane, mailbox].append(document)
    for (_, _, mailbox), group in groups.items():
        answered = sorted((each for each in group if each.receipt_at), key=lambda each: each.receipt_at)
        last, position = None, 0
        for document in sorted(group, key=lambda each: each.began):
            while position < len(answered) and answered[position].receipt_at < document.began:
                each = answered[position]
                if last is None or each.taken[mailbox] > last.taken[mailbox]:
                    last = each
                position += 1
            if last is not None and last.taken[mailbox] > document.taken[mailbox]:
                yield f"{mailbox} got {document.id} before {last.id}, which was answered before it was begun"


def _unexplained(field: Field, records: Records) -> Iterator[str]:
    yield from records.strangers
    yield from records.suspicious
    for document in records.documents.values():
        if not document.confirmed:
            yield f"{document.id} of {document.account} was never confirmed"
        outcomes = [said for said in document.receipts if (document.id, said[1]) not in field.expected_receipts]
        if document.receipts and [outcome for outcome, _ in outcomes] != [document.outcome]:
            yield f"{document.id} was answered {document.receipts}, it should have been {document.outcome}"
        for mailbox, (_, sha256) in document.taken.items():
            if mailbox not in document.mailboxes:
                yield f"{mailbox} got {document.id}, which is not for it"
            if sha256 != document.sha256:
                yield f"{mailbox} got other bytes of {document.id} than were sent"
    for said in records.statuses.values():
        if not said.confirmed:
            yield f"status {said.code} of {said.reporter} about {said.envelope} was never confirmed"


# The store


async def _compare_with_store(field: Field, found: Account) -> None:
    records = field.traffic.records
    stored = {
        row["id"]: row
        for row in await field.database.execute(
            "SELECT id::text AS id, encode(sha256, 'hex') AS sha256, published_at FROM envelope"
        )
    }
    deliveries: Mapping[str, list[Any]] = defaultdict(list)
    for row in await field.database.execute(
        "SELECT envelope_id::text AS id, recipient, mailbox, state, last_status FROM delivery_state"
    ):
        deliveries[row["id"]].append(row)
    found.note(
        "unexplained", (f"the store has {each}, which nobody sent" for each in stored if each not in records.documents)
    )
    found.note("unexplained", _against_store(records, stored, deliveries))
    found.note("misordered", _states(records, deliveries))
    found.note("unexplained", await _left_over(field))


def _against_store(records: Records, stored: Mapping[str, Any], deliveries: Mapping[str, list[Any]]) -> Iterator[str]:
    for document in records.documents.values():
        if not document.receipts or document.outcome == "refused":
            continue
        row = stored.get(document.id)
        if row is None:
            yield f"{document.id} was answered and is not in the store"
            continue
        if row["sha256"] != document.sha256:
            yield f"the store has other bytes of {document.id} than were sent"
        states = deliveries[document.id]
        got = {each["mailbox"] for each in states if each["state"] == "delivered"}
        if got != document.mailboxes:
            yield f"the store says {document.id} was delivered to {sorted(got)}, told was {sorted(document.mailboxes)}"


def _states(records: Records, deliveries: Mapping[str, list[Any]]) -> Iterator[str]:
    highest: dict[tuple[str, str], str] = {}
    for said in records.statuses.values():
        place = (said.envelope, said.recipient)
        if said.confirmed and _RANK[said.code] > _RANK.get(highest.get(place, ""), 0):
            highest[place] = said.code
    for (envelope, recipient), code in highest.items():
        row = next((each for each in deliveries.get(envelope, ()) if each["recipient"] == recipient), None)
        state = None if row is None else row["last_status"]
        if state != code:
            yield f"the store has {envelope} at {recipient} in state {state}, reported was {code}"


async def _left_over(field: Field) -> list[str]:
    left = []
    for table in ("envelope", "notice"):
        (row,) = await field.database.execute(f"SELECT count(*) AS n FROM {table} WHERE published_at IS NULL")  # noqa: S608 - fixed names
        if row["n"]:
            left.append(f"{row['n']} rows of {table} are left unmarked")
    left += [
        f"{row['message_id']} is in quarantine: {row['reason']} {row['detail'][:200]}"
        for row in await field.database.execute("SELECT message_id, reason, detail FROM quarantine")
        if row["message_id"] not in field.expected_quarantine
    ]
    try:
        # What is said now may be of before it was emptied.
        await field.eventually(lambda: _queues_are_empty(field), _TELLING_SECONDS)
        depths = await field.broker.depths()
    except Unavailable as error:
        return [*left, f"the broker does not tell what is left: {error}"]
    return left + [f"{number} messages are left in {queue}" for queue, number in depths.items() if number]


async def _store_is_through(field: Field) -> bool:
    try:
        (row,) = await field.database.execute(
            "SELECT (SELECT count(*) FROM envelope WHERE published_at IS NULL)"
            " + (SELECT count(*) FROM notice WHERE published_at IS NULL) AS n"
        )
    except Exception:  # noqa: BLE001 - whatever keeps the database away; the deadline above ends the waiting
        return False
    return not row["n"]


async def _queues_are_empty(field: Field) -> bool:
    try:
        return not any((await field.broker.depths()).values())
    except Unavailable:
        return False
