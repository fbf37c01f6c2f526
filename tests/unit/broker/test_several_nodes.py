"""A broker of several nodes: one that is gone or stands still is left for the next."""

import time

import pytest

from axis.broker import Link
from axis.errors import Unavailable
from axis.local.ports import free_port
from tests.unit.broker.scripted import Peer, broker, until_closed


def address(*ports: int | str) -> str:
    return f"amqp://user:s3cret@{','.join(f'127.0.0.1:{port}' for port in ports)}/"


def port_of(url: str) -> str:
    return url.rpartition(":")[2].rstrip("/")


async def work(peer: Peer) -> None:
    await peer.shake_hands()
    await until_closed(peer)


async def say_nothing(peer: Peer) -> None:
    await peer.reader.read()


async def test_a_node_that_is_away_is_passed_over() -> None:
    async with broker(*[work] * 8) as url:
        for _ in range(8):  # whichever is tried first
            async with Link(address(free_port(), port_of(url)), "test") as link:
                assert link.connected


async def test_a_node_that_stands_still_has_its_share_of_the_deadline_only() -> None:
    async with broker(say_nothing) as still, broker(work) as url:
        link = Link(address(port_of(still), port_of(url)), "test", deadline=2.0)
        if link._places[0].port != int(port_of(still)):
            link._places.rotate(-1)
        started = time.monotonic()
        async with link:
            assert link.connected
        assert time.monotonic() - started >= 1.0


async def test_after_a_lost_connection_the_next_node_is_asked_first() -> None:
    async with broker(work) as one, broker(work) as two, Link(address(port_of(one), port_of(two)), "test") as link:
        link.drop(Unavailable("lost"))
        async with link:  # both brokers want their one connection
            assert link.connected


async def test_no_node_at_all_says_why() -> None:
    with pytest.raises(Unavailable, match="cannot connect"):
        async with Link(address(free_port(), free_port()), "test"):
            pass
