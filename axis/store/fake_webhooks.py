"""Webhooks in memory."""

import datetime as dt
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from axis.core.webhooks import Call, CallState, Webhook
from axis.store.fake_memory import Memory
from axis.store.webhook_seam import Calls, WebhookStore

HasNews = Callable[[str, int], Awaitable[bool]]  # an account, and the number behind which it would be news


class FakeWebhooks(WebhookStore):
    """The tables as dictionaries."""

    def __init__(self, alone: Callable[[], AbstractAsyncContextManager[Memory]], has_news: HasNews) -> None:
        self._alone = alone
        self._has_news = has_news
        self._webhooks: dict[str, Webhook] = {}
        self._claimed: dict[str, dt.datetime] = {}
        self._calls: dict[str, Call] = {}

    async def put(self, webhook: Webhook, most: int) -> Webhook | None:
        """Add a webhook, or change its events."""
        async with self._alone():
            own = [each for each in self._webhooks.values() if each.account == webhook.account]
            known = next((each for each in own if each.url == webhook.url), None)
            if len([each for each in own if each.url != webhook.url]) >= most:
                return None
            kept = webhook if known is None else replace(known, events=webhook.events)
            self._webhooks[kept.id] = kept
            return kept

    async def webhooks(self, account: str | None = None) -> list[Webhook]:
        """List webhooks."""
        async with self._alone():
            found = [each for each in self._webhooks.values() if account in {None, each.account}]
            return sorted(found, key=lambda each: (each.account, each.added_at, each.id))

    async def remove(self, identifier: str) -> bool:
        """Forget a webhook."""
        async with self._alone():
            self._calls = {key: call for key, call in self._calls.items() if call.webhook != identifier}
            return self._webhooks.pop(identifier, None) is not None

    async def calls(self, identifiers: Collection[str], limit: int = 5) -> dict[str, Calls]:
        """Return what is not done."""
        async with self._alone():
            found = {}
            for identifier in identifiers:
                own = self._of(identifier)
                dead = sum(call.state is CallState.DEAD for call in own)
                if own:
                    found[identifier] = Calls(len(own) - dead, dead, tuple(reversed(own))[:limit])
            return found

    async def count(self) -> dict[CallState, int]:
        """Count what is not done."""
        async with self._alone():
            return {state: sum(call.state is state for call in self._calls.values()) for state in CallState}

    async def requeue(self, identifier: str, at: dt.datetime) -> int:
        """Have calls made again."""
        async with self._alone():
            own = self._of(identifier)
            for call in own:
                dead = call.state is CallState.DEAD
                since, attempts = (at, 0) if dead else (call.since, call.attempts)
                self._calls[call.id] = replace(call, state=CallState.WAITING, due_at=at, since=since, attempts=attempts)
            return len(own)

    async def claim(self, at: dt.datetime, until: dt.datetime, limit: int, *, again: bool) -> list[Webhook]:
        """Take webhooks for which there is something to do."""
        free = [each for each in await self.webhooks() if self._claimed.get(each.id, at) <= at]
        ready = []
        for each in sorted(free, key=lambda each: self._claimed.get(each.id, dt.datetime.min.replace(tzinfo=dt.UTC))):
            waiting = [call for call in self._of(each.id) if call.state is CallState.WAITING]
            if any(call.due_at <= at and (call.attempts > 0) is again for call in waiting) or (
                not (again or waiting) and await self._has_news(each.account, each.cursor)
            ):
                ready.append(each)
        for each in ready[:limit]:
            self._claimed[each.id] = until
        return ready[:limit]

    async def give_back(self, identifier: str, at: dt.datetime) -> None:
        """Let others take a webhook."""
        async with self._alone():
            self._claimed[identifier] = at

    async def next_call(self, identifier: str) -> Call | None:
        """Return the call that waits."""
        async with self._alone():
            return next((call for call in self._of(identifier) if call.state is CallState.WAITING), None)

    async def advance(self, identifier: str, cursor: int, call: Call | None) -> None:
        """Move the cursor, and keep a call."""
        async with self._alone():
            webhook = self._webhooks.get(identifier)
            if webhook is None:
                return
            self._webhooks[identifier] = replace(webhook, cursor=max(webhook.cursor, cursor))
            if call is not None:
                self._calls[call.id] = call

    async def settle(self, call: Call, *, done: bool) -> None:
        """Note how an attempt ended."""
        async with self._alone():
            if done:
                self._calls.pop(call.id, None)
            elif call.id in self._calls:
                self._calls[call.id] = call

    async def prune(self, before: dt.datetime) -> int:
        """Forget calls that were put aside."""
        async with self._alone():
            old = [
                call
                for call in self._calls.values()
                if call.state is CallState.DEAD and call.tried_at is not None and call.tried_at < before
            ]
            for call in old:
                del self._calls[call.id]
            return len(old)

    def _of(self, identifier: str) -> list[Call]:
        return sorted((call for call in self._calls.values() if call.webhook == identifier), key=lambda call: call.id)
