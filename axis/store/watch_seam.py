"""What the store promises about the auditor's looks and findings; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from axis.core.watching import Copies, Finding, HeldQueue, MailboxWatch, Unmarked


class WatchStore(ABC):
    """Queues as last seen, what was found, and what the auditor asks of everything else."""

    @abstractmethod
    async def watches(self, mailboxes: Collection[str] | None = None) -> tuple[MailboxWatch, ...]:
        """Return the queues as last seen, by name; of these mailboxes, or all, the axis's own queues among them."""

    @abstractmethod
    async def seen(self, changed: Sequence[MailboxWatch], gone: Collection[str], at: dt.datetime) -> None:
        """Note a look at all queues: those that changed and those that are gone; the others stand as they stood."""

    @abstractmethod
    async def mailboxes(self, at: dt.datetime) -> list[str]:
        """Return the codes of the mailboxes in force."""

    @abstractmethod
    async def held(self, before: dt.datetime) -> list[HeldQueue]:
        """Return the queues that something has been held for since before a time, by name."""

    @abstractmethod
    async def unmarked(self, before: dt.datetime) -> Unmarked:
        """Count what was accepted before a time and is not confirmed by the broker, notices after a second try only."""

    @abstractmethod
    async def hasten(self, before: dt.datetime, limit: int) -> int:
        """Let the relay take up at once what `unmarked` counts, at most `limit` envelopes and as many notices.

        Returns how many there were; whatever the relay has in hand is left to it.
        """

    @abstractmethod
    async def copies(
        self, after: str | None, until: dt.datetime, old: dt.datetime, page: int = 1000
    ) -> tuple[str | None, Mapping[str, Copies]]:
        """Count by queue what is unanswered (`ComparingStore.unanswered`) of the next `page` envelopes behind an id.

        Those marked before `until` count, as `old` those before that time. Returns the last id too; None: no more.
        """

    @abstractmethod
    async def report(self, found: Sequence[Finding], at: dt.datetime) -> tuple[list[Finding], list[Finding]]:
        """Note all that is wrong now; return what is new, and what is not found any more: it healed by itself.

        A finding is told apart by cause and subject for as long as it is open.
        """

    @abstractmethod
    async def heal(self, findings: Sequence[Finding], at: dt.datetime) -> None:
        """Note that the auditor healed what these open findings are of."""

    @abstractmethod
    async def findings(self, *, open: bool = True, limit: int = 100) -> tuple[Finding, ...]:  # noqa: A002 - a plain word
        """List findings, the open ones or those healed, the last first."""
