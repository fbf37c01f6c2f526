"""The seam to the store, and what it promises. `PostgresStore` and `FakeStore` keep the same promises.

Durability: when a call returns (for a `Transaction`: when its block ends without an exception) everything it wrote
survives the death of the program and of the server. The one exception is `mark_published`: a mark may be lost when the
server dies within a second of it, and what it marked is then published again, which recipients drop.

Failure: `Unavailable` means nothing is known to have happened, and the same call is right to be made again; every
write here can be repeated. A transaction whose end was lost may have been committed: `accept` and `known_statuses`
tell. Any other exception is about the data or a fault of ours, and would come again.

Every call has a deadline.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from axis.core.concerning import Concerned, Waiting
from axis.core.conversation import Conversation
from axis.core.directory import Directory
from axis.core.enrolment import Enrolment
from axis.core.quotas import Taking
from axis.core.records import (
    Accepted,
    Existing,
    Hold,
    NoticeRow,
    QuarantineRow,
    StatusRow,
    Withdrawal,
)
from axis.core.tracked import Quarantined, Tracked, TrackedEnvelope, TrackedWaiting
from axis.core.tracking import EnvelopeFacts, Talks
from axis.store.backlog_seam import BacklogStore
from axis.store.comparing_seam import ComparingStore, WithDeliveries
from axis.store.log_seam import LogStore
from axis.store.operator_seam import OperatorStore
from axis.store.paper_seam import PaperStore
from axis.store.partner_seam import PartnerStore
from axis.store.proving import ProofStore
from axis.store.quarantine_seam import QuarantineStore
from axis.store.register_seam import RegisterStore
from axis.store.replay_seam import ReplayStore
from axis.store.seen_seam import SeenStore
from axis.store.watch_seam import WatchStore
from axis.store.webhook_seam import WebhookStore
from axis.store.workday_seam import WorkdayStore
from schemas import Certificate, Mailbox, Organisation

Changed = Callable[[set[str] | None], Awaitable[None]]
Advances = Mapping[tuple[str, str], tuple[str, dt.datetime]]  # (envelope, recipient as addressed) -> (code, when)


@dataclass(frozen=True, slots=True)
class Counts:
    """What putting some records did."""

    new: int
    changed: int
    same: int


class DirectoryStore(ABC):
    """Organisations, mailboxes and certificates; nothing is forgotten, a code's history is several rows."""

    @abstractmethod
    async def load(self) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read all of it."""

    @abstractmethod
    async def load_changed(self, codes: Collection[str]) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read everything of some codes: all periods, and the certificates enrolled for them."""

    @abstractmethod
    async def shown(
        self, codes: Collection[str] | None = None
    ) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read all of it, or everything of some codes, the hashes of passwords being empty: for who shows it."""

    async def names(self, codes: Collection[str], at: dt.datetime) -> Mapping[str, str]:
        """Return code -> name as of a time, else the last it had; a code that was never in it is left out."""
        if not codes:
            return {}
        organisations, _, _ = await self.shown(codes)
        return Directory.build(organisations, []).names(codes, at)

    @abstractmethod
    async def put_organisations(self, organisations: Sequence[Organisation]) -> Counts:
        """Add or replace periods, told apart by code and `valid_from`; of two equal ones the later counts."""

    @abstractmethod
    async def put_mailbox(self, mailbox: Mailbox) -> None:
        """Add or replace a period of a mailbox, told apart by code and `valid_from`."""

    @abstractmethod
    async def put_certificate(self, certificate: Certificate) -> None:
        """Enrol a certificate, or anew for another organisation or role; a revocation and its evidence stay."""

    @abstractmethod
    async def revoke(
        self, thumbprint: str, at: dt.datetime, *, invalid_since: dt.datetime | None = None, why: str | None = None
    ) -> None:
        """Revoke a certificate from `at` on, its signatures being in doubt since `invalid_since` (default `at`).

        An earlier revocation stays, and so do an earlier doubt and the first `why`. Raises NotFound.
        """

    @abstractmethod
    async def retire(self, thumbprint: str, at: dt.datetime | None) -> None:
        """Take nothing more that a certificate signs from then on; None: it counts again. Raises NotFound."""

    @abstractmethod
    async def listen(self, changed: Changed) -> None:
        """Await `changed(codes)` after each change, until cancelled.

        `changed(None)` says that changes may have been missed and all has to be read again: at the beginning, after
        every lost connection, and after a change too big to name. An Unavailable raised by `changed` counts as such
        a gap.
        """


class BlobStore(ABC):
    """Which blobs arrived and who may use them; their bytes are elsewhere."""

    @abstractmethod
    async def record_upload(self, sha256: str, size: int, account: str) -> None:
        """Remember that the account uploaded the blob of `size` bytes."""

    @abstractmethod
    async def known(self, account: str, digests: Collection[str]) -> dict[str, int]:
        """Return digest -> size in bytes of those the account uploaded or may read."""

    @abstractmethod
    async def may_read(self, account: str, sha256: str) -> bool:
        """Say whether the account uploaded it, or sent or receives an envelope that names it."""

    @abstractmethod
    async def unwanted(self, older_than: dt.timedelta, limit: int) -> list[str]:
        """Name at most `limit` blobs with uploads that do not count any more for so long, the longest first."""

    @abstractmethod
    async def forget(self, sha256: str, remove: Callable[[str], Awaitable[None]]) -> bool:
        """Forget the uploads of a blob that do not count; when nothing else needs it, await `remove` and forget it.

        Says whether it was removed. It is all forgotten or nothing: `remove` may come again for the same blob. What was
        uploaded again since counts, and so does an envelope that names it.
        """


class SuspectStore(ABC):
    """Messages that a worker has in hand, by a key of its own; what stays noted is what it had when it ended."""

    @abstractmethod
    async def times(self, keys: Collection[bytes]) -> dict[bytes, int]:
        """Return how often messages were noted; those that are not are left out."""

    @abstractmethod
    async def note(self, keys: Collection[bytes]) -> None:
        """Count messages once more, before they are tried. A note may be lost with the server."""

    @abstractmethod
    async def clear(self, keys: Collection[bytes]) -> None:
        """Forget messages: they were tried, and the worker is still there."""


class QuotaStore(ABC):
    """How much accounts have taken of their limits, counted by all processes together (axis.core.quotas)."""

    @abstractmethod
    async def add(self, takings: Sequence[Taking]) -> dict[tuple[str, str], float]:
        """Add to levels, each of them named once; return (account, meter) -> level now. May be lost with the server."""


class Transaction(ABC):
    """Writes that are committed together. Call them in the order they stand here: it is the order of their locks."""

    @abstractmethod
    async def accept(self, accepted: Sequence[Accepted]) -> dict[str, Existing]:
        """Store envelopes with distinct ids, each with all it brings; return what was there before, by id.

        Of those nothing is stored. Another transaction about the same id is waited for, so exactly one of them stores
        it and the others are told what it stored.
        """

    @abstractmethod
    async def existing(self, ids: Collection[str]) -> dict[str, Existing]:
        """Return what is stored under these ids."""

    @abstractmethod
    async def concerned(self, envelope_id: str) -> Concerned | None:
        """Lock a document with its deliveries until the transaction ends; return what is known of it."""

    @abstractmethod
    async def begin(self, conversations: Sequence[Conversation]) -> None:
        """Begin conversations; one that was begun before is left as it is."""

    @abstractmethod
    async def withdraw(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Withdraw deliveries that are held and were never claimed; others are left as they are."""

    @abstractmethod
    async def wait(self, waiting: Waiting, most: int) -> Waiting | None:
        """Keep an envelope until what it acts on is there; return what is kept under its id, if it was before.

        None: nothing is, and it is not kept either, since `most` of its account wait already (about: two transactions
        side by side do not see each other's).
        """

    @abstractmethod
    async def waited(self, envelope_id: str, sha256: str) -> bool:
        """Forget an envelope that waits, by the SHA-256 of its body: it is decided; False when it does not wait.

        Another transaction that forgets the same is waited for, so exactly one of them is told True.
        """

    @abstractmethod
    async def deliveries_of(
        self, envelope_ids: Collection[str], about: Collection[str] | None = None
    ) -> dict[str, EnvelopeFacts]:
        """Lock the deliveries of envelopes until the transaction ends; return what is known of them.

        `about`: only the deliveries whose recipient, as addressed or resolved, is one of these codes. A status among
        5,000 recipients concerns one, and should not read and lock the others.
        """

    @abstractmethod
    async def known_statuses(self, ids: Collection[str]) -> dict[str, str]:
        """Return id -> SHA-256 of the body of the statuses recorded before."""

    @abstractmethod
    async def statuses(self, statuses: Sequence[StatusRow], advances: Advances) -> dict[str, str]:
        """Record statuses with distinct ids and advance deliveries; return those there before, with their SHA-256.

        Of those nothing is recorded, but `advances` is carried out whole: a caller told of any rolls back.
        """

    @abstractmethod
    async def conversations(self, keys: Collection[tuple[str, str]]) -> Talks:
        """Return conversations by request (of a take-back: the document itself) and recipient as addressed there."""

    @abstractmethod
    async def move(self, conversations: Sequence[Conversation]) -> None:
        """Write how conversations stand now, new ones too. Their deliveries are to be locked (`deliveries_of`)."""

    @abstractmethod
    async def notices(self, notices: Sequence[NoticeRow]) -> None:
        """Store notices to be published; an id and kind stored before is left as it is."""

    @abstractmethod
    async def quarantine(self, rows: Sequence[QuarantineRow]) -> None:
        """Keep what cannot be attributed. The same bytes of one account for one reason are kept once and counted.

        What a row names as unwanted of its account's uploads counts no longer, from the commit on.

        Everything in it may be hostile: what PostgreSQL cannot hold as text is replaced, and what is longer than the
        limits of `axis.store.hostile` is cut.
        """


class Store(ABC):
    """Everything the axis remembers."""

    directory: DirectoryStore
    blobs: BlobStore
    suspects: SuspectStore
    quotas: QuotaStore
    comparing: ComparingStore
    proofs: ProofStore
    log: LogStore
    partners: PartnerStore
    papers: PaperStore
    register: RegisterStore
    workdays: WorkdayStore
    quarantines: QuarantineStore
    webhooks: WebhookStore
    seen: SeenStore
    backlog: BacklogStore
    operators: OperatorStore
    watches: WatchStore
    replays: ReplayStore

    @staticmethod
    def connect(dsn: str, *, name: str = "axis", connections: int = 8) -> AbstractAsyncContextManager["Store"]:
        """Open the PostgreSQL store for as long as the block lasts.

        `name` is what the server shows, `connections` how many it may use besides one for listening. Raises Unavailable
        when there is no database, Misconfigured when it refuses us or lacks a migration.
        """
        from axis.store.postgres import connect  # noqa: PLC0415 - the seam is imported by what implements it

        return connect(dsn, name=name, connections=connections)

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction that commits at the end of the block, or rolls back when an exception leaves it."""

    @abstractmethod
    async def mark_published(self, envelope_ids: Collection[str], notice_ids: Collection[str]) -> None:
        """Mark what the broker has confirmed; what is marked already, or unknown, is left alone."""

    @abstractmethod
    async def unpublished(self, older_than: dt.timedelta, limit: int) -> tuple[WithDeliveries, list[NoticeRow]]:
        """Hand out what was accepted, or handed out last, at least `older_than` ago and is not marked.

        At most `limit` envelopes and as many notices, the longest waiting first. Handing out restarts the wait, and
        doubles it up to 32 times, so two relays do not publish the same, and what cannot be published does not keep
        the others back. A notice about an envelope comes with it or when it is marked, never before.
        """

    @abstractmethod
    async def held_queues(self) -> set[str]:
        """Name the queues that deliveries are held for."""

    @abstractmethod
    async def behind(self, queues: Collection[str]) -> frozenset[str]:
        """Return those of the queues that deliveries are held for."""

    @abstractmethod
    async def held(self, queue: str, limit: int) -> WithDeliveries:
        """Return envelopes with their deliveries held for a queue, those first that were held or stored first.

        At most `limit` deliveries, but of each envelope all.
        """

    @abstractmethod
    async def hold(self, holds: Sequence[Hold]) -> None:
        """Hold routed deliveries, from now on in this order behind what is held already."""

    @abstractmethod
    async def claim(self, queue: str, envelope_ids: Collection[str]) -> set[tuple[str, str]]:
        """Say that deliveries held for a queue are published now; return those it is so for: (envelope, recipient).

        From then on they are not withdrawn any more. What was withdrawn since it was looked at is not among them.
        """

    @abstractmethod
    async def waiting(self, queue: str, at: dt.datetime, limit: int) -> list[Waiting]:
        """Return envelopes from a queue that waited for the one they act on: it is there now, or their time is over.

        Those first for which it is there.
        """

    @abstractmethod
    async def waiting_for(self, ids: Collection[str]) -> tuple[TrackedWaiting, ...]:
        """Tell of envelopes that wait for the one they act on, by its id or theirs: the first 100, as they came."""

    @abstractmethod
    async def release(self, queue: str, envelope_ids: Collection[str]) -> None:
        """Say that the deliveries of envelopes that were held for a queue have been published and confirmed."""

    @abstractmethod
    async def track(self, term: str) -> tuple[Tracked, ...]:
        """Tell everything about an envelope (by id) or a document (by its `document_id`: the latest 50 envelopes)."""

    @abstractmethod
    async def sent(self, sender: str, limit: int, before: str | None = None) -> tuple[TrackedEnvelope, ...]:
        """List the envelopes of a sender, the newest first; `before`: the id to go on from."""

    @abstractmethod
    async def quarantined(
        self,
        limit: int = 100,
        *,
        reason: str | None = None,
        before: dt.datetime | None = None,
        behind: str | None = None,
    ) -> tuple[Quarantined, ...]:
        """List what is in quarantine, last seen first; `before`: the `last_seen_at` to go on from.

        A worker sets aside a whole batch at one moment: `behind`, the id of the last one, goes on among those.
        What was taken out by hand is not, unless it came again.
        """

    @abstractmethod
    async def quarantined_one(self, identifier: str) -> Quarantined | None:
        """Return one message in quarantine, or None."""

    @abstractmethod
    async def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        """Remember who did what by hand, for ever; `detail` holds JSON values."""

    @abstractmethod
    async def ensure_partitions(self, now: dt.datetime) -> list[str]:
        """Make the partitions that ids of the coming months need; return the names of those made."""
