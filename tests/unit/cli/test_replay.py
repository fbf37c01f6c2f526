"""`axis replay` on a fake store and a broker that only notes: order, resuming, what is left out, and refusals."""

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import pytest

from axis.broker import QueueState
from axis.cli.replay import command, filling
from axis.core.ids import new_id
from axis.core.messages import Outgoing
from axis.core.topology import Change
from axis.errors import NotRouted, Unavailable
from axis.store import FakeStore
from schemas.wire import REPLAY_HEADER
from tests.builders import NOW, mailbox, organisation
from tests.unit.cli.conftest import Run
from tests.unit.store.rows import accepted, held

QUEUE = "replay.H37"
SINCE = ("--mailbox", "H37", "--since", "2026-01-01")


class Killed(BaseException):
    """The process ends here: nothing after it runs."""


class Broker:
    """The management API and a publisher; `dies_after` publishes it kills the program that uses it."""

    def __init__(self) -> None:
        self.queues: dict[str, list[Outgoing]] = {}
        self.made: list[str] = []
        self.unread = 0
        self.dies_after: int | None = None
        self.fails: list[Unavailable] = []

    async def apply(self, changes: Iterable[Change], progress: object) -> None:
        for change in changes:
            self.made.append(change.name)
            self.queues.setdefault(change.name, [])

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        if self.fails:
            return [None] * (len(messages) - 1) + [self.fails.pop()]
        for message in messages:
            self.queues[message.routing_key].append(message)
        if self.dies_after == 0:
            self.dies_after = None
            raise Killed
        if self.dies_after is not None:
            self.dies_after -= 1
        return [None] * len(messages)

    async def queue_states(self, names: Iterable[str]) -> dict[str, QueueState | None]:
        return {name: QueueState(0, 0) if name in self.queues else None for name in names}

    async def queue_depths(self) -> dict[str, int]:
        return {QUEUE: self.unread}

    async def remove_queue(self, name: str) -> None:
        self.queues.pop(name, None)

    def ids(self, queue: str = QUEUE) -> list[str]:
        return [each.message_id for each in self.queues[queue]]


@pytest.fixture
def broker(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()

    @contextlib.asynccontextmanager
    async def opened(_: object) -> AsyncIterator[tuple[Broker, Broker]]:
        yield made, made

    async def fill() -> None:
        await store.directory.put_organisations([organisation("H37")])
        await store.directory.put_mailbox(mailbox("H37"))

    asyncio.run(fill())
    monkeypatch.setattr(command, "opened", opened)
    monkeypatch.setattr(filling, "_PIECE", 2)
    monkeypatch.setattr(filling, "_FIRST_WAIT_SECONDS", 0.0)
    return made


def deliver(store: FakeStore, count: int, **more: Any) -> list[str]:
    """Accept documents one after the other, ids in another order than their acceptance; return them as accepted."""
    ids = sorted((new_id(NOW) for _ in range(count)), reverse=True)
    envelopes = [
        accepted(
            id=identifier,
            accepted_at=NOW + dt.timedelta(minutes=place),
            body=json.dumps({"id": identifier, "recipients": ["H37"]}).encode(),
            **({"deliveries": [more["row"](identifier, "H37")]} if "row" in more else {}),
        )
        for place, identifier in enumerate(ids)
    ]

    async def keep() -> None:
        async with store.transaction() as tx:
            await tx.accept(envelopes)

    asyncio.run(keep())
    return ids


def test_documents_come_once_more_in_the_order_they_were_accepted_and_marked(
    run: Run, store: FakeStore, broker: Broker
) -> None:
    ids = deliver(store, 5)
    told = run("replay", *SINCE, "--rate", "1000", "--json").json
    assert broker.ids() == ids
    assert (told["put"], told["left_out"], told["filled"]) == (5, [], True)
    marks = [json.loads(each.headers[REPLAY_HEADER]) for each in broker.queues[QUEUE]]
    assert {each["replay"] for each in marks} == {told["replay"]}
    assert [each[1:3] for each in store.audits] == [("replay.fill", "H37")]
    assert store.audits[0][3]["finished"] is True


def test_a_dry_run_says_the_same_and_does_nothing(run: Run, store: FakeStore, broker: Broker) -> None:
    deliver(store, 3)
    (left,) = deliver(store, 1, row=held)
    ran = run("replay", *SINCE, "--dry-run")
    assert "3 documents of H37 would be put into replay.H37" in ran.out
    assert f"left out {left} for H37: held" in ran.out
    assert (broker.made, store.audits, asyncio.run(store.replays.listed())) == ([], [], ())


@pytest.mark.parametrize("dies_after", [0, 1, 2])
def test_killed_between_publishing_and_noting_it_goes_on_with_at_most_one_piece_twice(
    run: Run, store: FakeStore, broker: Broker, dies_after: int
) -> None:
    ids = deliver(store, 6)
    broker.dies_after = dies_after
    with pytest.raises(Killed):
        run("replay", *SINCE, "--rate", "1000")
    # Without --since, and with the same one: both mean to go on.
    ran = run("replay", "--mailbox", "H37", "--rate", "1000") if dies_after else run("replay", *SINCE)
    assert ran.code == 0
    assert list(dict.fromkeys(broker.ids())) == ids
    piece = ids[2 * dies_after : 2 * dies_after + 2]
    assert broker.ids() == [*ids[: 2 * dies_after], *piece, *piece, *ids[2 * dies_after + 2 :]]
    (kept,) = asyncio.run(store.replays.listed())
    assert (kept.put, kept.filled_at is not None) == (6, True)


def test_it_is_slowed_down_to_the_rate(
    run: Run, store: FakeStore, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(store, 5)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    run("replay", *SINCE, "--rate", "2")
    assert len(waits) == 2
    assert all(0.5 < each <= 2 * place for place, each in enumerate(waits, 1))


def test_what_the_broker_does_not_take_keeps_its_place(run: Run, store: FakeStore, broker: Broker) -> None:
    ids = deliver(store, 2)
    broker.fails = [NotRouted("the queue is gone"), NotRouted("the queue is gone")]
    assert run("replay", *SINCE).code == 0
    assert broker.ids() == [ids[1]]  # the first of them was confirmed by the broker that failed the second
    broker.fails = [NotRouted("the queue is gone")] * 9
    deliver(store, 1)
    assert run("replay", "--mailbox", "H37", "--end").code == 0
    ran = run("replay", *SINCE, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (69, "axis/not-routed")
    assert store.audits[-1][3]["finished"] is False


def test_another_replay_of_the_same_queue_has_to_wait_for_the_end_of_the_first(
    run: Run, store: FakeStore, broker: Broker
) -> None:
    deliver(store, 1)
    assert run("replay", *SINCE).code == 0
    ran = run("replay", "--mailbox", "H37", "--since", "2026-02-01", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "replay/open")
    assert run("replay", *SINCE, "--to", "replay.by-hand").code == 0
    assert len(broker.queues["replay.by-hand"]) == 1
    broker.unread = 1
    ran = run("replay", "--mailbox", "H37", "--end", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "replay/not-empty")
    assert QUEUE in broker.queues
    told = run("replay", "--mailbox", "H37", "--end", "--discard", "--json").json
    assert (told["unread"], QUEUE in broker.queues) == (1, False)
    assert store.audits[-1][1:3] == ("replay.end", "H37")
    ran = run("replay", "--mailbox", "H37", "--end", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (66, "replay/none")


def test_two_processes_that_fill_the_same_are_told(run: Run, store: FakeStore, broker: Broker) -> None:
    deliver(store, 4)
    publish = broker.publish_many

    async def meanwhile(messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        (known,) = await store.replays.listed()
        if known.after is None:
            places = await filling.places_of(store, known, id_past_days=31, progress=lambda _: None)
            await store.replays.advance(known, places[0], 1, 0)
        return await publish(messages)

    broker.publish_many = meanwhile  # type: ignore[method-assign]
    ran = run("replay", *SINCE, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "replay/open")


@pytest.mark.parametrize("queue", ["mailbox.normal.H37", "axis.track", "replay.", "replay.H37 ", "replay./x"])
def test_nothing_but_a_replay_queue_is_filled(run: Run, broker: Broker, queue: str) -> None:
    assert run("replay", *SINCE, "--to", queue).code == 2
    assert broker.made == []


def test_what_cannot_be_meant_is_refused(run: Run, broker: Broker) -> None:
    ran = run("replay", "--mailbox", "H37", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (66, "replay/none")
    ran = run("replay", "--mailbox", "H38", "--since", "2026-01-01", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (66, "recipient/no-mailbox")
    assert run("replay", *SINCE, "--until", "2025-01-01").code == 2
    assert run("replay", *SINCE, "--end").code == 2
    assert run("replay", *SINCE, "--discard").code == 2
    assert broker.made == []
