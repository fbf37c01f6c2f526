"""Traces: what is read of strangers, what goes on to others, and nothing at all where nobody asked."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from axis.client import Agency, AgencySettings
from axis.client.memory import MemoryLedger
from axis.core.lanes import mailbox_queue, notices_queue
from axis.core.messages import Outgoing
from axis.core.tracing import TraceContext
from axis.observe import NO_TRACES, carrying, open_traces
from axis.observe.traces import _REMEMBERED, RememberingTraces
from schemas import StatusCode
from schemas.wire import SIGNATURE_HEADER, TRACE_HEADER
from tests.unit.client.doubles import Clock, Identity, Post, Shelf, identity, paper
from tests.unit.workers.harness import Axis, axis_of, document
from workers.post import Post as WorkersPost
from workers.router import Router
from workers.tracker import Tracker

ROUTE = "axis.route.normal"
HEADER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOSTILE = [
    None,
    7,
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "",
    HEADER[:-1],
    HEADER + "0",
    HEADER + "\n",
    HEADER.upper(),
    HEADER.replace("00-", "01-", 1),
    HEADER.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
    HEADER.replace("b7ad6b7169203331", "0" * 16),
    HEADER.replace("0af7", "٠af7"),
    "00-" + "a" * 100_000,
    [HEADER],
]


def test_a_context_is_read_and_written_as_it_was() -> None:
    context = TraceContext.read(HEADER)
    assert (context.trace_id, context.span_id, context.sampled) == (HEADER[3:35], HEADER[36:52], True)
    assert context.header == HEADER
    assert TraceContext.read(HEADER[:-2] + "00").sampled is False
    assert TraceContext.read(HEADER[:-2] + "ff").header == HEADER  # what other flags say goes to nobody


@pytest.mark.parametrize("header", HOSTILE)
def test_what_is_not_of_the_form_is_no_context_and_counted(header: object) -> None:
    with pytest.raises(ValueError, match="traceparent"):
        TraceContext.read(header)
    counted: list[bool] = []
    traces: Any = _traces(counted.append)
    assert traces.received({TRACE_HEADER: header}) is None
    assert traces.received({}) is None
    assert counted == [False]


@settings(max_examples=50)
@given(st.text())
def test_whatever_is_read_is_written_the_same(text: str) -> None:
    try:
        context = TraceContext.read(text)
    except ValueError:
        return
    assert context.header[:-2] == text[:-2]


def test_only_so_many_contexts_are_remembered() -> None:
    traces: Any = _traces()
    context = TraceContext.read(HEADER)
    for number in range(_REMEMBERED + 1):
        traces.remember(str(number), context)
    traces.remember("1", None)
    assert (traces.recall("0"), traces.recall("1"), len(traces._contexts)) == (None, context, _REMEMBERED)


def test_where_nobody_asked_nothing_is_done_and_nothing_imported() -> None:
    with open_traces("router", None) as traces:
        assert traces is NO_TRACES
    assert traces.received({TRACE_HEADER: HEADER}) is None
    with traces.span("send") as context:
        assert context is None
    message = Outgoing("e", "k", b"", "document", "", "id")
    assert carrying(message, None) is message
    program = (
        "import sys, axis.client, workers.__main__, axis.gateway.app; "
        "sys.exit(any('opentelemetry' in each for each in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_an_address_without_the_library_is_said_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "axis.observe.recording", None)
    with caplog.at_level(logging.WARNING), open_traces("router", "http://127.0.0.1:9/v1/traces") as traces:
        assert traces is NO_TRACES
    assert "pip install .[traces]" in caplog.text


def _traces(came: Any = lambda _: None) -> RememberingTraces:
    class Nothing(RememberingTraces):
        span = NO_TRACES.span

    return Nothing(came)


# From SDK to status, over the fakes


class Recorder:
    """One collector for everybody, and traces for each process."""

    def __init__(self) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        from axis.observe.recording import RecordedTraces

        self.provider = TracerProvider(shutdown_on_exit=False)
        self.exporter = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.counted: list[bool] = []
        self.of_axis = RecordedTraces(self.provider, self.counted.append)
        self.of = {code: RecordedTraces(self.provider) for code in ("G22", "H37")}

    def spans(self, name: str) -> list[Any]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def one(self, name: str) -> Any:
        (span,) = self.spans(name)
        return span


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    pytest.importorskip("opentelemetry.sdk", reason="the extra `traces` is not installed")
    made = Recorder()
    yield made
    made.provider.shutdown()


class Story:
    """Two agencies and the axis between them."""

    def __init__(self, axis: Axis, recorder: Recorder, folder: Path) -> None:
        self.axis, self.recorder, self.folder = axis, recorder, folder
        self.office, self.shelf, self.clock = Post(), Shelf(), Clock()
        self.office.broker = axis.broker
        self.identities: dict[str, Identity] = {code: identity(code) for code in ("G22", "H37")}
        self.shelf.enrol(*self.identities.values())
        post = WorkersPost(
            store=axis.store,
            publisher=axis.publisher,
            view=axis.view,
            log=axis.log,
            metrics=axis.metrics,
            traces=recorder.of_axis,
        )
        shared = {**axis._shared, "post": post}
        self.router, self.tracker = Router(**shared, window=axis.window), Tracker(**shared, window=axis.window)

    async def enrol(self) -> None:
        for each in self.identities.values():
            await self.axis.store.directory.put_certificate(each.certificate)
        await self.axis.view.load()

    def agency(self, code: str, **changes: Any) -> Any:
        settings = AgencySettings(
            code=code,
            amqp_url=SecretStr(f"amqps://{code}:secret@broker.invalid/axis"),
            gateway_url="https://gateway.invalid",
            key=self.identities[code].key,
            axis_certificate=identity("W00", "axis").certificate_pem,
            state_folder=self.folder / code,
            deadline=5.0,
            **{"traces": self.recorder.of[code], **changes},
        )
        return Agency.connect(
            settings,
            transport=self.office,
            gateway=cast("Any", self.shelf),
            ledger=MemoryLedger(),
            now=self.clock,
        )

    async def route(self) -> None:
        await (await self.router.handle(self.axis.broker.messages(ROUTE), ROUTE))()

    async def track(self) -> None:
        await (await self.tracker.handle(self.axis.broker.messages("axis.track"), "axis.track"))()


@pytest.fixture
async def story(recorder: Recorder, tmp_path: Path) -> Story:
    made = Story(await axis_of(["G22", "H37"]), recorder, tmp_path)
    await made.enrol()
    return made


def _id(span: Any) -> str:
    return f"{span.context.span_id:016x}"


def _header(story: Story, queue: str) -> list[object]:
    return [each.headers.get(TRACE_HEADER) for each in story.axis.broker.messages(queue)]


async def test_one_trace_from_sending_to_the_status_that_comes_back(story: Story, recorder: Recorder) -> None:
    async with story.agency("G22") as agency:
        sent = await agency.send(document=paper(), recipients=["H37"])
    send = recorder.one("send")
    await story.route()
    published = {span.attributes["messaging.message.id"]: span for span in recorder.spans("publish")}
    assert len(published) == 2
    document = published[sent.envelope_id]
    assert document.parent.span_id == send.context.span_id
    route = recorder.one("route")
    assert [link.context.span_id for link in route.links] == [send.context.span_id]
    assert route.context.trace_id != send.context.trace_id  # one batch serves many traces
    # What the recipient gets is the trace's id and a span of the axis, nothing else of the sender's.
    assert _header(story, mailbox_queue("normal", "H37")) == [f"00-{send.context.trace_id:032x}-{_id(document)}-01"]
    async with story.agency("H37") as agency:
        async for delivery in agency.inbox(idle=0.2):
            await delivery.accept()
            await agency.report(sent.envelope_id, StatusCode.FINISHED)
    take, reports = recorder.one("take"), recorder.spans("report")
    assert take.parent.span_id == document.context.span_id
    assert len(reports) == 3
    assert {span.parent.span_id for span in reports} == {take.context.span_id}
    await story.track()
    tracks = recorder.spans("track")
    assert {span.parent.span_id for span in tracks} == {span.context.span_id for span in reports}
    told = [each for each in story.axis.broker.messages(notices_queue("G22")) if each.type == "status"]
    spans = {_id(span): span for span in recorder.spans("publish")}
    for each in told:
        context = TraceContext.read(each.headers[TRACE_HEADER])
        assert spans[context.span_id].parent.span_id in {span.context.span_id for span in tracks}
        assert context.trace_id == f"{send.context.trace_id:032x}"
    assert len(told) == 3
    assert {span.context.trace_id for span in recorder.exporter.get_finished_spans()} == {
        send.context.trace_id,
        route.context.trace_id,
    }
    # Nothing that a message says is in a span.
    kept = {key for span in recorder.exporter.get_finished_spans() for key in span.attributes or {}}
    assert kept == {"messaging.system", "messaging.message.id"}
    assert set(recorder.counted) == {True}


async def test_the_callers_own_span_is_the_parent(story: Story, recorder: Recorder) -> None:
    with recorder.provider.get_tracer("application").start_as_current_span("file a document") as own:
        async with story.agency("G22") as agency:
            await agency.send(document=paper(), recipients=["H37"])
    assert recorder.one("send").parent.span_id == own.get_span_context().span_id


async def test_who_sends_without_gets_none_and_statuses_about_it_neither(story: Story, recorder: Recorder) -> None:
    async with story.agency("G22", traces=NO_TRACES) as agency:
        await agency.send(document=paper(), recipients=["H37"])
    await story.route()
    assert _header(story, mailbox_queue("normal", "H37")) == [None]
    async with story.agency("H37") as agency:
        async for delivery in agency.inbox(idle=0.2):
            await delivery.accept()
    await story.track()
    assert [span.name for span in recorder.exporter.get_finished_spans()] == ["route"]
    assert recorder.one("route").links == ()


@pytest.mark.parametrize("header", [7, "x" * 9_000, HEADER.upper()])
async def test_a_bad_context_is_counted_and_the_document_goes_on_without(
    story: Story, recorder: Recorder, header: object
) -> None:
    bare = document()
    await _routed(story, replace(bare, headers={**bare.headers, TRACE_HEADER: header, "tracestate": "G22=secret"}))
    (delivered,) = story.axis.broker.messages(mailbox_queue("normal", "H37"))
    assert set(delivered.headers) == {SIGNATURE_HEADER}
    assert recorder.counted == [False]


async def test_tracestate_and_the_senders_span_reach_nobody_also_when_it_is_refused(
    story: Story, recorder: Recorder
) -> None:
    bare = document()
    await _routed(
        story,
        replace(bare, headers={**bare.headers, TRACE_HEADER: HEADER, "tracestate": "G22=secret", "baggage": "a=b"}),
        replace(bare, body=bare.body + b" ", headers={**bare.headers, TRACE_HEADER: HEADER}),
    )
    queues = (mailbox_queue("normal", "H37"), notices_queue("G22"))
    came = [each for queue in queues for each in story.axis.broker.messages(queue)]
    assert len(came) == 3
    for each in came:
        assert set(each.headers) <= {SIGNATURE_HEADER, TRACE_HEADER}
        context = TraceContext.read(each.headers[TRACE_HEADER])
        assert context.trace_id == HEADER[3:35]
        assert context.span_id != HEADER[36:52]
    assert recorder.counted == [True, True]


async def _routed(story: Story, *submissions: Any) -> None:
    from tests.unit.trust.certified import certified

    for code in ("G22", "H37"):
        await story.axis.store.directory.put_certificate(certified("ed25519", code)[1])
    await story.axis.view.load()
    await (await story.router.handle(submissions, ROUTE))()


async def test_a_collector_that_is_away_is_waited_for_by_nobody(recorder: Recorder) -> None:
    with open_traces("router", "http://127.0.0.1:9/v1/traces", ratio=1.0) as traces, traces.span("send") as context:
        assert context is not None
        assert context.sampled
    with open_traces("router", "http://127.0.0.1:9/v1/traces", ratio=0.0) as traces, traces.span("send") as context:
        assert context is not None
        assert not context.sampled  # whatever the parent says, who sends does not choose
        with traces.span("take", parent=TraceContext.read(HEADER)) as child:
            assert child is not None
            assert not child.sampled
