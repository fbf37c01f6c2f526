"""What every worker shares: logging, signals, and the loop that takes a batch until it is safely done."""

import asyncio
import contextlib
import logging
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import orjson
import structlog

from axis.broker import Batch, Consumer, Publisher
from axis.core.decisions import Refuse
from axis.core.messages import Outgoing, Submission
from axis.errors import Unavailable
from axis.settings import Settings
from workers.metrics import Metrics

Log = structlog.typing.FilteringBoundLogger
Handler = Callable[[Sequence[Submission], str], Awaitable[None]]

_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 15.0


def configure_logging(settings: Settings, worker: str) -> Log:
    """Log JSON lines to standard error, or for people when it is a terminal; return the worker's logger."""
    form = settings.log_format or ("console" if sys.stderr.isatty() else "json")
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    factory: Callable[..., structlog.typing.WrappedLogger]
    renderer: structlog.typing.Processor
    if form == "json":
        renderer = structlog.processors.JSONRenderer(serializer=_json)
        factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        renderer = structlog.dev.ConsoleRenderer()
        factory = structlog.PrintLoggerFactory(sys.stderr)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    log: Log = structlog.get_logger(worker=worker)
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[_Forwarding(log)], force=True)
    return log


class _Forwarding(logging.Handler):
    """Log what the seams and the libraries below them say as lines of ours."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def _json(event: object, **_: object) -> bytes:
    return orjson.dumps(event, default=str)


@contextlib.asynccontextmanager
async def stop_on_signals(log: Log) -> AsyncIterator[asyncio.Event]:
    """Yield an event that SIGTERM or SIGINT sets; a second signal ends the process as Python does by itself."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        stop.set()
        for handled in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(handled)

    for handled in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(handled, on_signal, handled)
    try:
        yield stop
    finally:
        for handled in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(handled)


async def consume(
    consumer: Consumer, queue: str, handler: Handler, *, stop: asyncio.Event, log: Log, metrics: Metrics
) -> None:
    """Hand each batch to the handler until it is done, then ack it as a whole; end when `stop` is set and drained.

    The handler returns only when everything about the batch is committed. While the store is away the batch is kept,
    unacked, and tried again: no message is given up because something else is down.
    """
    async with asyncio.TaskGroup() as group:
        stopper = group.create_task(_stop_consumer(consumer, stop))
        async for batch in consumer.batches():
            started = time.perf_counter()
            if await _until_done(batch, queue, handler, stop=stop, log=log, metrics=metrics):
                await _ack(batch, log)
                metrics.batch(time.perf_counter() - started)
        stopper.cancel()


async def _stop_consumer(consumer: Consumer, stop: asyncio.Event) -> None:
    await stop.wait()
    await consumer.stop()


async def _until_done(
    batch: Batch, queue: str, handler: Handler, *, stop: asyncio.Event, log: Log, metrics: Metrics
) -> bool:
    submissions = tuple(received.submission for received in batch.messages)
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            await handler(submissions, queue)
        except Unavailable as error:
            metrics.away(away=True)
            log.warning("waiting", queue=queue, messages=len(submissions), code=error.code, detail=error.detail)
        else:
            metrics.away(away=False)
            return True
        if await _stopped_within(stop, wait * random.uniform(0.5, 1.0)):  # noqa: S311 - jitter, not a secret
            return False  # unacked: the broker gives the batch to another worker
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def _ack(batch: Batch, log: Log) -> None:
    try:
        await batch.ack()
    except Unavailable as error:
        # The channel is gone, so the broker redelivers the batch; the store knows the ids and nothing happens twice.
        log.info("ack lost", messages=len(batch.messages), detail=error.detail)


def log_refused(log: Log, metrics: Metrics, submission: Submission, refused: Refuse, *, source: str, ms: float) -> None:
    """Log and count one refusal, once."""
    metrics.message(source, "refused", refused.reason)
    log.warning(
        "refused",
        id=submission.message_id,
        account=submission.account,
        source=source,
        code=refused.reason,
        detail=refused.detail,
        receipt=refused.notice is not None,
        quarantined=refused.quarantine is not None,
        ms=ms,
    )


async def every(seconds: float, action: Callable[[], Awaitable[None]], *, stop: asyncio.Event, log: Log) -> None:
    """Run an action again and again until `stop`; what is away is logged and tried again the next time."""
    while True:
        try:
            await action()
        except Unavailable as error:
            log.warning("waiting", code=error.code, detail=error.detail)
        if await _stopped_within(stop, seconds):
            return


async def publish_all(publisher: Publisher, messages: Sequence[Outgoing], *, log: Log, metrics: Metrics) -> set[str]:
    """Publish and await every confirm; return the ids of messages whose every publish was confirmed.

    A failure is logged and left to the relay: what is committed but unmarked is published again.
    """
    outcomes = await publisher.publish_many(messages)
    failed: set[str] = set()
    for message, outcome in zip(messages, outcomes, strict=True):
        metrics.published(message.type, "confirmed" if outcome is None else "failed")
        if outcome is not None:
            failed.add(message.message_id)
            log.warning(
                "publish failed",
                id=message.message_id,
                key=message.routing_key,
                code=outcome.code,
                detail=outcome.detail,
            )
    return {message.message_id for message in messages} - failed
