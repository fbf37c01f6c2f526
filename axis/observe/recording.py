"""Traces through the OpenTelemetry SDK: the extra `traces`. Imported only where traces are asked for."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context
from opentelemetry.trace import TracerProvider as AnyProvider

from axis.core.tracing import TraceContext
from axis.observe.traces import RememberingTraces

log = logging.getLogger("axis.observe")

_KINDS = {
    "send": SpanKind.PRODUCER,
    "report": SpanKind.PRODUCER,
    "publish": SpanKind.PRODUCER,
    "route": SpanKind.CONSUMER,
    "track": SpanKind.CONSUMER,
    "take": SpanKind.CONSUMER,
}
_LINKS = 128  # of one span: the library's own limit
_EXPORT_SECONDS = 5
_QUEUE = 4_096  # spans that wait to be sent; more are dropped, and nobody waits for a collector that is away


class RecordedTraces(RememberingTraces):
    """Record spans with a provider: of this process, or one that an application has already."""

    def __init__(self, provider: AnyProvider, came: Callable[[bool], None] = lambda _: None) -> None:
        super().__init__(came)
        self._tracer = provider.get_tracer("axis", version("document-axis"))

    @contextlib.contextmanager
    def span(
        self,
        name: str,
        *,
        parent: TraceContext | None = None,
        links: Sequence[TraceContext] = (),
        began: int | None = None,
        message: str | None = None,
    ) -> Iterator[TraceContext | None]:
        """Record what the block does."""
        span = self._tracer.start_span(
            name,
            context=None if parent is None else set_span_in_context(NonRecordingSpan(_remote(parent))),
            kind=_KINDS.get(name, SpanKind.INTERNAL),
            links=[Link(_remote(each)) for each in links[:_LINKS]],
            start_time=began,
            attributes={"messaging.system": "rabbitmq"} | ({"messaging.message.id": message} if message else {}),
        )
        made = span.get_span_context()
        try:
            yield TraceContext(f"{made.trace_id:032x}", f"{made.span_id:016x}", made.trace_flags.sampled)
        finally:
            span.end()


@contextlib.contextmanager
def exporting(service: str, url: str, *, ratio: float, came: Callable[[bool], None]) -> Iterator[RecordedTraces]:
    """Send spans to a collector, from a thread of the library's; what waits at the end has five seconds."""
    resource = Resource({"service.name": f"axis-{service}", "service.version": version("document-axis")})
    provider = TracerProvider(sampler=TraceIdRatioBased(ratio), resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=url, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_QUEUE))
    try:
        yield RecordedTraces(provider, came)
    finally:
        # The library's own deadline is 30 s, and each batch that a deaf collector does not answer takes its five.
        closing = threading.Thread(target=provider.shutdown, name="spans", daemon=True)
        closing.start()
        closing.join(_EXPORT_SECONDS)
        if closing.is_alive():
            log.warning("the collector of traces does not answer: the last spans are dropped")
            exporter.shutdown()


def _remote(context: TraceContext) -> SpanContext:
    return SpanContext(
        int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=TraceFlags(context.sampled)
    )
