"""The directory as a worker sees it: kept in memory, refreshed within a second of a change."""

import datetime as dt
import time
from collections.abc import Iterable

from axis.broker import Publisher
from axis.core.directory import Directory
from axis.core.lanes import LANES, mailbox_queue, notices_queue
from axis.store import Store
from axis.trust import Keyring
from schemas import Quota
from workers.runtime import Log

_SEEN_SECONDS = 60.0  # how long a look at a mailbox's queues is believed
_FULL_SECONDS = 1.0  # the same where a queue was full
_LOOK_AT_ONCE = 200  # mailboxes, three queues each, within one deadline


class View:
    """Directory, certificates, and which mailboxes have their queues.

    `limit`: with so many messages waiting in a queue it is full, and nothing more is put into it. `default`: the limits
    of accounts that have none of their own. `hybrid_required`: these codes and all below sign with a second key too.
    """

    def __init__(
        self,
        store: Store,
        log: Log,
        limit: int,
        default: Quota | None = None,
        *,
        hybrid_required: frozenset[str] = frozenset(),
    ) -> None:
        self.limit = limit
        self.hybrid_required = hybrid_required
        self._default = default or Quota()
        self._quotas: dict[Quota, Quota] = {}  # its own -> what holds: few, however many accounts there are
        self.directory = Directory.build((), ())
        self.keyring = Keyring(())
        self._store = store
        self._log = log
        self._seen: dict[str, float] = {}  # mailbox -> when all its queues were there
        self._depths: dict[str, int] = {}

    async def load(self) -> None:
        """Read the whole directory."""
        organisations, mailboxes, certificates = await self._store.directory.load()
        self.directory = Directory.build(organisations, mailboxes)
        self.keyring = Keyring(certificates)
        self._log.info(
            "directory", organisations=len(organisations), mailboxes=len(mailboxes), certificates=len(certificates)
        )

    async def watch(self) -> None:
        """Follow changes until cancelled; a gap in listening ends with a full load."""
        await self._store.directory.listen(self._changed)

    async def _changed(self, codes: set[str] | None) -> None:
        if codes is None:
            await self.load()
            self._log.info("directory read")
            return
        organisations, mailboxes, certificates = await self._store.directory.load_changed(codes)
        self.directory = self.directory.updated(organisations, mailboxes)
        self.keyring = self.keyring.updated(certificates)
        self._seen = {mailbox: when for mailbox, when in self._seen.items() if mailbox not in codes}
        self._log.info("directory changed", codes=sorted(codes)[:10], count=len(codes))

    async def look(self, publisher: Publisher, mailboxes: Iterable[str]) -> dict[str, int]:
        """Return how many messages wait in each queue of the mailboxes that have all their queues.

        Only what was not seen lately is looked at. The answer is the caller's to keep while it decides: another lane
        may `forget` meanwhile. A long list is looked at piece by piece, each with a deadline of its own, so that a
        second try goes on where the first one ended.
        """
        wanted = dict.fromkeys(mailboxes)
        found = {queue: depth for mailbox in wanted for queue, depth in self._seen_lately(mailbox)}
        unseen = [mailbox for mailbox in wanted if notices_queue(mailbox) not in found]
        for start in range(0, len(unseen), _LOOK_AT_ONCE):
            some = unseen[start : start + _LOOK_AT_ONCE]
            now = time.monotonic()
            states = await publisher.queue_states([name for mailbox in some for name in queues_of(mailbox)])
            for mailbox in some:
                depths = {queue: state.messages for queue in queues_of(mailbox) if (state := states[queue]) is not None}
                self._seen.pop(mailbox, None)
                if len(depths) == len(queues_of(mailbox)):
                    self._seen[mailbox] = now
                    self._depths.update(depths)
                    found.update(depths)
        return found

    def published(self, queue: str) -> None:
        """Count a message into a queue, so that it is looked at again when it may be full."""
        if queue in self._depths:
            self._depths[queue] += 1

    def _seen_lately(self, mailbox: str) -> list[tuple[str, int]]:
        when = self._seen.get(mailbox)
        if when is None:
            return []
        depths = [(queue, self._depths[queue]) for queue in queues_of(mailbox)]
        full = any(depth >= self.limit for _, depth in depths)
        return depths if time.monotonic() - when < (_FULL_SECONDS if full else _SEEN_SECONDS) else []

    def quota_of(self, account: str, at: dt.datetime) -> Quota:
        """Return what limits hold for an account."""
        mailbox = self.directory.mailbox(account, at)
        own = Quota() if mailbox is None else mailbox.quota
        if (held := self._quotas.get(own)) is None:
            held = self._quotas[own] = own.or_else(self._default)
        return held

    def has_mailbox(self, account: str, at: dt.datetime) -> bool:
        """Say whether the account has a mailbox, by the newest directory."""
        return self.directory.has_mailbox(account, at)

    def forget(self) -> None:
        """Look at every mailbox anew before relying on it: a publish was returned or lost."""
        self._seen.clear()


def queues_of(mailbox: str) -> tuple[str, ...]:
    """Name the queues a mailbox consists of."""
    return (*(mailbox_queue(lane, mailbox) for lane in LANES), notices_queue(mailbox))


def utc_now() -> dt.datetime:
    """Read the axis's clock."""
    return dt.datetime.now(dt.UTC)
