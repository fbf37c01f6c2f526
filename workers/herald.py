"""The herald: calls agencies' own systems about what changed for them (axis.core.webhooks). As many as are needed.

Each webhook is worked on by itself, with one call at a time, so a slow or dead target keeps no other waiting. Those
whose last call failed have places of their own: however many targets hang, who answers is called at once. The order of
what is done, and what a kill in between does:

1. the webhook is claimed for a minute;         killed here: another herald takes it up after that minute
2. the cursor moves and the call is kept, both; killed here: the call is there and is made
3. the call is made;                            killed here: it is made again under the same id, which the target knows
4. its outcome is noted, and the webhook given back.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from axis.core.ids import new_id
from axis.core.registered import FeedItem
from axis.core.webhooks import MOST_EVENTS, Call, CallState, Event, Webhook, body_of, call_for
from axis.errors import Unavailable
from axis.settings import Service, Settings
from axis.store import Store, WebhookStore
from axis.trust import SigningKey
from workers.metrics import Metrics
from workers.posting import posting
from workers.runtime import Log, configure_logging, every, stop_on_signals, stopped_within
from workers.view import utc_now
from workers.watchdog import watch

NAME: Service = "herald"
Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[str | None]]

# Webhooks that are worked on at once: those whose last call was answered, and those that are tried again.
_PLACES: Mapping[bool, int] = MappingProxyType({False: 150, True: 50})
_LOOK_SECONDS = 1.0
_CLAIM = dt.timedelta(seconds=60)
_TURN_SECONDS = 30.0  # then it is given back; with one attempt more that is within the claim
_KEPT = dt.timedelta(days=31)
_TIDY_SECONDS = 60.0


class Feed(Protocol):
    """The part of the register that is read here."""

    async def feed(self, account: str, after: int, limit: int) -> Sequence[FeedItem]:
        """Return what changed for an agency behind a number."""

    async def feed_span(self) -> tuple[int, int]:
        """Return the first and the last number of what is kept of anybody."""


class Herald:
    """Make the calls that are due, until told to stop. `sign` makes the axis's detached signature over a body."""

    def __init__(
        self,
        *,
        store: WebhookStore,
        feed: Feed,
        post: Post,
        sign: Callable[[bytes], str],
        now: Callable[[], dt.datetime],
        stop: asyncio.Event,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._feed = feed
        self._post = post
        self._sign = sign
        self._now = now
        self._stop = stop
        self._log = log
        self._metrics = metrics
        self._running: dict[bool, set[asyncio.Task[None]]] = {again: set() for again in _PLACES}

    async def run(self) -> None:
        """Work until told to stop; calls that are being made are finished first."""
        async with asyncio.TaskGroup() as group:
            while not self._stop.is_set():
                for again, running in self._running.items():
                    try:
                        found = await self.claim(again=again)
                    except Unavailable as error:
                        self._log.warning("waiting", code=error.code, detail=error.detail)
                        break
                    for webhook in found:
                        task = group.create_task(self.serve(webhook))
                        running.add(task)
                        task.add_done_callback(running.discard)
                await stopped_within(self._stop, _LOOK_SECONDS)

    async def claim(self, *, again: bool) -> Sequence[Webhook]:
        """Take what there is to do, as far as there is a place for it; `again`: what has failed before."""
        free = _PLACES[again] - len(self._running[again])
        at = self._now()
        return await self._store.claim(at, at + _CLAIM, free, again=again) if free > 0 else ()

    async def serve(self, webhook: Webhook) -> None:
        """Make the calls of one webhook, one after the other, and give it back; a fault of ours ends no other."""
        try:
            async with asyncio.timeout(_TURN_SECONDS + _CLAIM.total_seconds() / 4):
                await self._turn(webhook)
            await self._store.give_back(webhook.id, self._now())
        except (Unavailable, TimeoutError) as error:
            # It is claimed until its minute is over, which is as long as there is to wait.
            self._log.warning("waiting", webhook=webhook.id, account=webhook.account, detail=str(error))
        except Exception:  # noqa: BLE001 - logged; the claim keeps it from being tried in a circle
            self._log.exception("failed", webhook=webhook.id, account=webhook.account)

    async def tidy(self) -> None:
        """Count what is not done, and forget what was put aside long ago."""
        counts = await self._store.count()
        self._metrics.webhook_deliveries({"waiting": counts[CallState.WAITING], "given up": counts[CallState.DEAD]})
        if forgotten := await self._store.prune(self._now() - _KEPT):
            self._log.info("forgotten", calls=forgotten)

    async def _turn(self, webhook: Webhook) -> None:
        began = asyncio.get_running_loop().time()
        while not self._stop.is_set() and asyncio.get_running_loop().time() - began < _TURN_SECONDS:
            call = await self._store.next_call(webhook.id)
            if call is None:
                webhook, call = await self._read_on(webhook)
                if call is None:
                    return
            if call.due_at > self._now() or not await self._make(webhook, call):
                return

    async def _read_on(self, webhook: Webhook) -> tuple[Webhook, Call | None]:
        """Keep a call about what is behind the cursor; None: there is nothing to tell."""
        while True:
            first, _ = await self._feed.feed_span()
            items = await self._feed.feed(webhook.account, webhook.cursor, MOST_EVENTS)
            missed = webhook.cursor < first - 1
            if not items and not missed:
                return webhook, None
            cursor = max(items[-1].seq if items else first - 1, webhook.cursor)
            at = self._now()
            found = [
                Event(each.seq, each.kind.value, each.envelope_id, each.recipient, each.code, each.at) for each in items
            ]
            call = call_for(webhook, found, missed=missed, identifier=new_id(at), at=at)
            await self._store.advance(webhook.id, cursor, call)
            webhook = replace(webhook, cursor=cursor)
            if call is not None:
                return webhook, call

    async def _make(self, webhook: Webhook, call: Call) -> bool:
        at = self._now()
        body = body_of(call, webhook, at)
        headers = {
            "content-type": "application/json",
            "axis-id": call.id,
            "axis-timestamp": at.isoformat(),
            "axis-signature": self._sign(body),
            "user-agent": "axis-herald",
        }
        why = await self._post(webhook.url, body, headers)
        at = self._now()
        after = call if why is None else call.failed(why, at)
        await self._store.settle(after, done=why is None)
        dead = after.state is CallState.DEAD
        outcome = "answered" if why is None else "given up" if dead else "failed"
        self._metrics.webhook(outcome)
        write = self._log.info if why is None else self._log.warning
        write("called", webhook=webhook.id, account=webhook.account, call=call.id, outcome=outcome, detail=why)
        return why is None or dead


async def work(settings: Settings) -> None:
    """Run it until SIGTERM or SIGINT."""
    log = configure_logging(settings, NAME)
    metrics = Metrics(NAME)
    key = SigningKey.load(settings.axis_key, settings.key)
    async with (
        stop_on_signals(log) as stop,
        Store.connect(settings.database_of(NAME), name="axis herald") as store,
        posting(settings.destinations, settings.webhook_ca) as post,
    ):
        herald = Herald(
            store=store.webhooks,
            feed=store.register,
            post=post,
            sign=key.sign,
            now=utc_now,
            stop=stop,
            log=log,
            metrics=metrics,
        )
        port = metrics.serve(settings.metrics_host, settings.metrics_port)
        log.info("ready", metrics=f"http://{settings.metrics_host}:{port}/metrics")
        watching = asyncio.create_task(watch(settings.stuck_seconds))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(herald.run())
                group.create_task(every(_TIDY_SECONDS, herald.tidy, stop=stop, log=log))
        finally:
            watching.cancel()
        log.info("stopped")
