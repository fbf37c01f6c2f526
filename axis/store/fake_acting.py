"""What a transaction of the fake store does for envelopes that act on others."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from axis.core.concerning import Concerned, SentDelivery, Waiting
from axis.core.conversation import Conversation
from axis.core.records import DeliveryState, Withdrawal
from axis.core.tracking import Talks
from axis.store.fake_memory import Memory, StoredDelivery, queue_of
from axis.store.seam import Transaction


class FakeActing(Transaction):
    """Of `FakeTransaction`."""

    _memory: Memory
    _check: Callable[[], None]

    async def concerned(self, envelope_id: str) -> Concerned | None:
        """Return what is known of a document."""
        self._check()
        envelope = self._memory.envelopes.get(envelope_id)
        if envelope is None:
            return None
        talks = (each for each in self._memory.conversations.values() if envelope_id in {each.about, each.request})
        return Concerned(
            envelope.row.sender,
            envelope.row.account,
            [
                SentDelivery(
                    each.row.recipient,
                    each.row.resolved,
                    each.row.mailbox,
                    each.row.state,
                    queue_of(envelope.row.lane, each.row) if each.row.state is DeliveryState.HELD else None,
                    each.tried,
                )
                for each in sorted(self._memory.deliveries[envelope_id], key=lambda each: each.row.recipient)
            ],
            sorted(talks, key=lambda each: (each.requested_at, *each.key)),
        )

    async def begin(self, conversations: Sequence[Conversation]) -> None:
        """Begin conversations."""
        self._check()
        for each in conversations:
            self._memory.conversations.setdefault(each.key, each)

    async def withdraw(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Withdraw held deliveries."""
        self._check()
        for each in withdrawals:
            self._memory.change(each.envelope_id, lambda stored, each=each: _withdrawn(stored, each))  # type: ignore[misc]

    async def wait(self, waiting: Waiting, most: int) -> Waiting | None:
        """Keep an envelope until what it acts on is there."""
        self._check()
        kept = self._memory.waiting
        if sum(each.account == waiting.account for each in kept.values()) < most:
            kept.setdefault(waiting.id, waiting)
        return kept.get(waiting.id)

    async def waited(self, envelope_id: str, sha256: str) -> bool:
        """Forget an envelope that waits."""
        self._check()
        kept = self._memory.waiting.get(envelope_id)
        if kept is None or kept.sha256 != sha256:
            return False
        del self._memory.waiting[envelope_id]
        return True

    async def conversations(self, keys: Collection[tuple[str, str]]) -> Talks:
        """Return conversations by request and recipient."""
        self._check()
        return {key: each for key, each in self._memory.conversations.items() if key in keys}

    async def move(self, conversations: Sequence[Conversation]) -> None:
        """Write how conversations stand now."""
        self._check()
        self._memory.conversations.update({each.key: each for each in conversations})


def _withdrawn(stored: StoredDelivery, gone: Withdrawal) -> StoredDelivery:
    if stored.row.recipient != gone.recipient or stored.row.state is not DeliveryState.HELD or stored.tried:
        return stored
    row = replace(
        stored.row, state=DeliveryState.WITHDRAWN, reason="concerns/withdrawn", detail=gone.detail, held_for=None
    )
    return replace(stored, row=row)
