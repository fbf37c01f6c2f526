"""Networks in namespaces: cables that are cut without anybody being told, and nothing that stays behind."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from axis.faults import networks
from axis.faults.networks import Network

PORT = 5555
SERVE = f"""
import socket, sys
server = socket.create_server((sys.argv[1], {PORT}))
print("there", flush=True)
while True:
    server.accept()[0].close()
"""
CONNECT = f"""
import socket, sys
try:
    socket.create_connection((sys.argv[1], {PORT}), timeout=0.5).close()
except OSError:
    sys.exit(1)
"""

if reason := networks.impossible():
    pytest.skip(reason, allow_module_level=True)


@contextlib.contextmanager
def serving(network: Network, place: int) -> Iterator[None]:
    command = [*network.inside(place), sys.executable, "-c", SERVE, network.address(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"there\n"
            yield
        finally:
            server.kill()


def reaches(network: Network, one: int, other: int) -> bool:
    command = [*network.inside(one), sys.executable, "-c", CONNECT, network.address(other)]
    return subprocess.run(command, timeout=20, check=False).returncode == 0


def interfaces() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def test_a_cut_cable_is_cut_for_those_two_only_and_can_be_mended() -> None:
    network = Network(3)
    try:
        with serving(network, 0):
            socket.create_connection((network.address(0), PORT), timeout=5).close()
            assert reaches(network, 1, 0)
            network.cut(0, 1)
            network.cut(0, 1)
            assert not reaches(network, 1, 0)
            assert reaches(network, 2, 0)
            socket.create_connection((network.address(0), PORT), timeout=5).close()
            network.mend()
            assert reaches(network, 1, 0)
    finally:
        network.close()


def test_nothing_stays_behind_when_the_program_is_killed() -> None:
    program = "from axis.faults.networks import Network\nn = Network(2)\nprint(n._outer, flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        name = holder.stdout.readline().strip()
        assert name in interfaces()
        holder.kill()
    end = time.monotonic() + 20
    while name in interfaces():
        assert time.monotonic() < end, f"{name} is still there"
        time.sleep(0.01)
