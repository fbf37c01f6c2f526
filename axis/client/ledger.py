"""What an agency remembers between runs: what it took, what it has to send, what it was told."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from axis.core.messages import Outgoing
from schemas.wire import SIGNATURE_HEADER


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed message of ours. `key` says what it says: the same said twice is one entry, with one id.

    `about` is the envelope it is or is about. The bytes are kept as signed, so that sending it again after a lost
    confirm can never make a second document or status.
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

    def outgoing(self, account: str) -> Outgoing:
        """Build the publish; the broker checks that `account` is the connection's user."""
        return Outgoing(
            exchange=self.exchange,
            routing_key=self.routing_key,
            body=self.body,
            type=self.kind,
            content_type=self.media_type,
            message_id=self.id,
            headers={SIGNATURE_HEADER: self.signature},
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
    ) -> list[Entry]:
        """Write all of it at once; return the entries as they now stand under their keys, in order."""
        ...

    async def confirm(self, ids: Sequence[str], at: dt.datetime) -> None:
        """Note that the broker has confirmed these entries."""
        ...

    async def entries(self, *, about: str | None = None, unconfirmed: bool = True, limit: int = 1000) -> list[Entry]:
        """Return entries, oldest first."""
        ...

    async def reopen(self, entry_id: str) -> Entry | None:
        """Note that an entry is to be sent again, and return it; None when there is none."""
        ...

    async def taken(self, envelope_id: str) -> Taken | None:
        """Return what was taken under this id."""
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
        self._notices: dict[str, KeptNotice] = {}
        self._suspicious: dict[str, Suspicious] = {}

    async def write(
        self,
        *,
        taken: Sequence[Taken] = (),
        entries: Sequence[Entry] = (),
        notices: Sequence[KeptNotice] = (),
        suspicious: Sequence[Suspicious] = (),
    ) -> list[Entry]:
        """See `Ledger`."""
        for each in taken:
            self._taken.setdefault(each.envelope_id, each)
        for entry in entries:
            self._entries.setdefault(entry.key, entry)
        for notice in notices:
            self._notices.setdefault(notice.id, replace(notice, number=len(self._notices) + 1))
        for found in suspicious:
            self._suspicious.setdefault(found.sha256, found)
        return [self._entries[entry.key] for entry in entries]

    async def confirm(self, ids: Sequence[str], at: dt.datetime) -> None:
        """See `Ledger`."""
        for key, entry in self._entries.items():
            if entry.id in ids and entry.confirmed_at is None:
                self._entries[key] = replace(entry, confirmed_at=at)

    async def entries(self, *, about: str | None = None, unconfirmed: bool = True, limit: int = 1000) -> list[Entry]:
        """See `Ledger`."""
        found = [
            entry
            for entry in self._entries.values()
            if about in {None, entry.about} and not (unconfirmed and entry.confirmed_at is not None)
        ]
        return found[:limit]

    async def reopen(self, entry_id: str) -> Entry | None:
        """See `Ledger`."""
        for key, entry in self._entries.items():
            if entry.id == entry_id:
                self._entries[key] = replace(entry, confirmed_at=None)
                return self._entries[key]
        return None

    async def taken(self, envelope_id: str) -> Taken | None:
        """See `Ledger`."""
        return self._taken.get(envelope_id)

    async def next_notice(self, after: int) -> KeptNotice | None:
        """See `Ledger`."""
        return next((n for n in self._notices.values() if not n.done and n.number > after), None)

    async def finish_notice(self, notice_id: str) -> None:
        """See `Ledger`."""
        self._notices[notice_id] = replace(self._notices[notice_id], done=True)

    async def receipt_for(self, message_id: str) -> KeptNotice | None:
        """See `Ledger`."""
        found = [n for n in self._notices.values() if n.kind == "receipt" and n.about == message_id]
        return found[-1] if found else None

    async def suspicious(self) -> list[Suspicious]:
        """See `Ledger`."""
        return list(self._suspicious.values())

    async def prune(self, before: str) -> None:
        """See `Ledger`."""
        self._entries = {
            key: entry for key, entry in self._entries.items() if entry.confirmed_at is None or entry.id >= before
        }
        self._notices = {key: n for key, n in self._notices.items() if not n.done or n.id >= before}

    async def close(self) -> None:
        """See `Ledger`."""
