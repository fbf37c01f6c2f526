"""What running processes and the broker really show, beside what rules, dashboard and docs/observing.md say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from axis.core.tracing import TraceContext
from axis.local import Services
from schemas.wire import TRACE_HEADER
from tests.metrics_page import described
from tests.rig import rig, until
from tests.services import Vhost
from tests.unit.test_deploy import OF_RABBITMQ


async def samples_of(url: str) -> list[Sample]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        page = (await client.get(url)).raise_for_status().text
    return [sample for family in text_string_to_metric_families(page) for sample in family.samples]


async def test_workers_show_what_is_described_and_nobodys_name(vhost: Vhost, database: str, tmp_path: Path) -> None:
    labels = {name: set(each.labels) for each in described().values() for name in each.samples}
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        good = axis.submission(axis.envelope())
        bad = axis.submission(axis.envelope(), routing_key="normal.G22.99")
        async with axis.worker("router") as router:
            await axis.send_as("G22", good, bad)
            await axis.receipts("G22", 2)
            await until(lambda: router.counted("axis_batch_seconds_count"))
            shown = await samples_of(router.page)
        async with axis.worker("relay") as relay:

            async def looked() -> bool:
                return any(each.name == "axis_unpublished" for each in await samples_of(relay.page))

            await until(looked)
            waiting = await samples_of(relay.page)
    for sample in (*shown, *waiting):
        if not sample.name.endswith("_created"):
            assert set(sample.labels) - {"le"} == labels[sample.name], sample
    said = " ".join(" ".join(sample.labels.values()) for sample in shown)
    assert "G22" not in said
    assert "H37" not in said
    ends = {(s.labels["outcome"], s.labels["reason"]) for s in shown if s.name == "axis_messages_total"}
    assert ends == {("accepted", ""), ("refused", "abuse/routing-key")}
    assert {s.labels["kind"] for s in waiting if s.name == "axis_unpublished"} == {"envelope", "notice"}


async def test_the_broker_shows_what_the_rules_ask_it_for(
    vhost: Vhost, database: str, tmp_path: Path, services: Services
) -> None:
    if services.prometheus_url is None:
        pytest.skip("the broker was not started by the tests: where it shows its metrics is not known")
    detailed = f"{services.prometheus_url}/detailed?family=queue_coarse_metrics&family=queue_consumer_count"
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["H37"])
        found: dict[str, set[str]] = {}

        async def all_there() -> bool:
            # The exporter shows a new queue some seconds after it was made.
            for url in (services.prometheus_url, f"{detailed}&vhost={vhost.name}"):
                for sample in await samples_of(url or ""):
                    found.setdefault(sample.name, set()).update(sample.labels)
            return OF_RABBITMQ.keys() <= found.keys()

        try:
            await until(all_there)
        except TimeoutError:
            raise AssertionError(sorted(OF_RABBITMQ.keys() - found.keys())) from None
    assert {name: labels - found[name] for name, labels in OF_RABBITMQ.items() if labels - found[name]} == {}


@asynccontextmanager
async def collector(spans: list[Any]) -> AsyncIterator[str]:
    """Take spans as a collector does (OTLP over HTTP)."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        (size,) = (int(line.split(":")[1]) for line in head.splitlines() if line.startswith("content-length:"))
        request = ExportTraceServiceRequest.FromString(await reader.readexactly(size))
        spans.extend(
            span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
        )
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}/v1/traces"


async def test_a_trace_goes_on_through_a_router_to_the_mailbox(vhost: Vhost, database: str, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="the extra `traces` is not installed")
    came = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    spans: list[Any] = []
    async with rig(vhost, database, tmp_path) as axis, collector(spans) as url:
        await axis.connect(["G22", "H37"])
        plain = axis.submission(axis.envelope())
        traced = replace(plain, headers={**plain.headers, TRACE_HEADER: came.header, "tracestate": "G22=secret"})
        async with axis.worker("router", traces_url=url) as router:
            await axis.send_as("G22", traced, axis.submission(axis.envelope()))
            mail = {each.message_id: each for each in await axis.mail("H37", 2)}
            delivered = TraceContext.read(mail[plain.message_id].headers[TRACE_HEADER])
            assert await router.counted("axis_trace_headers_total", outcome="taken") == 1
    assert sum(TRACE_HEADER in each.headers for each in mail.values()) == 1
    assert not any("tracestate" in each.headers for each in mail.values())
    assert (delivered.trace_id, delivered.sampled) == (came.trace_id, True)
    known = {span.span_id.hex(): span for span in spans}  # it has sent what it had when it ended
    assert known[delivered.span_id].parent_span_id.hex() == came.span_id
    links = [link.span_id.hex() for span in spans if span.name == "route" for link in span.links]
    assert links == [came.span_id]
