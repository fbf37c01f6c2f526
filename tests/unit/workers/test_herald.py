"""The herald: what changed is told to an agency's own system, in order, at least once, and nobody waits for another."""

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import structlog

from axis.core.ids import new_id
from axis.core.registered import FeedItem, News
from axis.core.webhooks import Call, CallState, Event, Webhook
from axis.errors import Unavailable
from axis.store.fake_memory import Memory
from axis.store.fake_webhooks import FakeWebhooks
from axis.store.webhook_seam import Calls
from tests.builders import NOW
from tests.unit.gateway.harness import until
from workers.herald import Herald
from workers.metrics import Metrics
from workers.runtime import Log

URL = "https://x.gov.vn/hook"


def item(seq: int, account: str, kind: str) -> FeedItem:
    return FeedItem(seq, account, News(kind), "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11", "H37", None, NOW)


class Feed:
    """A feed in memory; what is before `first` was forgotten."""

    def __init__(self) -> None:
        self.items: list[FeedItem] = []
        self.first = 1

    async def feed(self, account: str, after: int, limit: int) -> Sequence[FeedItem]:
        return [each for each in self.items if each.account == account and each.seq > after][:limit]

    async def feed_span(self) -> tuple[int, int]:
        return self.first, self.first + len(self.items) - 1

    async def has_news(self, account: str, after: int) -> bool:
        return bool(await self.feed(account, after, 1))

    def happen(self, *kinds: str, account: str = "G22") -> None:
        self.items += [item(len(self.items) + n, account, kind) for n, kind in enumerate(kinds, 1)]


@dataclass
class Target:
    """Whoever is called: what it was told, and how it answers."""

    answer: str | BaseException | None = None
    hangs: set[str] = field(default_factory=set)
    told: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        self.told.append((url, json.loads(body), headers))
        assert headers["axis-signature"] == f"signed {len(body)}"
        if url in self.hangs:
            await self.released.wait()
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Desk:
    """A store with webhooks, a feed, a target and a herald."""

    def __init__(self, log: Log) -> None:
        self.at = NOW
        self.available = True
        self.feed, self.target, self.stop = Feed(), Target(), asyncio.Event()
        self.metrics = Metrics("herald")
        self.store = FakeWebhooks(self.alone, self.feed.has_news)
        self.herald = Herald(
            store=self.store,
            feed=self.feed,
            post=self.target,
            sign=lambda body: f"signed {len(body)}",
            now=lambda: self.at,
            stop=self.stop,
            log=log,
            metrics=self.metrics,
        )

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[Memory]:
        if not self.available:
            raise Unavailable("the store is away")
        yield Memory()

    async def add(self, account: str = "G22", url: str = URL, *events: str) -> Webhook:
        webhook = Webhook(new_id(NOW), account, url, events, 0, NOW, "agency")
        kept = await self.store.put(webhook, 5)
        assert kept is not None
        return kept

    async def work(self, after: dt.timedelta = dt.timedelta()) -> int:
        """Let time pass, then do all there is to do; return how many webhooks that were."""
        self.at += after
        found = [each for again in (False, True) for each in await self.herald.claim(again=again)]
        for webhook in found:
            await self.herald.serve(webhook)
        return len(found)

    async def left(self, webhook: Webhook) -> Calls:
        return (await self.store.calls([webhook.id])).get(webhook.id, Calls(0, 0, ()))

    def seqs(self) -> list[list[int]]:
        return [[event["seq"] for event in body["events"]] for _, body, _ in self.target.told]


def without_attempt(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in {"at", "attempt"}}


@pytest.fixture
def desk() -> Desk:
    return Desk(structlog.get_logger())


async def test_what_changed_is_told_once_signed_and_in_order(desk: Desk) -> None:
    webhook = await desk.add()
    assert await desk.work() == 0
    desk.feed.happen("accepted", "delivered", "status")
    desk.feed.happen("accepted", account="H37")
    assert await desk.work() == 1
    ((url, body, headers),) = desk.target.told
    assert url == URL
    assert body["schema"] == "axis.webhook/1"
    assert (body["account"], body["url"], body["attempt"], body["missed"]) == ("G22", URL, 1, False)
    assert [event["kind"] for event in body["events"]] == ["accepted", "delivered", "status"]
    assert (headers["axis-id"], headers["axis-timestamp"]) == (body["id"], body["at"])
    assert await desk.work() == 0
    desk.feed.happen("late")
    await desk.work()
    assert desk.seqs() == [[1, 2, 3], [5]]
    assert await desk.left(webhook) == Calls(0, 0, ())


async def test_only_what_was_asked_for_is_told(desk: Desk) -> None:
    await desk.add("G22", URL, "status")
    desk.feed.happen("accepted", "delivered")
    await desk.work()
    assert desk.target.told == []
    assert await desk.work() == 0  # and it is not looked at again
    desk.feed.happen("status")
    await desk.work()
    assert desk.seqs() == [[3]]


async def test_a_long_feed_is_told_in_pieces(desk: Desk) -> None:
    await desk.add()
    desk.feed.happen(*["status"] * 250)
    await desk.work()
    assert [len(seqs) for seqs in desk.seqs()] == [100, 100, 50]
    assert [seq for seqs in desk.seqs() for seq in seqs] == [*range(1, 251)]


async def test_what_fails_comes_again_under_its_id_later_each_time_and_is_put_aside_in_the_end(desk: Desk) -> None:
    webhook = await desk.add()
    desk.feed.happen("status")
    desk.target.answer = "it answers 500"
    await desk.work()
    assert await desk.work(dt.timedelta(seconds=59)) == 0
    assert await desk.work(dt.timedelta(seconds=1)) == 1
    desk.feed.happen("late")
    while (await desk.left(webhook)).dead == 0:
        assert await desk.work(dt.timedelta(minutes=1)) <= 1
        assert desk.at < NOW + dt.timedelta(days=4)
    first = desk.target.told[0][1]["id"]
    attempts = [body["attempt"] for _, body, _ in desk.target.told if body["id"] == first]
    assert attempts == [*range(1, len(attempts) + 1)]
    assert 15 < len(attempts) < 25
    assert desk.at <= NOW + dt.timedelta(days=3)
    left = await desk.left(webhook)
    dead = next(call for call in left.latest if call.state is CallState.DEAD)
    assert (dead.told, dead.attempts) == ("it answers 500", len(attempts))
    # What came after it is told all the same, and it is made again when somebody wants it.
    desk.target.answer = None
    await desk.work(dt.timedelta(minutes=2))
    assert desk.seqs()[-1] == [2]
    assert await desk.work() == 0
    assert await desk.store.requeue(webhook.id, desk.at) == 1
    await desk.work()
    assert without_attempt(desk.target.told[-1][1]) == without_attempt(desk.target.told[0][1])
    assert await desk.left(webhook) == Calls(0, 0, ())


async def test_a_herald_killed_after_the_call_makes_it_again_under_the_same_id(desk: Desk) -> None:
    await desk.add()
    desk.feed.happen("status")
    desk.target.answer = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await desk.work()
    desk.target.answer = None
    assert await desk.work(dt.timedelta(seconds=59)) == 0  # it is claimed
    assert await desk.work(dt.timedelta(seconds=1)) == 1
    first, second = (body for _, body, _ in desk.target.told)
    assert first["id"] == second["id"]
    assert desk.seqs() == [[1], [1]]


async def test_a_store_that_goes_away_after_the_call_loses_nothing(desk: Desk) -> None:
    webhook = await desk.add()
    desk.feed.happen("status")
    (claimed,) = await desk.herald.claim(again=False)
    made = desk.herald.serve(claimed)
    desk.target.hangs = {URL}
    task = asyncio.create_task(made)
    await until(lambda: bool(desk.target.told))
    desk.available = False
    desk.target.released.set()
    await task
    desk.available = True
    assert (await desk.left(webhook)).waiting == 1
    await desk.work(dt.timedelta(minutes=1))
    assert len({body["id"] for _, body, _ in desk.target.told}) == 1


async def test_a_target_that_hangs_keeps_no_other_waiting(desk: Desk) -> None:
    await desk.add("G22", URL)
    await desk.add("H37", "https://h.gov.vn/")
    desk.target.hangs = {URL}
    desk.feed.happen("status", "status")
    desk.feed.happen("status", account="H37")
    running = asyncio.create_task(desk.herald.run())
    await until(lambda: len(desk.target.told) == 2)
    assert sorted(url for url, _, _ in desk.target.told) == ["https://h.gov.vn/", URL]
    assert await desk.herald.claim(again=False) == []  # one call at a time for each
    desk.stop.set()
    desk.target.released.set()
    async with asyncio.timeout(10):
        await running


async def test_hundreds_of_targets_that_hang_keep_no_other_waiting(desk: Desk) -> None:
    """All of them have failed before; places of those whose last call was answered are not theirs."""
    for number in range(300):
        hanging = await desk.add(f"A{number}", f"https://a{number}.gov.vn/")
        failed = Call(new_id(NOW), hanging.id, (), missed=True, since=NOW, due_at=NOW)
        await desk.store.advance(hanging.id, 1, failed)
        await desk.store.settle(failed.failed("no answer", NOW - dt.timedelta(minutes=1)), done=False)
        desk.target.hangs.add(hanging.url)
    await desk.add("H37", "https://h.gov.vn/")
    desk.feed.happen("status", account="H37")
    running = asyncio.create_task(desk.herald.run())
    await until(lambda: any(url == "https://h.gov.vn/" for url, _, _ in desk.target.told))
    assert 1 < len(desk.target.told) <= 51
    desk.stop.set()
    desk.target.released.set()
    async with asyncio.timeout(10):
        await running


async def test_a_gap_is_told(desk: Desk) -> None:
    await desk.add("G22", URL, "status")
    desk.feed.happen("status", "late", "late")
    desk.feed.items, desk.feed.first = desk.feed.items[2:], 3
    await desk.work()
    assert [(body["missed"], body["events"]) for _, body, _ in desk.target.told] == [(True, [])]
    desk.feed.items.append(item(4, "G22", "status"))
    await desk.work()
    assert [(body["missed"], len(body["events"])) for _, body, _ in desk.target.told[1:]] == [(False, 1)]


async def test_a_fault_of_ours_over_one_ends_nothing(desk: Desk) -> None:
    await desk.add()
    desk.feed.happen("status")
    desk.target.answer = RuntimeError("a fault of ours")
    assert await desk.work() == 1
    assert await desk.work() == 0
    desk.target.answer = None
    assert await desk.work(dt.timedelta(minutes=1)) == 1
    assert await desk.work() == 0


async def test_what_is_left_is_counted_and_what_is_old_is_forgotten(desk: Desk) -> None:
    webhook = await desk.add()
    desk.feed.happen("status")
    desk.target.answer = "it answers 404"
    await desk.work()
    await desk.herald.tidy()
    assert desk.metrics.registry.get_sample_value("axis_webhook_deliveries", {"state": "waiting"}) == 1
    call = await desk.store.next_call(webhook.id)
    assert call is not None
    await desk.store.settle(replace(call, state=CallState.DEAD), done=False)
    await desk.herald.tidy()
    assert desk.metrics.registry.get_sample_value("axis_webhook_deliveries", {"state": "given up"}) == 1
    desk.at += dt.timedelta(days=32)
    await desk.herald.tidy()
    await desk.herald.tidy()
    assert desk.metrics.registry.get_sample_value("axis_webhook_deliveries", {"state": "given up"}) == 0


async def test_a_store_that_is_away_is_waited_for(desk: Desk) -> None:
    desk.available = False
    running = asyncio.create_task(desk.herald.run())
    await asyncio.sleep(0)
    desk.stop.set()
    async with asyncio.timeout(10):
        await running


def test_an_event_comes_back_as_it_was() -> None:
    for event in (Event(1, "late", "e", None, None, NOW), Event(2, "status", "e", "H37", "01", NOW)):
        assert Event.from_json(event.as_json()) == event
