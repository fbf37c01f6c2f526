"""What running processes and the broker really show, beside what rules, dashboard and docs/observing.md say."""

from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from axis.local import Services
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
