"""A RabbitMQ cluster on one machine: three nodes with names, ports, data and, where possible, networks of their own."""

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from axis.errors import Unavailable
from axis.faults.brokers import START_SECONDS, Broker, Node
from axis.faults.networks import Network
from axis.faults.processes import Program
from axis.local import ports
from axis.local.programs import Rabbitmq
from axis.local.record import BROKER_PORTS, Record

SIZE = 3
TICK_SECONDS = 8  # after so long (a quarter more or less) a silent node is down for the others
HEARTBEAT_SECONDS = 6
# Three nodes on one machine: none spins while it waits for work.
_SCHEDULERS = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
_WHOLE_SECONDS = 90.0
_LOOK_SECONDS = 0.2


class ClusterNode(Node):
    """One of the nodes. `reachable`: whether it can be expected to answer."""

    def __init__(self, record: Record, found: Rabbitmq, log_folder: Path, network: Network | None, place: int) -> None:
        super().__init__(record, found, log_folder)
        self.host = ports.LOOPBACK if network is None else network.address(place)
        self.name = record.node_name
        self.paused = False
        self.apart = False
        self._move(network, place, log_folder)

    @property
    def reachable(self) -> bool:
        """Whether it can be expected to answer."""
        return self.alive and not self.paused and not self.apart

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self.paused = True
        super().pause()

    def resume(self) -> None:
        """SIGCONT."""
        self.paused = False
        super().resume()

    def join(self, names: Iterable[str]) -> None:
        """Write down whom to make a cluster with when it starts for the first time."""
        lines = [
            "cluster_partition_handling = pause_minority",
            # Of a queue's three members none is special; the nodes share the work of leading.
            "queue_leader_locator = balanced",
            f"heartbeat = {HEARTBEAT_SECONDS}",
            f"net_ticktime = {TICK_SECONDS}",
            f"listeners.tcp.1 = {self.host}:{self.record.ports['amqp']}",
            f"management.tcp.ip = {self.host}",
            f"prometheus.tcp.ip = {self.host}",
            "cluster_formation.peer_discovery_backend = classic_config",
            *(f"cluster_formation.classic_config.nodes.{number} = {name}" for number, name in enumerate(names, 1)),
        ]
        path = self._data / "conf.d" / "95-cluster.conf"
        path.write_text("\n".join([*lines, ""]), encoding="ascii")
        owner = (self._data / "conf.d").stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    def _move(self, network: Network | None, place: int, log_folder: Path) -> None:
        """Give the processes names of their own and, with a network, move them there."""
        number = str(place + 1)
        epmd = replace(self.mapper.spec, name=f"epmd-{number}")
        env = {
            **self.server.spec.env,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"-kernel inet_dist_use_interface {{{self.host.replace('.', ',')}}} {_SCHEDULERS}"
            ),
        }
        server = replace(self.server.spec, name=f"rabbitmq-{number}", env=env)
        if network is not None:
            self.amqp_url, self._api_url = (_with_host(url, self.host) for url in (self.amqp_url, self._api_url))
            self._http.base_url = httpx.URL(f"http://{self.host}:{self.record.ports['management']}/api/")
            self.prefix = network.inside(place, server.user)
            env |= {"ERL_EPMD_ADDRESS": self.host, "RABBITMQ_USE_LONGNAME": "true"}
            argv = tuple(self.host if each == ports.LOOPBACK else each for each in epmd.argv)
            epmd = replace(epmd, argv=(*self.prefix, *argv), env=env, user=None)
            server = replace(server, argv=(*self.prefix, *server.argv), env=env, user=None)
        self.mapper = Program(epmd, log_folder)
        self.server = Program(server, log_folder)


class Cluster(Broker):
    """Three nodes that are one broker; to others it answers as a single one does."""

    def __init__(self, record: Record, found: Rabbitmq, log_folder: Path, network: Network | None = None) -> None:
        self.network = network
        self.version = found.version
        self.record = record
        taken = ports.choose([f"{name} {place}" for place in range(SIZE) for name in BROKER_PORTS])
        self.nodes: list[ClusterNode] = []
        for place in range(SIZE):
            own = {name: taken[f"{name} {place}"] for name in BROKER_PORTS}
            name, _, host = record.node_name.partition("@")
            node_record = replace(
                record,
                data=f"{record.data}/node-{place + 1}",
                # On one loopback one port mapper knows all nodes; in networks of their own each has one.
                ports={**record.ports, **own, "epmd": taken["epmd 0"]},
                node_name=f"{name}-{place + 1}@{host if network is None else network.address(place)}",
            )
            self.nodes.append(ClusterNode(node_record, found, log_folder, network, place))
        for node in self.nodes:
            node.join(each.name for each in self.nodes)
        hosts = [urlsplit(node.amqp_url).netloc.rpartition("@")[2] for node in self.nodes]
        account, _, _ = urlsplit(self.nodes[0].amqp_url).netloc.rpartition("@")
        self.amqp_url = urlunsplit(urlsplit(self.nodes[0].amqp_url)._replace(netloc=f"{account}@{','.join(hosts)}"))

    @property
    def api_url(self) -> str:
        """The management API of a node that can be expected to answer."""
        return self._any().api_url

    @property
    def alive(self) -> bool:
        """Whether a majority can be expected to work."""
        return sum(node.reachable for node in self.nodes) > SIZE // 2

    async def start(self, deadline: float = START_SECONDS) -> None:
        """Start all nodes and return when they are one cluster."""
        first, *others = self.nodes
        # Somebody has to be there to be joined; of several that start alone each would begin a cluster.
        await first.start(deadline)
        async with asyncio.TaskGroup() as group:
            for node in others:
                group.create_task(node.start(deadline))
        await self.whole()

    async def kill(self) -> None:
        """SIGKILL all nodes."""
        for node in self.nodes:
            node.server.kill()
        for node in self.nodes:
            await node.kill()

    async def stop(self) -> None:
        """Stop all nodes in order."""
        async with asyncio.TaskGroup() as group:
            for node in self.nodes:
                group.create_task(node.stop())

    def pause(self) -> None:
        """SIGSTOP to all nodes."""
        for node in self.nodes:
            node.pause()

    def resume(self) -> None:
        """SIGCONT to all nodes."""
        for node in self.nodes:
            node.resume()

    async def whole(self, deadline: float = _WHOLE_SECONDS) -> None:
        """Wait until every node knows every other and every quorum queue has all its members and a leader."""
        end = time.monotonic() + deadline
        while missing := await self._missing():
            if time.monotonic() >= end:
                raise Unavailable(f"the cluster is not whole after {deadline:g} s: {missing}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def misses(self, node: ClusterNode) -> bool:
        """Say whether the others have noticed that a node is away."""
        listed = await self.api("GET", "nodes") or []
        return any(each["name"] == node.name and not each.get("running") for each in listed)

    async def strays(self) -> list[ClusterNode]:
        """Return the nodes that run and do not see a majority of the others, or that a majority does not see."""
        seen: dict[str, set[str]] = {}
        for node in self.nodes:
            try:
                listed = await node.api("GET", "nodes") or []
            except Unavailable:
                listed = []  # whoever does not even answer sees nobody
            seen[node.name] = {each["name"] for each in listed if each.get("running")}
        return [
            node
            for node in self.nodes
            if sum(node.name in seen[each] and each in seen[node.name] for each in seen) <= SIZE // 2
        ]

    async def leaders(self) -> dict[str, str]:
        """Return queue -> the node that leads it."""
        return {each["name"]: each.get("leader", "") for each in await self._queues(self._any())}

    def cut(self, one: ClusterNode, other: ClusterNode) -> None:
        """Let what two nodes send each other vanish; clients reach both as before."""
        if self.network is None:
            raise Unavailable("a cluster on loopback has no cables to cut")
        self.network.cut(self.nodes.index(one), self.nodes.index(other))

    def cut_off(self, node: ClusterNode) -> None:
        """Cut the cables of one node to all others."""
        node.apart = True
        for other in self.nodes:
            if other is not node:
                self.cut(node, other)

    def mend(self) -> None:
        """Undo every cut."""
        if self.network is not None:
            self.network.mend()
        for node in self.nodes:
            node.apart = False

    async def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl against a node that can be expected to answer."""
        return await self._any().ctl(*arguments)

    async def api(self, method: str, path: str, json: Any = None) -> Any:
        """Ask the management API of a node that can be expected to answer."""
        return await self._any().api(method, path, json)

    async def settled(self, deadline: float = 30.0) -> None:
        """Wait until every node has written down which quorum queues it holds."""
        async with asyncio.TaskGroup() as group:
            for node in self.nodes:
                group.create_task(node.settled(deadline))

    async def close(self) -> None:
        """End it; its data is of no use any more."""
        for node in self.nodes:
            await node.close()
        if self.network is not None:
            self.network.close()

    def _any(self) -> ClusterNode:
        for node in self.nodes:
            if node.reachable:
                return node
        raise Unavailable("no node of the cluster can be expected to answer")

    async def _missing(self) -> str:
        """Say what is missing for the cluster to be whole, as every node sees it; empty when nothing is."""
        for node in self.nodes:
            try:
                listed = await node.api("GET", "nodes") or []
                queues = await self._queues(node)
            except Unavailable as error:
                return error.detail
            running = {each["name"] for each in listed if each.get("running")}
            if away := {each.name for each in self.nodes} - running:
                return f"{node.name} misses {sorted(away)}"
            if torn := [each["name"] for each in listed if each.get("partitions")]:
                return f"{node.name} sees partitions at {torn}"
            for each in queues:
                if len(each.get("online") or ()) < SIZE or each.get("leader") not in running:
                    return f"{node.name} sees {each['name']} with {each.get('online')}, led by {each.get('leader')}"
        return ""

    async def _queues(self, node: ClusterNode) -> Sequence[dict[str, Any]]:
        path = f"queues/{quote(self.vhost, safe='')}?columns=name,type,members,online,leader"
        return [each for each in await node.api("GET", path) or [] if each.get("type") == "quorum"]


def _with_host(url: str, host: str) -> str:
    parts = urlsplit(url)
    account, _, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{account}@{host}:{parts.port}"))
