"""What an agency remembers between runs: what it took, what it has to send, what it was told."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal, Protocol

from axis.client.papers import Paper, Papers
from axis.core.hybrid import headers_of
from axis.core.messages import Outgoing


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed message of ours. `key` says what it says: the same said twice is one entry, with one id.

    `about` is the envelope it is or is about. The bytes are kept as signed, so that sending it again after a lost
    confirm can never make a second document or status. `not_before`: it was over a limit, and is sent again then.
    """

    id: str
    key: str
    kind: Literal["document", "status"]
    about: str
    exchange: str
    routing_key: str
    media_type: str
    body: bytes = field(repr=False)
    signature: str = field(repr=False)
    confirmed_at: dt.datetime | None = None
    not_before: dt.datetime | None = None

    def is_due(self, at: dt.datetime) -> bool:
        """Whether it may be sent at that time."""
        return self.not_before is None or self.not_before <= at

    def outgoing(self, account: str) -> Outgoing:
        """Build the publish; the broker checks that `account` is the connection's user."""
        return Outgoing(
            exchange=self.exchange,
            routing_key=self.routing_key,
            body=self.body,
            type=self.kind,
            content_type=self.media_type,
            message_id=self.id,
            headers=headers_of(self.signature),
            user_id=account,
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A document the application has safely: `sha256` is of the bytes that were delivered."""

    envelope_id: str
    sha256: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A verified notice. `about` is the id of the message of ours that it answers; `number` is its place in line."""

    id: str
    kind: Literal["receipt", "status"]
    about: str | None
    body: bytes = field(repr=False)
    signature: str = field(repr=False)
    done: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Suspicious:
    """Delivered bytes that could not be proved or read, kept as evidence; `reason` is a code of schemas.reasons."""

    sha256: str
    source: str  # the queue it came from
    message_id: str | None
    reason: str
    detail: str
    at: dt.datetime
    body: bytes = field(repr=False)
    signature: str = field(repr=False)


class Ledger(Protocol):
    """The agency's own memory, one file on its own disk.

    Durability contract: when a method that writes returns, what it wrote survives a crash of the process and of the
    machine, and one call of `write` is there as a whole or not at all. What a key already holds stays as it was:
    writing again is harmless. Several processes may share one ledger. Raises Unavailable when the disk fails.
    """

    async def write(
        self,
        *,
        taken: Sequence[Taken] = (),
        entries: Sequence[Entry] = (),
        notices: Sequence[KeptNotice] = (),
        suspicious: Sequence[Suspicious] = (),
        papers: Sequence[Paper] = (),
    ) -> list[Entry]:
        """Write all of it at once; return the entries as they now stand under their keys, in order."""
        ...

    async def confirm(self, entries: Sequence[Entry], at: dt.datetime) -> None:
        """Note that the broker has confirmed these entries, given as they were published.

        One that was postponed meanwhile stays so, also when its time has come by now: the refusal may be read before
        the confirm of the publish that it is about.
        """
        ...

    async def postpone(self, entry_id: str, until: dt.datetime) -> bool:
        """Note that an entry is to be sent again, not before a time; say whether there is one."""
        ...

    async def next_due(self) -> dt.datetime | None:
        """Return the earliest time that an unconfirmed entry was postponed to."""
        ...

    async def entries(
        self,
        *,
        about: str | None = None,
        unconfirmed: bool = True,
        limit: int = 1000,
        due: dt.datetime | None = None,
    ) -> list[Entry]:
        """Return entries, oldest first; `due`: not those postponed beyond that time."""
        ...

    async def reopen(self, entry_id: str) -> Entry | None:
        """Note that an entry is to be sent again, and return it; None when there is none."""
        ...

    async def taken(self, envelope_id: str) -> Taken | None:
        """Return what was taken under this id."""
        ...

    async def papers(self, *, document_id: str | None = None, envelope_id: str | None = None) -> list[Paper]:
        """Return what is known of a document (by its DocumentId) or an envelope, the last written first."""
        ...

    async def next_notice(self, after: int) -> KeptNotice | None:
        """Return the first notice that is not done and stands behind place `after`."""
        ...

    async def finish_notice(self, notice_id: str) -> None:
        """Note that the application is done with a notice."""
        ...

    async def receipt_for(self, message_id: str) -> KeptNotice | None:
        """Return the latest receipt that answers a message of ours."""
        ...

    async def suspicious(self) -> list[Suspicious]:
        """Return the evidence kept, oldest first."""
        ...

    async def prune(self, before: str) -> None:
        """Forget confirmed entries and finished notices whose id is lower than `before` (ids are ordered by time)."""
        ...

    async def close(self) -> None:
        """Let go of the file."""
        ...


class MemoryLedger:
    """A ledger that forgets with the process: for tests, and for applications that keep their own."""

    def __init__(self) -> None:
        self._taken: dict[str, Taken] = {}
        self._entries: dict[str, Entry] = {}
        self._keys: dict[str, list[str]] = {}  # id -> keys of the entries that carry it
        self._about: dict[str, list[str]] = {}  # envelope -> keys of the entries about it
        self._unconfirmed: dict[str, None] = {}  # keys, oldest first
        self._notices: dict[str, KeptNotice] = {}
        self._waiting: dict[str, None] = {}  # ids of notices that are not done, in their order
        self._receipts: dict[str, str] = {}  # message -> id of its last receipt
        self._suspicious: dict[str, Suspicious] = {}
        self._papers = Papers()
        self._number = 0

    async def write(
        self,
        *,
        taken: Sequence[Taken] = (),
        entries: Sequence[Entry] = (),
        notices: Sequence[KeptNotice] = (),
        suspicious: Sequence[Suspicious] = (),
        papers: Sequence[Paper] = (),
    ) -> list[Entry]:
        """See `Ledger`."""
        for each in taken:
            self._taken.setdefault(each.envelope_id, each)
        for entry in entries:
            if entry.key not in self._entries:
                self._keep(entry)
        for notice in notices:
            if notice.id not in self._notices:
                self._keep_notice(notice)
        for found in suspicious:
            self._suspicious.setdefault(found.sha256, found)
        self._papers.keep(papers)
        return [self._entries[entry.key] for entry in entries]

    async def confirm(self, entries: Sequence[Entry], at: dt.datetime) -> None:
        """See `Ledger`."""
        for published in entries:
            for key in self._keys.get(published.id, ()):
                if key in self._unconfirmed and self._entries[key].not_before == published.not_before:
                    del self._unconfirmed[key]
                    self._entries[key] = replace(self._entries[key], confirmed_at=at)

    async def postpone(self, entry_id: str, until: dt.datetime) -> bool:
        """See `Ledger`."""
        entry = await self.reopen(entry_id)
        if entry is not None:
            self._entries[entry.key] = replace(entry, not_before=until)
        return entry is not None

    async def next_due(self) -> dt.datetime | None:
        """See `Ledger`."""
        times = (self._entries[key].not_before for key in self._unconfirmed)
        return min((each for each in times if each is not None), default=None)

    async def entries(
        self,
        *,
        about: str | None = None,
        unconfirmed: bool = True,
        limit: int = 1000,
        due: dt.datetime | None = None,
    ) -> list[Entry]:
        """See `Ledger`."""
        keys: Iterable[str] = self._unconfirmed if unconfirmed else self._entries
        if about is not None:
            keys = [key for key in self._about.get(about, ()) if not unconfirmed or key in self._unconfirmed]
        found = (self._entries[key] for key in keys)
        return list(islice((each for each in found if due is None or each.is_due(due)), limit))

    async def entry(self, entry_id: str) -> Entry | None:
        """Return an entry, confirmed or not."""
        return next((self._entries[key] for key in self._keys.get(entry_id, ())), None)

    async def reopen(self, entry_id: str) -> Entry | None:
        """See `Ledger`."""
        for key in self._keys.get(entry_id, ()):
            self._entries[key] = replace(self._entries[key], confirmed_at=None, not_before=None)
            # Back in its place: the oldest is sent first.
            due = self._unconfirmed.keys() | {key}
            self._unconfirmed = dict.fromkeys(each for each in self._entries if each in due)
            return self._entries[key]
        return None

    async def taken(self, envelope_id: str) -> Taken | None:
        """See `Ledger`."""
        return self._taken.get(envelope_id)

    async def papers(self, *, document_id: str | None = None, envelope_id: str | None = None) -> list[Paper]:
        """See `Ledger`."""
        return self._papers.find(document_id=document_id, envelope_id=envelope_id)

    async def next_notice(self, after: int) -> KeptNotice | None:
        """See `Ledger`."""
        return next((n for n in map(self._notices.__getitem__, self._waiting) if n.number > after), None)

    async def finish_notice(self, notice_id: str) -> None:
        """See `Ledger`."""
        self._waiting.pop(notice_id, None)
        self._notices[notice_id] = replace(self._notices[notice_id], done=True)

    async def receipt_for(self, message_id: str) -> KeptNotice | None:
        """See `Ledger`."""
        found = self._receipts.get(message_id)
        return None if found is None else self._notices[found]

    async def suspicious(self) -> list[Suspicious]:
        """See `Ledger`."""
        return list(self._suspicious.values())

    async def prune(self, before: str) -> None:
        """See `Ledger`."""
        entries, notices = list(self._entries.values()), list(self._notices.values())
        self._entries, self._keys, self._about, self._unconfirmed = {}, {}, {}, {}
        self._notices, self._waiting, self._receipts = {}, {}, {}
        for entry in entries:
            if entry.confirmed_at is None or entry.id >= before:
                self._keep(entry)
        for notice in notices:
            if not notice.done or notice.id >= before:
                self._remember(notice)

    async def close(self) -> None:
        """See `Ledger`."""

    def _keep(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        self._keys.setdefault(entry.id, []).append(entry.key)
        self._about.setdefault(entry.about, []).append(entry.key)
        if entry.confirmed_at is None:
            self._unconfirmed[entry.key] = None

    def _keep_notice(self, notice: KeptNotice) -> None:
        self._number += 1
        self._remember(replace(notice, number=self._number))

    def _remember(self, notice: KeptNotice) -> None:
        self._notices[notice.id] = notice
        if not notice.done:
            self._waiting[notice.id] = None
        if notice.kind == "receipt" and notice.about is not None:
            self._receipts[notice.about] = notice.id
