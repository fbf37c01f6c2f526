"""A cluster of three nodes of which one is away: killed, stopped, or standing still. Traffic goes on."""

from random import Random

from axis.faults.clusters import TICK_SECONDS, Cluster
from axis.faults.field import Field
from axis.faults.healing import GOES_ON_SECONDS, SHAPE, noticed, play_in_turn
from axis.faults.scenario import Scenario
from axis.local.programs import find_rabbitmq


async def _play(field: Field, random: Random) -> None:
    faults = [_kill, _pause_for_a_moment, _pause_for_long, _roll] if field.is_long else [_kill, _pause_for_a_moment]
    await play_in_turn(field, random, faults, Cluster.resume)


async def _kill(field: Field, cluster: Cluster, random: Random) -> None:
    node = random.choice(cluster.nodes)
    field.event("kill -9 of a node", node=node.name)
    await node.kill()
    await field.flowing(GOES_ON_SECONDS)
    await node.start()


async def _pause_for_a_moment(field: Field, cluster: Cluster, random: Random) -> None:
    """Shorter than the others take to notice: nothing moves that needs this node, and nothing is lost."""
    node = random.choice(cluster.nodes)
    field.event("a node stands still for a moment", node=node.name)
    node.pause()
    await field.calm(random.uniform(0.2, 0.5) * TICK_SECONDS)
    node.resume()


async def _pause_for_long(field: Field, cluster: Cluster, random: Random) -> None:
    """Longer than that: the others go on without it, and it finds itself in the minority when it wakes up."""
    node = random.choice(cluster.nodes)
    field.event("a node stands still for long", node=node.name)
    node.pause()
    await noticed(field, node)
    await field.flowing(GOES_ON_SECONDS)
    node.resume()


async def _roll(field: Field, cluster: Cluster, random: Random) -> None:
    """Restart all nodes in order, one after the other, as an upgrade does."""
    for node in random.sample(cluster.nodes, len(cluster.nodes)):
        field.event("a node is restarted in order", node=node.name)
        await node.stop()
        await field.flowing(GOES_ON_SECONDS)
        await node.start()
        await cluster.whole()


def _impossible() -> str | None:
    return None if find_rabbitmq() else "there is no RabbitMQ on this machine"


SCENARIO = Scenario(
    number=3,
    name="cluster",
    title="A cluster of three nodes: one killed or paused; all restarted in turn",
    play=_play,
    shape=SHAPE,
    impossible=_impossible,
)
