"""What scenarios about a cluster do besides breaking it: they wait, look, and do what an operator has to."""

from collections.abc import Awaitable, Callable, Sequence
from random import Random

from axis.errors import Unavailable
from axis.faults.clusters import TICK_SECONDS, Cluster, ClusterNode
from axis.faults.field import Field
from axis.faults.scenario import Shape

# What the queues need to choose another leader, and clients to find another node (heartbeats of 6 s, two of them), on
# a machine that has other things to do. How long it took is in the report.
GOES_ON_SECONDS = 90.0
# Three brokers share the machine, and a recipient waits for the confirm of every status: with more under way a mailbox
# is behind by so much that nobody could tell whether it moves.
SHAPE = Shape(broker_nodes=3, rate=40.0, limit=40)

# A node that pauses itself looks every second whether the others are back, and then starts anew.
_BY_ITSELF_SECONDS = 30.0
_NOTICED_SECONDS = 3.0 * TICK_SECONDS


Fault = Callable[[Field, Cluster, Random], Awaitable[None]]


async def play_in_turn(field: Field, random: Random, faults: Sequence[Fault], mend: Callable[[Cluster], None]) -> None:
    """Break a cluster and heal it again until it is over; `mend` undoes what a fault that failed has left."""
    cluster = cluster_of(field)
    left: list[Fault] = []
    try:
        while not field.over():
            # Every kind in turn, in an order of chance: a short run sees several of them.
            left = left or random.sample(faults, len(faults))
            await left.pop()(field, cluster, random)
            await field.flowing(GOES_ON_SECONDS)
            await heal(field)
    finally:
        mend(cluster)
    await field.consumed()


def cluster_of(field: Field) -> Cluster:
    """Return the broker of a field that has a cluster."""
    if not isinstance(field.broker, Cluster):
        raise TypeError("this scenario breaks a cluster")
    return field.broker


async def noticed(field: Field, node: ClusterNode) -> None:
    """Wait until the others have noticed that a node is away."""
    cluster = cluster_of(field)
    if not await field.eventually(lambda: cluster.misses(node), _NOTICED_SECONDS):
        field.explain(f"after {_NOTICED_SECONDS:g} s the others have not noticed that {node.name} is away")


async def heal(field: Field) -> None:
    """Wait until the cluster is whole, and do what an operator has to where it does not get there by itself.

    `pause_minority` decides when a node sees the others go. One that stood still sees them go and come in the same
    moment, decides nothing and stays apart: partitions by suspend and resume are documented as not handled. The axis
    goes on with the two others meanwhile; the operator restarts the stray.
    """
    cluster = cluster_of(field)
    try:
        await cluster.whole(_BY_ITSELF_SECONDS)
    except Unavailable:
        for node in await cluster.strays():
            field.event("a stray node is restarted", node=node.name)
            await node.stop()
            await field.flowing(GOES_ON_SECONDS)
            await node.start()
        await cluster.whole()
