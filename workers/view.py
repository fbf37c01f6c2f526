"""The directory as a worker sees it: kept in memory, refreshed within a second of a change."""

import datetime as dt
import math
import time
from collections.abc import Iterable

from axis.broker import Publisher
from axis.core.directory import Directory
from axis.core.lanes import LANES, mailbox_queue, notices_queue
from axis.store import Store
from axis.trust import Keyring
from workers.runtime import Log

_SEEN_SECONDS = 60.0  # how long a look at a mailbox's queues is believed
_LOOK_AT_ONCE = 200  # mailboxes, three queues each, within one deadline


class View:
    """Directory, certificates, and which mailboxes have their queues."""

    def __init__(self, store: Store, log: Log) -> None:
        self.directory = Directory.build((), ())
        self.keyring = Keyring(())
        self._store = store
        self._log = log
        self._seen: dict[str, float] = {}

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
            return
        organisations, mailboxes, certificates = await self._store.directory.load_changed(codes)
        self.directory = self.directory.updated(organisations, mailboxes)
        self.keyring = self.keyring.updated(certificates)
        self._seen = {mailbox: when for mailbox, when in self._seen.items() if mailbox not in codes}
        self._log.info("directory changed", codes=sorted(codes)[:10], count=len(codes))

    async def look(self, publisher: Publisher, mailboxes: Iterable[str]) -> frozenset[str]:
        """Return those of the mailboxes whose queues are there; only those not seen lately are looked at.

        The answer is the caller's to keep while it decides: another lane may `forget` meanwhile. A long list is looked
        at piece by piece, each with a deadline of its own, so that a second try goes on where the first one ended.
        """
        wanted = set(mailboxes)
        ready = {mailbox for mailbox in wanted if self._seen_lately(mailbox)}
        unseen = sorted(wanted - ready)
        for start in range(0, len(unseen), _LOOK_AT_ONCE):
            some = unseen[start : start + _LOOK_AT_ONCE]
            now = time.monotonic()
            missing = await publisher.queues_missing([name for mailbox in some for name in queues_of(mailbox)])
            for mailbox in some:
                self._seen.pop(mailbox, None)
                if missing.isdisjoint(queues_of(mailbox)):
                    self._seen[mailbox] = now
                    ready.add(mailbox)
        return frozenset(ready)

    def _seen_lately(self, mailbox: str) -> bool:
        return time.monotonic() - self._seen.get(mailbox, -math.inf) < _SEEN_SECONDS

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
