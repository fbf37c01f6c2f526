"""Traces of documents across the broker, where they are asked for; nothing of it is done elsewhere.

The context goes with a message as the header `traceparent` (W3C Trace Context). It is no part of what is signed,
decides nothing, and is not stored: what a relay publishes again, or a worker after a restart, goes without one. Between
two steps of one process it is remembered by the id of the message, so many of them and no more.
"""

import contextlib
import logging
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from axis.core.messages import Outgoing
from axis.core.tracing import TraceContext
from schemas.wire import TRACE_HEADER

log = logging.getLogger("axis.observe")

_REMEMBERED = 10_000


class Traces(ABC):
    """What one process does for traces; `NO_TRACES` does nothing."""

    @abstractmethod
    def span(
        self,
        name: str,
        *,
        parent: TraceContext | None = None,
        links: Sequence[TraceContext] = (),
        began: int | None = None,
        message: str | None = None,
    ) -> AbstractContextManager[TraceContext | None]:
        """Record what the block does, as one span; yields its context, None where nothing is recorded.

        `parent` None: what the caller's own code has current, or a new trace. `began`: nanoseconds since 1970, when it
        began before the block. `message` is an id; nothing else of a message is ever recorded.
        """

    @abstractmethod
    def received(self, headers: Mapping[str, object]) -> TraceContext | None:
        """Read the context that came with a message; one that is not of the form is counted, and is none."""

    @abstractmethod
    def remember(self, message_id: str, context: TraceContext | None) -> None:
        """Keep a context for the next step."""

    @abstractmethod
    def recall(self, message_id: str) -> TraceContext | None:
        """Return what was kept last."""


class _NoTraces(Traces):
    @contextlib.contextmanager
    def span(
        self,
        name: str,  # noqa: ARG002 - the seam's
        *,
        parent: TraceContext | None = None,  # noqa: ARG002 - the seam's
        links: Sequence[TraceContext] = (),  # noqa: ARG002 - the seam's
        began: int | None = None,  # noqa: ARG002 - the seam's
        message: str | None = None,  # noqa: ARG002 - the seam's
    ) -> Iterator[None]:
        yield None

    def received(self, headers: Mapping[str, object]) -> None:
        pass

    def remember(self, message_id: str, context: TraceContext | None) -> None:
        pass

    def recall(self, message_id: str) -> None:
        pass


NO_TRACES: Traces = _NoTraces()


class RememberingTraces(Traces):
    """The half of traces that needs no library."""

    def __init__(self, came: Callable[[bool], None] = lambda _: None) -> None:
        self._came = came
        self._contexts: OrderedDict[str, TraceContext] = OrderedDict()

    def received(self, headers: Mapping[str, object]) -> TraceContext | None:
        """Read the context that came with a message, and tell `came` whether it is one."""
        if TRACE_HEADER not in headers:
            return None
        try:
            context = TraceContext.read(headers[TRACE_HEADER])
        except ValueError:
            self._came(False)  # noqa: FBT003 - the callback's only argument
            return None
        self._came(True)  # noqa: FBT003 - the same
        return context

    def remember(self, message_id: str, context: TraceContext | None) -> None:
        """Keep a context for the next step."""
        if context is None:
            return
        self._contexts[message_id] = context
        self._contexts.move_to_end(message_id)
        while len(self._contexts) > _REMEMBERED:
            self._contexts.popitem(last=False)

    def recall(self, message_id: str) -> TraceContext | None:
        """Return what was kept last."""
        return self._contexts.get(message_id)


@contextlib.contextmanager
def following(traces: Traces, name: str, message_id: str, headers: Mapping[str, object]) -> Iterator[None]:
    """Record what the block does with a message that came in a trace; what follows from it goes on from there."""
    came = traces.received(headers)
    if came is None:
        yield
        return
    with traces.span(name, parent=came, message=message_id) as context:
        traces.remember(message_id, context)
        yield


def carrying(message: Outgoing, context: TraceContext | None) -> Outgoing:
    """Send a context with a message."""
    if context is None:
        return message
    return replace(message, headers={**message.headers, TRACE_HEADER: context.header})


@contextlib.contextmanager
def open_traces(
    service: str, url: str | None, *, ratio: float = 1.0, came: Callable[[bool], None] = lambda _: None
) -> Iterator[Traces]:
    """Record traces and send them to `url` (OTLP over HTTP, `…/v1/traces`) until the block ends.

    Without an address, or without the extra `traces`, nothing is imported and nothing done; the latter is said. Of each
    trace all is recorded or nothing, `ratio` of them (0 to 1), chosen by the trace id and not by who sends it.
    """
    if url is None:
        yield NO_TRACES
        return
    try:
        from axis.observe.recording import exporting  # noqa: PLC0415 - only where it is asked for
    except ImportError as error:
        log.warning("AXIS_TRACES_URL is set, and the extra is not installed (pip install .[traces]): %s", error)
        yield NO_TRACES
        return
    with exporting(service, url, ratio=ratio, came=came) as traces:
        yield traces
