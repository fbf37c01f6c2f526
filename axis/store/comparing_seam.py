"""What the audit asks of the store; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Collection, Sequence

from axis.core.audit import Mark, Marked, ToldMark
from axis.core.records import DeliveryRow, EnvelopeRow, NoticeRow

WithDeliveries = list[tuple[EnvelopeRow, list[DeliveryRow]]]


class ComparingStore(ABC):
    """What the audit asks, to compare the store with the broker.

    Long lists come in pages: one statement looks at `page` rows, whatever it finds among them. `made_since`: rows whose
    id was made before are not looked at.
    """

    @abstractmethod
    async def now(self) -> dt.datetime:
        """Return the time by the clock that marks are made with."""

    @abstractmethod
    async def newest(self) -> dt.datetime | None:
        """Return when the newest envelope or status was recorded; None when there is none."""

    @abstractmethod
    async def known_envelopes(self, ids: Collection[str]) -> dict[str, str]:
        """Return id -> SHA-256 of the body of those that are stored."""

    @abstractmethod
    async def known_notices(self, ids: Collection[str]) -> set[tuple[str, str]]:
        """Return (id, kind) of the notices with these ids that are stored."""

    @abstractmethod
    def unanswered(
        self, since: dt.datetime, until: dt.datetime, *, made_since: dt.datetime, page: int = 1000
    ) -> AsyncGenerator[list[Marked], None]:
        """Yield the copies marked as delivered from `since` to before `until` that no status is about, by id.

        A copy is what one mailbox got of one envelope, for one recipient or several. One that is held for an existing
        document system (`Store.partners`) was taken, and is not among them.
        """

    @abstractmethod
    def told(
        self, since: dt.datetime, until: dt.datetime, *, made_since: dt.datetime, page: int = 1000
    ) -> AsyncGenerator[list[ToldMark], None]:
        """Yield the notices marked as published from `since` to before `until`, by id and kind."""

    @abstractmethod
    async def envelopes(self, ids: Collection[str]) -> WithDeliveries:
        """Return those that are stored, with all their deliveries, by id."""

    @abstractmethod
    async def notices(self, keys: Collection[tuple[str, str]]) -> list[NoticeRow]:
        """Return the notices with these ids and kinds that are stored, by id and kind."""

    @abstractmethod
    async def put_again(self, copies: Sequence[Mark], notices: Sequence[Mark]) -> None:
        """Note that copies (envelope id, mailbox) and notices (id, kind) were published again now and confirmed."""
