"""What a transaction does for envelopes that act on others, and for what is said about them."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from axis.core.concerning import Concerned, SentDelivery, Waiting
from axis.core.conversation import Conversation, Kind, Talk
from axis.core.records import DeliveryState, Withdrawal
from axis.core.tracking import Talks
from axis.store import hostile
from axis.store import rows as convert
from axis.store.queries import load
from axis.store.reaching import reaching
from axis.store.seam import Transaction

_SQL = load("acting")


class ActingTransaction(Transaction):
    """Of `PostgresTransaction`: the statements that ordinary documents do not need."""

    _link: Any

    async def concerned(self, envelope_id: str) -> Concerned | None:
        """Lock a document with its deliveries and return what is known of it."""
        with reaching("lock a document"):
            found = await self._link.fetchrow(_SQL["concerned"], envelope_id)
            if found is None:
                return None
            deliveries = await self._link.fetch(_SQL["concerned_deliveries"], envelope_id)
            talks = await self._link.fetch(_SQL["conversations_about"], [envelope_id])
        return Concerned(
            found["sender"], found["account"], list(map(_sent, deliveries)), list(map(conversation, talks))
        )

    async def begin(self, conversations: Sequence[Conversation]) -> None:
        """Begin conversations."""
        await self._write(_SQL["begin"], conversations)

    async def withdraw(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Withdraw held deliveries."""
        if withdrawals:
            gone = sorted((each.envelope_id, each.recipient, each.detail) for each in withdrawals)
            with reaching("withdraw deliveries"):
                await self._link.execute(_SQL["withdraw"], *convert.columns(gone, 3))

    async def wait(self, waiting: Waiting, most: int) -> Waiting | None:
        """Keep an envelope until what it acts on is there."""
        row = (
            waiting.id,
            waiting.concerns,
            waiting.received_at,
            waiting.until,
            waiting.queue,
            waiting.account,
            waiting.routing_key,
            waiting.content_type,
            hostile.headers_as_json(waiting.headers),
            bytes.fromhex(waiting.sha256),
            waiting.body,
            most,
        )
        with reaching("keep what waits"):
            await self._link.execute(_SQL["wait"], *row)
            found = await self._link.fetchrow(_SQL["waiting_one"], waiting.id)
        return None if found is None else waiting_row(found)

    async def waited(self, envelope_id: str, sha256: str) -> bool:
        """Forget an envelope that waits."""
        with reaching("forget what waits"):
            return await self._link.fetchrow(_SQL["waited"], envelope_id, bytes.fromhex(sha256)) is not None

    async def conversations(self, keys: Collection[tuple[str, str]]) -> Talks:
        """Return conversations by request and recipient."""
        if not keys:
            return {}
        with reaching("look up conversations"):
            found = await self._link.fetch(_SQL["conversations_of"], *convert.columns(sorted(keys), 2))
        return {(each := conversation(record)).key: each for record in found}

    async def move(self, conversations: Sequence[Conversation]) -> None:
        """Write how conversations stand now."""
        await self._write(_SQL["move"], conversations)

    async def _write(self, query: str, conversations: Sequence[Conversation]) -> None:
        if conversations:
            ordered = sorted(conversations, key=lambda each: each.key)
            with reaching("write conversations"):
                await self._link.execute(query, *convert.columns(map(_conversation_row, ordered), 13))


def conversation(record: Any) -> Conversation:
    """Read a conversation."""
    return Conversation(
        **{
            **record,
            "request": str(record["request"]),
            "about": str(record["about"]),
            "kind": Kind(record["kind"]),
            "state": Talk(record["state"]),
        }
    )


def waiting_row(record: Any) -> Waiting:
    """Read an envelope that waits."""
    return Waiting(
        **{
            **record,
            "id": str(record["id"]),
            "concerns": str(record["concerns"]),
            "headers": json.loads(record["headers"]),
            "sha256": record["sha256"].hex(),
        }
    )


def _sent(record: Any) -> SentDelivery:
    return SentDelivery(**{**record, "state": DeliveryState(record["state"])})


def _conversation_row(each: Conversation) -> tuple[Any, ...]:
    return (
        each.request,
        each.about,
        each.recipient,
        each.original,
        each.kind.value,
        each.state.value,
        each.requested_at,
        each.requested_by,
        each.reason,
        each.answered_at,
        each.answered_by,
        each.answer,
        each.destroyed_at,
    )
