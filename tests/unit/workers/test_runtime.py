import asyncio
import json
import logging
import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest
import structlog
from pydantic import SecretStr

from axis.broker import Consumer
from axis.core.messages import Outgoing, Submission
from axis.errors import Unavailable
from axis.settings import Settings
from tests.unit.workers.harness import Axis, axis_of
from workers import runtime
from workers.consuming import consume
from workers.runtime import Finish, Handler, configure_logging, every, stop_on_signals

QUEUE = "mailbox.normal.H37"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_FIRST_WAIT_SECONDS", 0.001)


async def filled(count: int) -> Axis:
    axis = await axis_of(["G22", "H37"])
    for number in range(count):
        message = Outgoing("axis.deliver", QUEUE, b"{}", "document", "x", message_id=str(number))
        assert await axis.broker.route(message) is None
    return axis


async def nothing_left() -> None:
    pass


async def run(axis: Axis, handler: Handler, stop: asyncio.Event, *, batch: int = 2) -> None:
    consumer = cast("Consumer", axis.broker.consumer(QUEUE, batch=batch))
    async with asyncio.timeout(10):
        await consume(consumer, QUEUE, handler, stop=stop, log=axis.log, metrics=axis.metrics)


async def test_a_batch_is_tried_again_until_it_is_done_and_only_then_acked() -> None:
    axis, stop, tries = await filled(4), asyncio.Event(), list[tuple[str | None, ...]]()

    async def handler(batch: Sequence[Submission], _: str) -> Finish:
        tries.append(tuple(each.message_id for each in batch))
        if len(tries) < 3:
            raise Unavailable("the database is away")
        if len(tries) == 4:
            stop.set()
        return nothing_left

    await run(axis, handler, stop)
    assert tries == [("0", "1"), ("0", "1"), ("0", "1"), ("2", "3")]
    assert axis.broker.messages(QUEUE) == ()
    assert [entry["detail"] for entry in axis.events("waiting")] == ["the database is away"] * 2
    assert axis.metrics.registry.get_sample_value("axis_unavailable", {"worker": "test"}) == 0


async def test_told_to_stop_while_waiting_it_gives_the_batch_back() -> None:
    axis, stop = await filled(3), asyncio.Event()

    async def handler(_batch: Sequence[Submission], _: str) -> Finish:
        stop.set()
        raise Unavailable("away")

    await run(axis, handler, stop)
    assert [each.message_id for each in axis.broker.messages(QUEUE)] == ["0", "1", "2"]
    assert axis.metrics.registry.get_sample_value("axis_unavailable", {"worker": "test"}) == 1


async def test_a_fault_that_is_not_an_absence_ends_the_worker_and_loses_nothing() -> None:
    axis, stop = await filled(2), asyncio.Event()

    async def handler(_batch: Sequence[Submission], _: str) -> Finish:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await run(axis, handler, stop)
    assert caught.group_contains(ZeroDivisionError)
    assert len(axis.broker.messages(QUEUE)) == 2


async def test_a_batch_is_finished_while_the_next_is_handled_and_acked_only_then() -> None:
    axis, stop, story = await filled(6), asyncio.Event(), list[str]()
    handled = asyncio.Event()

    async def handler(batch: Sequence[Submission], _: str) -> Finish:
        first = batch[0].message_id or ""
        story.append(f"handle {first}")
        if first == "2":
            handled.set()

        async def finish() -> None:
            if first == "0":
                await handled.wait()
            story.append(f"finish {first}")
            if first == "4":
                stop.set()
            if first == "2" and story.count("finish 2") == 1:
                raise Unavailable("the broker is away")

        return finish

    await run(axis, handler, stop)
    assert story == ["handle 0", "handle 2", "finish 0", "handle 4", "finish 2", "finish 2", "finish 4"]
    assert axis.broker.messages(QUEUE) == ()


async def test_an_ack_that_is_lost_is_no_fault() -> None:
    axis, stop = await filled(2), asyncio.Event()

    async def handler(_batch: Sequence[Submission], _: str) -> Finish:
        axis.broker.away = True
        stop.set()
        return nothing_left

    await run(axis, handler, stop)
    assert len(axis.events("ack lost")) == 1
    assert [each.redelivered for each in axis.broker.messages(QUEUE)] == [True, True]


async def test_a_repeated_action_outlives_what_is_away() -> None:
    axis, stop, calls = await filled(0), asyncio.Event(), list[None]()

    async def action() -> None:
        calls.append(None)
        if len(calls) == 3:
            stop.set()
        if len(calls) < 3:
            raise Unavailable("away")

    async with asyncio.timeout(10):
        await every(0.001, action, stop=stop, log=axis.log)
    assert (len(calls), len(axis.events("waiting"))) == (3, 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_and_the_second_one_is_python_s_own(number: signal.Signals) -> None:
    axis = await filled(0)
    async with stop_on_signals(axis.log) as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            await stop.wait()
    assert signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}
    assert [entry["signal"] for entry in axis.events("stopping")] == [number.name]


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_as_before")
def test_every_line_is_json_those_of_the_seams_and_libraries_too(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    secret = SecretStr("x")
    settings = Settings(amqp_url=secret, rabbitmq_api_url=secret, database_url=secret, log_format="json")
    log = configure_logging(settings, "router")
    log.info("accepted", id="x\ny")
    logging.getLogger("axis.broker").warning("%s: the consumer is gone\n", "axis.track")
    try:
        json.loads("")
    except ValueError:
        log.exception("poison")
        logging.getLogger("asyncio").exception("never retrieved")
    logging.getLogger("httpx").info("not ours to tell")
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsysbinary.readouterr().err.splitlines()]
    assert [(each["level"], each["event"]) for each in lines] == [
        ("info", "accepted"),
        ("warning", "axis.track: the consumer is gone\n"),
        ("error", "poison"),
        ("error", "never retrieved"),
    ]
    assert {each["worker"] for each in lines} == {"router"}
    assert lines[1]["logger"] == "axis.broker"
    assert all("JSONDecodeError" in each["exception"] for each in lines[2:])
