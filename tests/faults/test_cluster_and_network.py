"""Short versions of what is done to a cluster, to the network and to clocks: nothing is lost, doubled, misordered."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from axis.broker import Link, Publisher, consumer
from axis.core.messages import Outgoing
from axis.faults.field import Field
from axis.faults.healing import cluster_of
from axis.faults.playing import play_on
from axis.faults.scenario import Budget
from axis.faults.scenarios import SCENARIOS
from tests.faults.fields import held_open

# The deadlines are those of the field; this one is for a machine that has other things to do.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cluster() -> AsyncIterator[Field]:
    """An axis on three brokers: starting them takes longer than breaking them."""
    if reason := SCENARIOS["cluster"].impossible():
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        # Of agencies, whose consumers on a node that was killed are counted until it is back: longer than a node needs
        # to notice that another is away, and than two heartbeats of this cluster.
        patch.setattr(consumer, "_UNNOTICED_SECONDS", 15.0)
        async with held_open(SCENARIOS["cluster"].shape) as opened:
            yield opened


@pytest.mark.parametrize("name", ["cluster", "partition"])
async def test_nothing_goes_missing_on_a_cluster(cluster: Field, name: str) -> None:
    if reason := SCENARIOS[name].impossible():
        pytest.skip(reason)
    await _plays_clean(cluster, name, events=1, seed=2)


async def test_a_channel_that_met_a_queue_without_a_leader_publishes_to_it_later(cluster: Field) -> None:
    """RabbitMQ 3.10 nacks on such a channel for ever; only a new one finds the new leader."""
    broker = cluster_of(cluster)
    names = [f"led.{number}" for number in range(12)]
    paths = [f"queues/{quote(broker.vhost, safe='')}/{name}" for name in names]
    for path in paths:
        await broker.api("PUT", path, {"durable": True, "arguments": {"x-queue-type": "quorum"}})
    await broker.whole()
    await broker.settled()
    leaders = await broker.leaders()
    victim, survivor = broker.nodes[:2]
    left = [name for name in names if leaders[name] == victim.name]
    assert left
    async with Link(survivor.amqp_url, "publishing") as link, asyncio.timeout(60):
        publisher = Publisher(link)
        await victim.kill()
        while left:
            sent = [Outgoing("", name, b"{}", "document", "application/json", name) for name in left]
            outcomes = await publisher.publish_many(sent)
            left = [name for name, outcome in zip(left, outcomes, strict=True) if outcome is not None]
    # The last test on this cluster: nobody needs the victim back.


async def test_nothing_goes_missing_on_a_bad_network() -> None:
    if reason := SCENARIOS["network"].impossible():
        pytest.skip(reason)
    async with held_open(SCENARIOS["network"].shape) as field:
        # Connections reset, a clock too far wrong, connections that die in silence, a line cut.
        await _plays_clean(field, "network", events=4, seed=31)


async def _plays_clean(field: Field, name: str, *, events: int, seed: int) -> None:
    found = await play_on(field, SCENARIOS[name], Budget(events=events), seed=seed)
    assert found.clean, found.findings
    assert found.sent
    assert field.events.total() >= events
