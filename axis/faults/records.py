"""What senders were told and what recipients' applications got, noted as it happens, outside the axis."""

import datetime as dt
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import orjson

from axis.client.ledger import Deferred, Entry, KeptNotice, KeptRecall, Suspicious, Taken
from axis.client.memory import MemoryLedger
from axis.client.papers import Paper
from schemas import Receipt, Status


@dataclass(slots=True)
class Document:
    """One envelope. Times are ticks: places in the one order of everything that was noted."""

    id: str
    account: str
    lane: str
    mailboxes: frozenset[str]  # who has to get it
    outcome: str  # what the receipt has to say
    began: int
    sha256: str = ""  # of the bytes kept and sent; empty: nothing was kept
    confirmed: bool = False
    receipts: list[tuple[str, str]] = field(default_factory=list)  # outcome and code, as handed to the sender
    receipt_at: int = 0
    taken: dict[str, tuple[int, str]] = field(default_factory=dict)  # mailbox -> when first, SHA-256 of what came
    again: int = 0  # how often an application got it once more

    @property
    def complete(self) -> bool:
        """Whether the sender has its receipt and everybody has the document."""
        return bool(self.receipts) and len(self.taken) == len(self.mailboxes)


@dataclass(slots=True)
class Said:
    """One status that a recipient reported."""

    id: str
    envelope: str
    reporter: str
    recipient: str
    code: str
    confirmed: bool = False
    came: int = 0  # how often the sender of the document was handed it


class Records:
    """All of it, and how far it is complete."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.statuses: dict[str, Said] = {}
        self.strangers: list[str] = []  # what came and nobody had sent, in words
        self.suspicious: list[str] = []
        self.open = 0  # documents begun and not complete
        self.arrived: dict[tuple[str, str], int] = {}  # (lane, mailbox) -> when the youngest taken was begun
        self.last_complete = time.monotonic()
        self.longest_outage = 0.0
        self._ticks = count(1)

    def tick(self) -> int:
        """Take the next place in the order of things."""
        return next(self._ticks)

    def begin(self, identifier: str, account: str, lane: str, mailboxes: frozenset[str], outcome: str) -> Document:
        """Note that a document is about to be sent."""
        document = Document(identifier, account, lane, mailboxes, outcome, self.tick())
        self.documents[identifier] = document
        self.open += 1
        return document

    def withdraw(self, document: Document) -> None:
        """Note that it was not sent after all: nothing was kept."""
        if self.documents.pop(document.id, None) is not None:
            self.open -= 1

    def kept(self, entry: Entry) -> None:
        """Note what an agency has signed and kept to send."""
        if entry.kind == "document":
            if (document := self.documents.get(entry.id)) is not None and not document.sha256:
                document.sha256 = hashlib.sha256(entry.body).hexdigest()
            return
        body = orjson.loads(entry.body)
        reporter = body["reporter"]
        self.statuses.setdefault(
            entry.id, Said(entry.id, body["envelope"], reporter, body.get("recipient") or reporter, body["code"])
        )

    def confirmed(self, identifiers: Sequence[str]) -> None:
        """Note what the broker has confirmed to its author."""
        for identifier in identifiers:
            if (document := self.documents.get(identifier)) is not None:
                document.confirmed = True
            if (said := self.statuses.get(identifier)) is not None:
                said.confirmed = True

    def took(self, mailbox: str, identifier: str, sha256: str) -> None:
        """Note that the application of a mailbox has a document."""
        document = self.documents.get(identifier)
        if document is None:
            self.strangers.append(f"{mailbox} got {identifier}, which nobody has sent")
            return
        if mailbox in document.taken:
            document.again += 1
            return
        document.taken[mailbox] = (self.tick(), sha256)
        place = (document.lane, mailbox)
        self.arrived[place] = max(self.arrived.get(place, 0), document.began)
        self._close(document)

    def receipt(self, receipt: Receipt) -> None:
        """Note what the axis said to the sender."""
        document = self.documents.get(receipt.message_id or "")
        if document is None:
            self.strangers.append(f"{receipt.account} got a receipt for {receipt.message_id}: {receipt.outcome.value}")
            return
        document.receipts.append((receipt.outcome.value, receipt.code or ""))
        if len(document.receipts) == 1:
            document.receipt_at = self.tick()
            self._close(document)

    def status(self, account: str, status: Status) -> None:
        """Note that a status came back to a sender."""
        said = self.statuses.get(status.id)
        if said is None:
            self.strangers.append(f"{account} was told status {status.id}, which nobody has reported")
            return
        said.came += 1

    def _close(self, document: Document) -> None:
        if document.complete:
            self.open -= 1
            now = time.monotonic()
            self.longest_outage = max(self.longest_outage, now - self.last_complete)
            self.last_complete = now


class NotingLedger(MemoryLedger):
    """An agency's ledger that lets the accounting see what it holds."""

    def __init__(self, account: str, records: Records) -> None:
        super().__init__()
        self._account = account
        self._records = records

    async def write(
        self,
        *,
        taken: Sequence[Taken] = (),
        entries: Sequence[Entry] = (),
        notices: Sequence[KeptNotice] = (),
        suspicious: Sequence[Suspicious] = (),
        papers: Sequence[Paper] = (),
        recalls: Sequence[KeptRecall] = (),
        deferred: Sequence[Deferred] = (),
    ) -> list[Entry]:
        """See `Ledger`."""
        for found in suspicious:
            self._records.suspicious.append(f"{self._account} set aside {found.message_id}: {found.reason}")
        kept = await super().write(
            taken=taken,
            entries=entries,
            notices=notices,
            suspicious=suspicious,
            papers=papers,
            recalls=recalls,
            deferred=deferred,
        )
        for entry in kept:
            self._records.kept(entry)
        return kept

    async def confirm(self, entries: Sequence[Entry], at: dt.datetime) -> None:
        """See `Ledger`."""
        await super().confirm(entries, at)
        self._records.confirmed([entry.id for entry in entries])
