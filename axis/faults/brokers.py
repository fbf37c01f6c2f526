"""A private RabbitMQ node that can be killed, stopped, paused and started, with the data it had."""

import abc
import asyncio
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from axis.broker import Link
from axis.errors import Unavailable
from axis.faults.processes import Program, accepts
from axis.local import ports, rabbitmq
from axis.local.layout import give, service_user
from axis.local.programs import Rabbitmq
from axis.local.record import Record

START_SECONDS = 120.0
_API_SECONDS = 15.0
_CTL_SECONDS = 120.0


class Broker(abc.ABC):
    """RabbitMQ as the axis meets it: one node, or several that are one broker."""

    version: str
    record: Record
    amqp_url: str

    @property
    @abc.abstractmethod
    def api_url(self) -> str:
        """The management API."""

    @property
    @abc.abstractmethod
    def alive(self) -> bool:
        """Whether it runs; a paused one does."""

    @property
    def vhost(self) -> str:
        """The virtual host of the axis."""
        return urlsplit(self.amqp_url).path.lstrip("/")

    @abc.abstractmethod
    async def start(self, deadline: float = START_SECONDS) -> None:
        """Start it and return when it takes AMQP connections; nothing happens when it runs."""

    @abc.abstractmethod
    async def kill(self) -> None:
        """SIGKILL; it stays away until `start`. Call `settled` first where queues were just declared."""

    @abc.abstractmethod
    async def stop(self) -> None:
        """Stop it in order, as an operator does; it stays away until `start`."""

    @abc.abstractmethod
    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""

    @abc.abstractmethod
    def resume(self) -> None:
        """SIGCONT."""

    @abc.abstractmethod
    async def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl as the broker's own user and return what it printed; a second or two of a processor."""

    async def erlang(self, module: str, function: str, arguments: str = "") -> str:
        """Call an Erlang function in the node and return what it said; arguments as Erlang terms."""
        return await self.ctl("eval", f"{module}:{function}({arguments}).")

    @abc.abstractmethod
    async def api(self, method: str, path: str, json: Any = None) -> Any:
        """Ask the management API (`path` after /api/): its JSON; None if there is none, or at a 404 to all but PUT."""

    @abc.abstractmethod
    async def settled(self, deadline: float = 30.0) -> None:
        """Wait until the broker has written down which quorum queues it holds."""

    @abc.abstractmethod
    async def close(self) -> None:
        """End it; its data is of no use any more."""

    async def consumers(self, queue: str) -> int:
        """Count who consumes from a queue, as the broker says; -1 when there is no such queue."""
        return (await self.states([queue]))[queue][0]

    async def states(self, queues: list[str]) -> dict[str, tuple[int, int]]:
        """Return queue -> consumers, ready messages; -1 and 0 when there is no such queue."""
        async with Link(self.amqp_url, "faults looking") as link:
            found = await link.queue_states(queues)
        return {name: (-1, 0) if state is None else (state.consumers, state.messages) for name, state in found.items()}

    async def depths(self) -> dict[str, int]:
        """Return queue -> messages, ready and unacked; about a second behind, as statistics are."""
        listed = await self.api("GET", f"queues/{quote(self.vhost, safe='')}?columns=name,messages")
        return {queue["name"]: queue.get("messages", 0) for queue in listed or []}

    async def connections(self, *parts: str) -> list[str]:
        """Return the broker's names of the open connections whose own name (`Link(name=…)`) contains all parts.

        In the order of their own names: the broker's name a port, which would make a choice differ from run to run.
        """
        listed = await self.api("GET", "connections?columns=name,user_provided_name") or []
        named = [(each.get("user_provided_name", ""), each["name"]) for each in listed]
        return [name for own, name in sorted(named) if all(part in own for part in parts)]

    async def close_connection(self, name: str) -> None:
        """Close a connection from the broker's side, as an operator or a broken network would."""
        await self.api("DELETE", f"connections/{quote(name, safe='')}")


class Node(Broker):
    """One node: its port mapper and its server, both direct children."""

    def __init__(self, record: Record, found: Rabbitmq, log_folder: Path) -> None:
        self.record = record
        self.version = found.version
        self.amqp_url = record.amqp_url
        self._api_url = record.api_url
        self.host = ports.LOOPBACK
        self.prefix: tuple[str, ...] = ()  # what its programs' command lines begin with
        self._data = Path(record.data) / "rabbitmq"
        self._ctl = found.server.with_name("rabbitmqctl")
        user = service_user(self._data, "rabbitmq")
        epmd, server = rabbitmq.prepare(found, record, user)
        _quick_statistics(self._data, user)
        self.mapper = Program(epmd, log_folder)
        self.server = Program(server, log_folder)
        parts = urlsplit(record.api_url)
        self._http = httpx.AsyncClient(
            base_url=f"{parts.scheme}://{parts.hostname}:{parts.port}/api/",
            auth=(unquote(parts.username or ""), unquote(parts.password or "")),
            timeout=_API_SECONDS,
            trust_env=False,
        )

    @property
    def api_url(self) -> str:
        """The management API."""
        return self._api_url

    @property
    def pid(self) -> int | None:
        """The server's process (the Erlang machine itself), while it runs."""
        return self.server.pid

    @property
    def alive(self) -> bool:
        """Whether the server runs; a paused one does."""
        return self.server.alive

    async def start(self, deadline: float = START_SECONDS) -> None:
        """Start it and return when it takes AMQP connections; nothing happens when it runs."""
        end = time.monotonic() + deadline
        await self._start_and_await(self.mapper, self.record.ports["epmd"], end)
        # The listeners for AMQP open last.
        await self._start_and_await(self.server, self.record.ports["amqp"], end)

    async def kill(self) -> None:
        """SIGKILL; it stays away until `start`. Call `settled` first where queues were just declared."""
        self.server.kill()
        await self.server.wait()

    async def stop(self) -> None:
        """Stop it in order, as an operator does; it stays away until `start`."""
        self.server.terminate()
        await self.server.wait(_CTL_SECONDS)

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self.server.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self.server.resume()

    async def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl as the broker's own user and return what it printed; a second or two of a processor."""
        return await self._run(str(self._ctl), *arguments)

    async def erlang(self, module: str, function: str, arguments: str = "") -> str:
        """Call an Erlang function in the node; in no time where there is erl_call."""
        program = shutil.which("erl_call")
        if program is None:
            return await super().erlang(module, function, arguments)
        call = f"{module} {function} [{arguments}]"
        return await self._run(program, "-n", self.record.node_name, "-a", call)

    async def _run(self, *command: str) -> str:
        spec = self.server.spec
        process = await asyncio.create_subprocess_exec(
            *self.prefix,
            *command,
            env=dict(spec.env),
            cwd=spec.cwd,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            user=spec.user,
        )
        try:
            async with asyncio.timeout(_CTL_SECONDS):
                out, _ = await process.communicate()
        except TimeoutError as error:
            raise Unavailable(f"{' '.join(command)} has not ended within {_CTL_SECONDS:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise Unavailable(f"{' '.join(command)}: {out.decode(errors='replace')[-500:]}")
        return out.decode(errors="replace")

    async def api(self, method: str, path: str, json: Any = None) -> Any:
        """Ask the management API (`path` after /api/): its JSON; None if there is none, or at a 404 to all but PUT."""
        try:
            answer = await self._http.request(method, path, json=json)
        except httpx.HTTPError as error:
            raise Unavailable(f"{method} {path}: {type(error).__name__}: {error}") from error
        if answer.status_code == httpx.codes.NOT_FOUND and method != "PUT":
            return None
        if answer.is_error:
            raise Unavailable(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    async def settled(self, deadline: float = 30.0) -> None:
        """Wait until the broker has written down which quorum queues it holds.

        BUG: RabbitMQ (seen on 3.10.8) writes that about a second after declaring a queue. Killed before, it comes
        back with the queue, but empty and without a leader for ever: confirmed messages are lost, consumers hang.
        """
        listed = await self.api("GET", "queues?columns=vhost,name,type") or []
        wanted = {f"{each['vhost']}_{each['name']}".encode() for each in listed if each["type"] == "quorum"}
        end = time.monotonic() + deadline
        while wanted:
            written = b"".join(path.read_bytes() for path in (self._data / "data").glob("*/quorum/*/names.dets"))
            wanted = {name for name in wanted if name not in written}
            if wanted and time.monotonic() > end:
                raise Unavailable(f"the broker has not written down {sorted(wanted)}")
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """End it; its data is of no use any more."""
        await self._http.aclose()
        self.server.resume()
        self.server.kill()
        await self.server.close()
        await self.mapper.close()

    async def _start_and_await(self, program: Program, port: int, end: float) -> None:
        program.start()
        while not await accepts(self.host, port):
            if not program.alive or time.monotonic() > end:
                raise Unavailable(f"{program.spec.name} did not start{program.last_words()}")
            await asyncio.sleep(0.05)


def _quick_statistics(data: Path, user: str | None) -> None:
    """Make counts on the management API about a second old; five, and five of quorum queues, are a long time here."""
    (data / "conf.d" / "90-faults.conf").write_text("collect_statistics_interval = 500\n", encoding="ascii")
    (data / "advanced.config").write_text("[{rabbit, [{quorum_tick_interval, 500}]}].\n", encoding="ascii")
    give(data, user)
