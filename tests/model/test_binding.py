"""The code takes the steps of the model, in its order: whoever changes one has to look at the other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, cast

import pytest

from axis.broker import Consumer, FakeBroker, Publisher
from axis.broker.fake import FakeBatch, FakePublisher
from axis.core.lanes import submit_key
from axis.core.messages import Outgoing, Submission
from axis.errors import Unavailable
from axis.store import FakeStore, Transaction
from schemas.wire import SUBMIT_EXCHANGE, TYPE_DOCUMENT
from tests.model.states import RELAY, ROUTER
from tests.unit.workers.harness import MINUTE, Axis, axis_of, document
from workers.consuming import consume
from workers.relay import Relay
from workers.router import Router
from workers.runtime import Finish

SOURCE = "axis.route.normal"


class RecordingPublisher(FakePublisher):
    """Says what goes through it."""

    def __init__(self, broker: FakeBroker, steps: list[str]) -> None:
        super().__init__(broker)
        object.__setattr__(self, "steps", steps)

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        steps = cast("list[str]", self.__dict__["steps"])
        kinds = {message.type for message in messages}
        assert len(kinds) < 2, "documents and notices in one publish: a receipt may be there before its document"
        steps.extend("documents" if kind == TYPE_DOCUMENT else "receipts" for kind in kinds)
        return await super().publish_many(messages)


class Recorder:
    """A router or a relay on an axis in memory, and the steps it takes."""

    def __init__(self, axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
        self.axis = axis
        self.steps: list[str] = []
        self.publisher = cast("Publisher", RecordingPublisher(axis.broker, self.steps))
        for owner, name, step in (
            (FakeStore, "behind", "decide"),
            (FakeStore, "hold", "hold"),
            (FakeStore, "mark_published", "mark"),
            (FakeStore, "unpublished", "hand out"),
            (FakeStore, "release", "release"),
            (FakeBatch, "ack_some", "ack"),
        ):
            self._record(owner, name, step, monkeypatch)
        original = FakeStore.transaction

        @contextlib.asynccontextmanager
        async def transaction(store: FakeStore) -> AsyncIterator[Transaction]:
            async with original(store) as tx:
                yield tx
            self.steps.append("commit")

        monkeypatch.setattr(FakeStore, "transaction", transaction)

    def _record(self, owner: type, name: str, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        async def recorded(this: object, *arguments: Any, **named: Any) -> Any:
            self.steps.append(step)
            return await original(this, *arguments, **named)

        monkeypatch.setattr(owner, name, recorded)

    def router(self) -> Router:
        post = self.axis.post()
        post.publisher = self.publisher
        return Router(**{**self.axis._shared, "post": post}, window=self.axis.window)

    def relay(self) -> Relay:
        post = self.axis.post()
        post.publisher = self.publisher
        return Relay(**{**self.axis._shared, "post": post}, older_than=MINUTE, now=self.axis.now)

    async def consume(self, *messages: Submission) -> list[str]:
        """Let a router take messages from its queue, as a worker does, until all are acked."""
        for message in messages:
            assert await self.axis.broker.route(_submitted(message)) is None
        stop = asyncio.Event()
        consumer = cast("Consumer", self.axis.broker.consumer(SOURCE))
        router = self.router()

        async def handle(batch: Sequence[Submission], source: str) -> Finish:
            stop.set()  # it ends when this batch is acked
            return await router.handle(batch, source)

        async with asyncio.timeout(10):
            await consume(consumer, SOURCE, handle, stop=stop, log=self.axis.log, metrics=self.axis.metrics)
        assert self.axis.broker.messages(SOURCE) == ()
        return self.steps


def _submitted(message: Submission) -> Outgoing:
    return Outgoing(
        exchange=SUBMIT_EXCHANGE,
        routing_key=submit_key("normal", message.account or ""),
        body=message.body,
        type=message.type or "",
        content_type=message.content_type or "",
        message_id=message.message_id or "",
        headers={name: str(value) for name, value in message.headers.items()},
        user_id=message.account,
    )


def without(steps: Sequence[str], *missing: str) -> list[str]:
    return [step for step in steps if step not in missing]


async def test_the_router_takes_the_steps_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(await axis_of(["G22", "H37", "H26"]), monkeypatch)
    steps = await recorder.consume(document(recipients=["H37", "H26"]), document())
    assert steps == without(ROUTER, "hold")


async def test_what_a_mailbox_does_not_take_is_held_where_the_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(await axis_of(["G22", "H37", "H26"]), monkeypatch)
    recorder.axis.broker.refusing.add("mailbox.normal.H26")
    steps = await recorder.consume(document(recipients=["H37", "H26"]))
    # Twice: to all, then to each alone. The model takes both as one.
    assert [step for at, step in enumerate(steps) if steps[at - 1 : at] != [step]] == list(ROUTER)
    assert steps.count("documents") == 2


async def test_the_relay_takes_the_steps_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    await axis.view.look(axis.publisher, ["H37", "H26"])
    axis.broker.away = True
    with pytest.raises(Unavailable):
        await axis.router().handle([document(recipients=["H37", "H26"])], SOURCE)
    axis.broker.away = False
    axis.pass_time()
    recorder = Recorder(axis, monkeypatch)
    axis.broker.refusing.add("mailbox.normal.H26")
    looks = FakePublisher.queue_states

    async def looking(this: FakePublisher, names: Iterable[str]) -> Any:
        recorder.steps.append("look")
        return await looks(this, names)

    monkeypatch.setattr(FakePublisher, "queue_states", looking)
    await recorder.relay()._publish_unmarked()
    seen = list(dict.fromkeys(recorder.steps))
    assert seen == ["hand out", *RELAY]


async def test_what_is_held_goes_one_by_one_and_is_noted_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    axis.broker.refusing.add("mailbox.normal.H37")
    await axis.router().handle([document(), document()], SOURCE)
    axis.broker.refusing.clear()
    recorder = Recorder(axis, monkeypatch)
    await recorder.relay()._release_held()
    assert recorder.steps == ["documents", "documents", "release"]


async def test_the_store_knows_an_id_once_and_tells_the_second_router_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule `on_conflict`; tests/contract/test_store_traffic.py holds PostgreSQL to it and to `notice_not_first`."""
    axis = await axis_of(["G22", "H37"])
    message = document()
    await axis.router().handle([message], SOURCE)
    await axis.router().handle([message], SOURCE)
    assert len(await axis.store.sent("G22", 10)) == 1
    assert len({each.id for each in axis.receipts("G22")}) == 1
