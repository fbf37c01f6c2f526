"""A body with deadlines."""

import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message

from axis.web.body import Disconnected, read_body
from axis.web.limits import Limits
from axis.web.problems import HttpRefused


def piece(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


class Client:
    """Gives messages, then nothing any more."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self.messages = list(messages)

    async def __call__(self) -> Message:
        if self.messages:
            return self.messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError


async def all_of(client: Client, limits: Limits) -> list[bytes]:
    return [chunk async for chunk in read_body(client, limits)]


async def test_pieces_come_as_they_are() -> None:
    client = Client([piece(b"a"), piece(b""), piece(b"bc"), piece(b"", more=False)])
    assert await all_of(client, Limits()) == [b"a", b"bc"]


async def test_one_piece() -> None:
    assert await all_of(Client([piece(b"abc", more=False)]), Limits()) == [b"abc"]


async def test_an_empty_body() -> None:
    assert await all_of(Client([{"type": "http.request"}]), Limits()) == []


async def test_the_client_leaves() -> None:
    with pytest.raises(Disconnected):
        await all_of(Client([piece(b"a"), {"type": "http.disconnect"}]), Limits())


@pytest.mark.parametrize("limits", [Limits(chunk_seconds=0.01), Limits(grace_seconds=0.01)], ids=["chunk", "overall"])
async def test_the_client_stops(limits: Limits) -> None:
    with pytest.raises(HttpRefused) as caught:
        await all_of(Client([piece(b"a")]), limits)
    assert caught.value.code == "http/slow"
    assert caught.value.status == 408


async def test_what_was_sent_buys_time() -> None:
    """At 1 MB a second, a megabyte sent allows a second more than the grace."""
    limits = Limits(grace_seconds=0.01, slowest_bytes_per_second=1_000_000)

    class Slow(Client):
        async def __call__(self) -> Message:
            if len(self.messages) == 1:
                await asyncio.sleep(0.05)  # longer than the grace alone
            return await super().__call__()

    client = Slow([piece(bytes(10_000_000)), piece(b"end", more=False)])
    assert [len(chunk) for chunk in await all_of(client, limits)] == [10_000_000, 3]
