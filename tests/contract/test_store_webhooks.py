"""Webhooks: whose they are, what they are still to be told, and one herald at a time for each."""

import asyncio
import datetime as dt
from dataclasses import replace

import pytest

from axis.core.ids import new_id
from axis.core.webhooks import Call, CallState, Event, Webhook
from axis.errors import Unavailable
from axis.store import Calls, FakeStore, Store
from tests.builders import NOW
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted

MINUTE = dt.timedelta(minutes=1)
EVENT = Event(7, "status", new_id(NOW), "H37", "01", NOW)


def webhook(account: str = "G22", url: str = "https://x.gov.vn/a", *, cursor: int = 0) -> Webhook:
    return Webhook(new_id(NOW), account, url, ("status", "late"), cursor, NOW, "agency")


def call(of: Webhook, at: dt.datetime = NOW, *events: Event) -> Call:
    return Call(new_id(at), of.id, events, missed=False, since=at, due_at=at)


async def test_an_agency_has_so_many_and_each_address_once(store: Store) -> None:
    first, second = webhook(), webhook(url="https://x.gov.vn/b")
    assert await store.webhooks.put(first, 2) == first
    assert await store.webhooks.put(second, 2) == second
    assert await store.webhooks.put(webhook(url="https://x.gov.vn/c"), 2) is None
    other = webhook("H37")
    assert await store.webhooks.put(other, 2) == other
    again = replace(webhook(), events=(), cursor=5)
    changed = replace(first, events=())
    assert await store.webhooks.put(again, 2) == changed  # its id and cursor stay
    assert {each.id for each in await store.webhooks.webhooks("G22")} == {first.id, second.id}
    assert [each.account for each in await store.webhooks.webhooks()] == ["G22", "G22", "H37"]
    assert await store.webhooks.remove(first.id)
    assert not await store.webhooks.remove(first.id)
    assert await store.webhooks.webhooks("G22") == [second]


async def test_two_that_add_side_by_side_do_not_pass_the_limit(store: Store) -> None:
    put = [store.webhooks.put(webhook(url=f"https://x.gov.vn/{number}"), 3) for number in range(8)]
    assert sum(each is not None for each in await asyncio.gather(*put)) == 3


async def test_a_call_is_kept_with_the_cursor_until_it_is_done(store: Store) -> None:
    own = webhook()
    await store.webhooks.put(own, 1)
    assert await store.webhooks.next_call(own.id) is None
    first, second = call(own, NOW, EVENT), call(own, NOW + MINUTE)
    await store.webhooks.advance(own.id, 7, first)
    await store.webhooks.advance(own.id, 6, None)  # never back
    await store.webhooks.advance(own.id, 9, second)
    assert [each.cursor for each in await store.webhooks.webhooks()] == [9]
    assert await store.webhooks.next_call(own.id) == first
    assert await store.webhooks.calls([own.id]) == {own.id: Calls(2, 0, (second, first))}
    failed = first.failed("it answers 500", NOW)
    await store.webhooks.settle(failed, done=False)
    assert await store.webhooks.next_call(own.id) == failed
    dead = replace(failed, state=CallState.DEAD)
    await store.webhooks.settle(dead, done=False)
    assert await store.webhooks.next_call(own.id) == second
    assert await store.webhooks.count() == {CallState.WAITING: 1, CallState.DEAD: 1}
    assert await store.webhooks.calls([own.id], 1) == {own.id: Calls(1, 1, (second,))}
    assert await store.webhooks.requeue(own.id, NOW + MINUTE) == 2
    again = replace(dead, state=CallState.WAITING, attempts=0, since=NOW + MINUTE, due_at=NOW + MINUTE)
    assert await store.webhooks.next_call(own.id) == again
    await store.webhooks.settle(again, done=True)
    await store.webhooks.settle(again, done=True)
    await store.webhooks.settle(replace(second, state=CallState.DEAD, tried_at=NOW), done=False)
    assert await store.webhooks.prune(NOW) == 0
    assert await store.webhooks.prune(NOW + MINUTE) == 1
    assert await store.webhooks.calls([own.id]) == {}


async def test_what_was_removed_is_told_nothing_more(store: Store) -> None:
    own = webhook()
    await store.webhooks.put(own, 1)
    made = call(own)
    await store.webhooks.advance(own.id, 1, made)
    await store.webhooks.remove(own.id)
    await store.webhooks.settle(made.failed("too late", NOW), done=False)
    await store.webhooks.advance(own.id, 2, call(own))
    assert await store.webhooks.count() == {CallState.WAITING: 0, CallState.DEAD: 0}


async def test_one_herald_at_a_time_takes_what_there_is_to_do(store: Store) -> None:
    _, end = await store.register.feed_span()
    quiet, own = webhook("K99", cursor=end), webhook("G22", cursor=end)
    for each in (quiet, own):
        await store.webhooks.put(each, 1)
    until = NOW + MINUTE
    assert await store.webhooks.claim(NOW, until, 10, again=False) == []
    async with store.transaction() as tx:
        await tx.accept([accepted()])
    await keep(store)
    assert await store.webhooks.claim(NOW, until, 0, again=False) == []
    claims = await asyncio.gather(*(store.webhooks.claim(NOW, until, 10, again=False) for _ in range(4)))
    assert [each.id for found in claims for each in found] == [own.id]
    (item, *_) = await store.register.feed("G22", end, 10)
    waits = replace(call(own), due_at=NOW + 3 * MINUTE)
    await store.webhooks.advance(own.id, item.seq, waits)
    await store.webhooks.give_back(own.id, NOW)
    assert await store.webhooks.claim(NOW, until, 10, again=False) == []  # a call waits, later
    (again,) = await store.webhooks.claim(NOW + 3 * MINUTE, NOW + 4 * MINUTE, 10, again=False)
    assert again.cursor == item.seq
    assert await store.webhooks.claim(NOW + 3 * MINUTE, NOW + 4 * MINUTE, 10, again=False) == []
    (again,) = await store.webhooks.claim(
        NOW + 4 * MINUTE, NOW + 5 * MINUTE, 10, again=False
    )  # whoever had it was killed
    assert again.id == own.id
    assert await store.webhooks.claim(NOW + 5 * MINUTE, NOW + 6 * MINUTE, 10, again=True) == []
    await store.webhooks.settle(waits.failed("no answer", NOW + 5 * MINUTE), done=False)
    later = NOW + 7 * MINUTE
    assert await store.webhooks.claim(later, later, 10, again=False) == []  # it has failed: those have their own places
    assert [each.id for each in await store.webhooks.claim(later, later + MINUTE, 10, again=True)] == [own.id]


async def test_without_a_store_nothing_is_known() -> None:
    store = FakeStore()
    store.available = False
    for made in (
        store.webhooks.webhooks(),
        store.webhooks.put(webhook(), 1),
        store.webhooks.claim(NOW, NOW, 1, again=False),
    ):
        with pytest.raises(Unavailable):
            await made
