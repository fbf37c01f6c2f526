"""Networks of one's own on one machine: namespaces around a switch, whose cables can be cut without anybody being told.

The namespaces have no names: they are held by processes that end when this one does, whatever ends it, and take the
switch and the cables with them.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable

from axis.errors import Unavailable

_PROGRAMS = ("ip", "unshare", "nsenter", "setpriv")
_SECONDS = 10.0
_BITS = 29
# Set aside for tests of networks (RFC 2544): no route of anybody's leads there.
_SECOND_OCTETS = (18, 19)


def impossible() -> str | None:
    """Say why there can be no networks here; None when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        return f"network namespaces need {', '.join(missing)}"
    try:
        Network(1).close()
    except Unavailable as error:
        return f"network namespaces do not work here: {error.detail}"
    return None


class Network:
    """`size` places on a switch, up to five, numbered from 0; this process reaches all of them."""

    def __init__(self, size: int) -> None:
        self._prefix = f"198.{secrets.choice(_SECOND_OCTETS)}.{secrets.randbelow(256)}."
        self._first = secrets.randbelow(32) * 8 + 1
        self._outer = f"axf{secrets.token_hex(4)}"
        self._cut: set[tuple[int, int]] = set()
        self._holders: list[subprocess.Popen[bytes]] = []
        try:
            self._switch = self._hold()
            self._places = [self._hold() for _ in range(size)]
            self._lay()
        except BaseException:
            self.close()
            raise

    def address(self, place: int) -> str:
        """Return the address of a place."""
        return f"{self._prefix}{self._first + 1 + place}"

    def inside(self, place: int, user: str | None = None) -> tuple[str, ...]:
        """Return what a command has to begin with to run there, as this user; it dies with its parent."""
        become = () if user is None else (f"--reuid={user}", f"--regid={user}", "--init-groups")
        return (*_inside(self._places[place]), "setpriv", *become, "--pdeathsig", "KILL", "--")

    def cut(self, one: int, other: int) -> None:
        """Let what one place sends to the other vanish, and the reverse; connections stay as they are."""
        for here, there in ((one, other), (other, one)):
            if (here, there) not in self._cut:
                self._ip(self._places[here], "route", "add", "blackhole", f"{self.address(there)}/32")
                self._cut.add((here, there))

    def mend(self) -> None:
        """Undo every cut."""
        for here, there in sorted(self._cut):
            self._ip(self._places[here], "route", "del", "blackhole", f"{self.address(there)}/32")
        self._cut.clear()

    def close(self) -> None:
        """End it; what still runs inside keeps its namespace until it ends, without a cable."""
        for holder in self._holders:
            holder.kill()
            holder.communicate()
        self._holders.clear()

    def _hold(self) -> int:
        """Start what keeps a namespace: it ends when our end of its pipe does."""
        holder = subprocess.Popen(
            ["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._holders.append(holder)
        assert holder.stdin is not None  # noqa: S101 - for the type checker
        assert holder.stdout is not None  # noqa: S101 - for the type checker
        try:
            holder.stdin.write(b"there\n")
            holder.stdin.flush()
            answer = holder.stdout.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            _, said = holder.communicate()
            raise Unavailable(said.decode("utf-8", "replace").strip())
        return holder.pid

    def _lay(self) -> None:
        outer = self._outer
        self._ip(None, "link", "add", outer, "type", "veth", "peer", "name", "out0", "netns", str(self._switch))
        self._ip(None, "addr", "add", f"{self._prefix}{self._first}/{_BITS}", "dev", outer)
        self._ip(None, "link", "set", outer, "up")
        self._ip(self._switch, "link", "add", "switch0", "type", "bridge")
        self._ip(self._switch, "link", "set", "switch0", "up")
        self._plug("out0")
        for number, place in enumerate(self._places):
            port = f"port{number}"
            peer = ("peer", "name", "eth0", "netns", str(place))
            self._ip(self._switch, "link", "add", port, "type", "veth", *peer)
            self._plug(port)
            self._ip(place, "link", "set", "lo", "up")
            self._ip(place, "addr", "add", f"{self.address(number)}/{_BITS}", "dev", "eth0")
            self._ip(place, "link", "set", "eth0", "up")

    def _plug(self, port: str) -> None:
        self._ip(self._switch, "link", "set", port, "master", "switch0")
        self._ip(self._switch, "link", "set", port, "up")

    def _ip(self, namespace: int | None, *arguments: str) -> None:
        _run([*(() if namespace is None else _inside(namespace)), "ip", *arguments])


def _inside(namespace: int) -> tuple[str, ...]:
    return ("nsenter", f"--net=/proc/{namespace}/ns/net", "--")


def _run(command: Iterable[str]) -> None:
    argv = list(command)
    try:
        subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(argv)}: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(argv)}: {error}") from error
