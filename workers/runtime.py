"""What every worker shares: logging, signals, and waiting for what is away."""

import asyncio
import contextlib
import logging
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson
import structlog

from axis.core import secrecy
from axis.core.decisions import Refuse
from axis.core.messages import Submission
from axis.errors import Unavailable
from axis.settings import Settings
from workers.metrics import Metrics

Log = structlog.typing.FilteringBoundLogger
Finish = Callable[[], Awaitable[None]]
Handler = Callable[[Sequence[Submission], str], Awaitable[Finish]]

_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 15.0
_SLICE_SECONDS = 0.005

_T = TypeVar("_T")


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


@dataclass(frozen=True, slots=True)
class Waiter:
    """Waits, for the handler of one queue, until what is away is there again."""

    queue: str
    stop: asyncio.Event
    log: Log
    metrics: Metrics

    async def until_done(self, action: Callable[[], Awaitable[_T]]) -> _T | None:
        """Run the action, again after growing waits while something is away; None: told to stop while waiting."""
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                result = await action()
            except Unavailable as error:
                self.metrics.away(away=True)
                self.log.warning("waiting", queue=self.queue, code=error.code, detail=error.detail)
            else:
                self.metrics.away(away=False)
                return result
            if await stopped_within(self.stop, wait * random.uniform(0.5, 1.0)):  # noqa: S311 - jitter, not a secret
                return None
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


class Pause:
    """Let others run, when awaited after each step of long work: the other lane must not wait for all of it."""

    def __init__(self) -> None:
        self._until = time.perf_counter() + _SLICE_SECONDS

    async def __call__(self) -> None:
        """Yield to the event loop if this has run for long enough."""
        if time.perf_counter() >= self._until:
            await asyncio.sleep(0)
            self._until = time.perf_counter() + _SLICE_SECONDS


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until `stop` is set; say whether it is."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


def log_refused(log: Log, metrics: Metrics, submission: Submission, refused: Refuse, *, source: str, ms: float) -> None:
    """Log and count one refusal, once."""
    metrics.messages(source, "refused", refused.reason)
    log.warning(
        "refused",
        id=refused.message_id,
        account=submission.account,
        source=source,
        code=refused.reason,
        detail=refused.detail,
        receipt=refused.notice is not None,
        quarantined=refused.quarantine is not None,
        ms=ms,
    )


def log_poison(log: Log, refused: Refuse, error: Exception, *, source: str) -> None:
    """Log a failure of ours over one message."""
    if refused.reason == secrecy.CODE:
        log.error("poison", source=source, message_id=refused.message_id)  # a traceback may repeat what it says
    else:
        log.error("poison", source=source, message_id=refused.message_id, exc_info=error)


async def every(seconds: float, action: Callable[[], Awaitable[None]], *, stop: asyncio.Event, log: Log) -> None:
    """Run an action again and again until `stop`; what is away is logged and tried again the next time."""
    while True:
        try:
            await action()
        except Unavailable as error:
            log.warning("waiting", code=error.code, detail=error.detail)
        if await stopped_within(stop, seconds):
            return
