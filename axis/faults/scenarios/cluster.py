"""A cluster of three nodes of which one is away: killed, stopped, standing still, or cut off. Traffic goes on."""

from collections.abc import Awaitable, Callable
from random import Random

from axis.errors import Unavailable
from axis.faults.clusters import TICK_SECONDS, Cluster, ClusterNode
from axis.faults.field import Field
from axis.faults.scenario import Scenario, Shape
from axis.local.programs import find_rabbitmq

# What the queues need to choose another leader, and clients to find another node (heartbeats of 6 s, two of them).
_GOES_ON_SECONDS = 45.0
# A node that pauses itself looks every second whether the others are back, and then starts anew.
_BY_ITSELF_SECONDS = 30.0
_NOTICED_SECONDS = 3.0 * TICK_SECONDS

# Three brokers share the machine, and a recipient waits for the confirm of every status: with more under way a mailbox
# is behind by so much that nobody could tell whether it moves.
_SHAPE = Shape(broker_nodes=3, rate=40.0, limit=40)

Fault = Callable[[Field, Cluster, Random], Awaitable[None]]


async def _play(field: Field, random: Random) -> None:
    cluster = field.broker
    if not isinstance(cluster, Cluster):
        raise TypeError("this scenario breaks a cluster")
    faults = [_kill, _pause_for_a_moment]
    if cluster.network is not None:
        faults.append(_cut_off)
    if field.is_long:
        faults += [_pause_for_long, _roll]
        if cluster.network is not None:
            faults.append(_cut_one_cable)
    try:
        left: list[Fault] = []
        while not field.over():
            # Every kind in turn, in an order of chance: a short run sees several of them.
            left = left or random.sample(faults, len(faults))
            await left.pop()(field, cluster, random)
            await field.flowing(_GOES_ON_SECONDS)
            await _heal(field, cluster)
    finally:
        cluster.mend()
        cluster.resume()
    await field.consumed()


async def _heal(field: Field, cluster: Cluster) -> None:
    """Wait until the cluster is whole, and do what an operator has to where it does not get there by itself.

    `pause_minority` decides when a node sees the others go. One that stood still sees them go and come in the same
    moment, decides nothing and stays apart: partitions by suspend and resume are documented as not handled. The axis
    goes on with the two others meanwhile; the operator restarts the stray.
    """
    try:
        await cluster.whole(_BY_ITSELF_SECONDS)
    except Unavailable:
        for node in await cluster.strays():
            field.event("a stray node is restarted", node=node.name)
            await node.stop()
            await field.flowing(_GOES_ON_SECONDS)
            await node.start()
        await cluster.whole()


async def _kill(field: Field, cluster: Cluster, random: Random) -> None:
    node = random.choice(cluster.nodes)
    field.event("kill -9 of a node", node=node.name)
    await node.kill()
    await field.flowing(_GOES_ON_SECONDS)
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
    await _noticed(field, cluster, node)
    await field.flowing(_GOES_ON_SECONDS)
    node.resume()


async def _cut_off(field: Field, cluster: Cluster, random: Random) -> None:
    """Cut a node off: it pauses itself, and the clients that it had find the others."""
    node = random.choice(cluster.nodes)
    field.event("a node is cut off", node=node.name)
    cluster.cut_off(node)
    await _noticed(field, cluster, node)
    await field.flowing(_GOES_ON_SECONDS)
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


async def _roll(field: Field, cluster: Cluster, random: Random) -> None:
    """Restart all nodes in order, one after the other, as an upgrade does."""
    for node in random.sample(cluster.nodes, len(cluster.nodes)):
        field.event("a node is restarted in order", node=node.name)
        await node.stop()
        await field.flowing(_GOES_ON_SECONDS)
        await node.start()
        await cluster.whole()


async def _noticed(field: Field, cluster: Cluster, node: ClusterNode) -> None:
    if not await field.eventually(lambda: cluster.misses(node), _NOTICED_SECONDS):
        field.explain(f"after {_NOTICED_SECONDS:g} s the others have not noticed that {node.name} is away")


def _impossible() -> str | None:
    return None if find_rabbitmq() else "there is no RabbitMQ on this machine"


SCENARIO = Scenario(
    number=3,
    name="cluster",
    title="A cluster of three nodes: one killed, paused, cut off; all restarted in turn",
    play=_play,
    shape=_SHAPE,
    impossible=_impossible,
)
