"""Webhooks in PostgreSQL."""

import datetime as dt
from collections.abc import Collection
from typing import Any

import orjson

from axis.core.webhooks import Call, CallState, Event, Webhook
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.webhook_seam import Calls, WebhookStore

_SQL = load("webhooks")


class PostgresWebhooks(WebhookStore):
    """The tables webhook and webhook_call."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, webhook: Webhook, most: int) -> Webhook | None:
        """Add a webhook, or change its events."""
        async with self._pool.link("write a webhook") as link, link.transaction():
            await link.execute(_SQL["one_at_a_time"], webhook.account)
            record = await link.fetchrow(
                _SQL["put"],
                webhook.id,
                webhook.account,
                webhook.url,
                list(webhook.events),
                webhook.cursor,
                webhook.added_at,
                webhook.added_by,
                most,
            )
        return None if record is None else _webhook(record)

    async def webhooks(self, account: str | None = None) -> list[Webhook]:
        """List webhooks."""
        async with self._pool.link("list webhooks") as link:
            return [_webhook(record) for record in await link.fetch(_SQL["webhooks"], account)]

    async def remove(self, identifier: str) -> bool:
        """Forget a webhook."""
        async with self._pool.link("remove a webhook") as link:
            return await link.fetchval(_SQL["remove"], identifier) is not None

    async def calls(self, identifiers: Collection[str], limit: int = 5) -> dict[str, Calls]:
        """Return what is not done."""
        found = {}
        async with self._pool.link("list calls") as link:
            for record in await link.fetch(_SQL["counts"], list(identifiers)):
                latest = await link.fetch(_SQL["latest"], record["webhook"], limit)
                calls = tuple(map(_call, latest))
                found[str(record["webhook"])] = Calls(record["waiting"], record["dead"], calls)
        return found

    async def count(self) -> dict[CallState, int]:
        """Count what is not done."""
        async with self._pool.link("count calls") as link:
            found = {record["state"]: record["count"] for record in await link.fetch(_SQL["count"])}
        return {state: found.get(state.value, 0) for state in CallState}

    async def requeue(self, identifier: str, at: dt.datetime) -> int:
        """Have calls made again."""
        async with self._pool.link("have calls made again") as link:
            return len(await link.fetch(_SQL["requeue"], identifier, at))

    async def claim(self, at: dt.datetime, until: dt.datetime, limit: int, *, again: bool) -> list[Webhook]:
        """Take webhooks for which there is something to do."""
        async with self._pool.link("claim webhooks") as link:
            return [_webhook(record) for record in await link.fetch(_SQL["claim"], at, until, limit, again)]

    async def give_back(self, identifier: str, at: dt.datetime) -> None:
        """Let others take a webhook."""
        async with self._pool.link("give a webhook back") as link:
            await link.execute(_SQL["give_back"], identifier, at)

    async def next_call(self, identifier: str) -> Call | None:
        """Return the call that waits."""
        async with self._pool.link("find a call") as link:
            record = await link.fetchrow(_SQL["next_call"], identifier)
        return None if record is None else _call(record)

    async def advance(self, identifier: str, cursor: int, call: Call | None) -> None:
        """Move the cursor, and keep a call."""
        async with self._pool.link("keep a call") as link, link.transaction():
            # Nothing for one that was removed meanwhile; and a cursor never goes back.
            moved = await link.fetchval(_SQL["advance"], identifier, cursor)
            if call is not None and moved is not None:
                events = orjson.dumps([event.as_json() for event in call.events]).decode()
                await link.execute(_SQL["keep_call"], call.id, identifier, call.since, call.due_at, call.missed, events)

    async def settle(self, call: Call, *, done: bool) -> None:
        """Note how an attempt ended."""
        async with self._pool.link("note a call") as link:
            if done:
                await link.execute(_SQL["forget"], call.id)
            else:
                await link.execute(
                    _SQL["settle"], call.id, call.due_at, call.tried_at, call.attempts, call.state.value, call.told
                )

    async def prune(self, before: dt.datetime) -> int:
        """Forget calls that were put aside."""
        async with self._pool.link("forget calls") as link:
            return len(await link.fetch(_SQL["prune"], before))


def _webhook(record: Any) -> Webhook:
    return Webhook(
        id=str(record["id"]),
        account=record["account"],
        url=record["url"],
        events=tuple(record["events"]),
        cursor=record["cursor"],
        added_at=record["added_at"],
        added_by=record["added_by"],
    )


def _call(record: Any) -> Call:
    return Call(
        id=str(record["id"]),
        webhook=str(record["webhook"]),
        events=tuple(map(Event.from_json, orjson.loads(record["events"]))),
        missed=record["missed"],
        since=record["since"],
        due_at=record["due_at"],
        attempts=record["attempts"],
        state=CallState(record["state"]),
        told=record["told"],
        tried_at=record["tried_at"],
    )
