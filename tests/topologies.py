"""A topology without accounts, for tests on the broker that all tests share: accounts are the whole broker's."""

from axis.broker import ManagementApi
from axis.core.topology import Topology, WorkerUser, desired, difference
from tests.builders import NOW, PASSWORD_HASH, mailbox
from tests.services import Vhost


def _without_users(topology: Topology) -> Topology:
    return Topology.of(item for item in topology.items() if item.kind in {"exchange", "queue", "binding", "policy"})


def queues_of(*codes: str) -> Topology:
    """Return everything mailboxes of these codes need, and no accounts or rights."""
    boxes = [mailbox(code) for code in codes]
    return _without_users(desired(boxes, worker_user=WorkerUser("axis-worker", PASSWORD_HASH), at=NOW))


async def apply_queues(vhost: Vhost, *codes: str) -> None:
    """Bring a virtual host to `queues_of` these codes."""
    async with ManagementApi(vhost.api_url, vhost.name) as api:
        there = _without_users(await api.actual())
        await api.apply(difference(queues_of(*codes), there), lambda _: None)
