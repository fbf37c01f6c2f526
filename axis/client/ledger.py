"""What an agency remembers between runs: what it took, what it has to send, what it was told."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from axis.client.papers import Paper
from axis.core.hybrid import headers_of
from axis.core.messages import Outgoing


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed message of ours. `key` says what it says: the same said twice is one entry, with one id.

    `about` is the envelope it is or is about. The bytes are kept as signed, so that sending it again after a lost
    confirm can never make a second document or status. `not_before`: it was over a limit, and is sent again then.
    `waits_for`: the envelope it acts on, which has no receipt yet.
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
    waits_for: str | None = None

    @property
    def given_up(self) -> bool:
        """Whether it is never sent: the envelope it acts on was refused."""
        return self.waits_for is not None and self.confirmed_at is not None

    def is_due(self, at: dt.datetime) -> bool:
        """Whether it may be sent at that time."""
        return self.waits_for is None and (self.not_before is None or self.not_before <= at)

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
class KeptRecall:
    """A proved recall that came before its document was taken; see axis.client.recalls.

    `organisation`, `thumbprint` and `role` are its signer's. `withdrawn`: its document came and was not handed out.
    `done`: the application has dealt with it. Written again it only becomes withdrawn.
    """

    envelope_id: str
    concerns: str
    body: bytes = field(repr=False)
    signature: str = field(repr=False)
    recipients: tuple[str, ...]
    organisation: str
    thumbprint: str
    role: Literal["agency", "gateway", "axis"]
    withdrawn: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """A proved delivery that cannot be opened for now; see axis.client.deferring.

    `organisation`, `thumbprint` and `role` are its signer's; `code` and `detail` say why, `at` since when.
    """

    envelope_id: str
    body: bytes = field(repr=False)
    signature: str = field(repr=False)
    recipients: tuple[str, ...]
    organisation: str
    thumbprint: str
    role: Literal["agency", "gateway", "axis"]
    code: str
    detail: str
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
        recalls: Sequence[KeptRecall] = (),
        deferred: Sequence[Deferred] = (),
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

    async def papers(
        self, *, document_id: str | None = None, envelope_id: str | None = None, concerns: str | None = None
    ) -> list[Paper]:
        """Return what is known of a document (by its DocumentId), an envelope, or what is about it; the last first."""
        ...

    async def forget(self, envelope_id: str) -> None:
        """Forget everything that was kept of a document that was taken but its id and digest, which stop repeats."""
        ...

    async def unblock(self, envelope_id: str | None, *, confirmed_before: dt.datetime | None = None) -> None:
        """Let go what waits for the receipt of an envelope, or of any that was confirmed before a time."""
        ...

    async def give_up(self, envelope_id: str, at: dt.datetime) -> None:
        """Never send what waits for the receipt of an envelope: it was refused. See `Entry.given_up`."""
        ...

    async def recalls(self, concerns: str) -> list[KeptRecall]:
        """Return the recalls of a document that came before it was taken, the first first."""
        ...

    async def open_recalls(self) -> list[KeptRecall]:
        """Return the recalls that the application is not done with: those that had effect first, then the oldest."""
        ...

    async def hand_out(self, envelope_id: str, at: dt.datetime, until: dt.datetime) -> bool:
        """Say that this process hands a recall out until a time; False: another does, or it is done.

        Said again it only moves the time. Closing the ledger lets go of it.
        """
        ...

    async def finish_recall(self, envelope_id: str) -> None:
        """Note that the application is done with a recall."""
        ...

    async def deferred(self, envelope_id: str | None = None) -> list[Deferred]:
        """Return what is set aside, the first first; with an id only that one."""
        ...

    async def finish_deferred(self, envelope_id: str) -> None:
        """Forget that a document is set aside."""
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
        """Forget confirmed entries and finished notices whose id is lower than `before` (ids are ordered by time).

        What was said about a kept recall stays: its document may still come.
        """
        ...

    async def close(self) -> None:
        """Let go of the file."""
        ...
