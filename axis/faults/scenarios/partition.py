"""A cluster of three nodes whose network is torn: what one says the others do not hear, and nobody is told."""

from random import Random

from axis.faults import networks
from axis.faults.clusters import TICK_SECONDS, Cluster
from axis.faults.field import Field
from axis.faults.healing import GOES_ON_SECONDS, SHAPE, noticed, play_in_turn
from axis.faults.scenario import Scenario
from axis.local.programs import find_rabbitmq


async def _play(field: Field, random: Random) -> None:
    faults = [_cut_off, _cut_one_cable] if field.is_long else [_cut_off]
    await play_in_turn(field, random, faults, Cluster.mend)


async def _cut_off(field: Field, cluster: Cluster, random: Random) -> None:
    """Cut a node off: it pauses itself, and the clients that it had find the others."""
    node = random.choice(cluster.nodes)
    field.event("a node is cut off", node=node.name)
    cluster.cut_off(node)
    await noticed(field, node)
    await field.flowing(GOES_ON_SECONDS)
    cluster.mend()


async def _cut_one_cable(field: Field, cluster: Cluster, random: Random) -> None:
    """Cut the cable between two nodes that both still see the third.

    No side is a minority then, and `pause_minority` may pause all three: they go on when the cable is whole.
    """
    one, other = random.sample(cluster.nodes, 2)
    field.event("two nodes do not see each other", nodes=[one.name, other.name])
    cluster.cut(one, other)
    await field.calm(1.5 * TICK_SECONDS)
    cluster.mend()


def _impossible() -> str | None:
    return networks.impossible() if find_rabbitmq() else "there is no RabbitMQ on this machine"


SCENARIO = Scenario(
    number=3,
    name="partition",
    title="A cluster of three nodes: one cut off, two that do not see each other",
    play=_play,
    shape=SHAPE,
    impossible=_impossible,
)
