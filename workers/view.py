"""The directory as a worker sees it: kept in memory, refreshed within a second of a change."""

import datetime as dt
import time
from collections.abc import Iterable

from axis.broker import Publisher
from axis.core.directory import Directory
from axis.core.lanes import LANES, mailbox_queue, notices_queue
from axis.store import Store
from axis.trust import Keyring
from workers.runtime import Log

_SEEN_SECONDS = 60.0  # how long a look at a mailbox's queues is believed


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

    async def look(self, publisher: Publisher, mailboxes: Iterable[str]) -> None:
        """Look at the queues of the mailboxes not seen lately."""
        now = time.monotonic()
        unseen = {mailbox for mailbox in mailboxes if now - self._seen.get(mailbox, -_SEEN_SECONDS) >= _SEEN_SECONDS}
        if not unseen:
            return
        missing = await publisher.queues_missing([name for mailbox in unseen for name in queues_of(mailbox)])
        for mailbox in unseen:
            self._seen.pop(mailbox, None)
            if missing.isdisjoint(queues_of(mailbox)):
                self._seen[mailbox] = now

    def ready(self, mailbox: str) -> bool:
        """Say whether the mailbox's queues were there when last looked at."""
        return mailbox in self._seen

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
