"""Timestamps of checkpoints: one that OpenSSL made (tests/vectors/log), and authorities that misbehave."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from rfc3161_client import decode_timestamp_response

from axis.errors import Misconfigured, Refused, Unavailable
from axis.proving import Checkpoint
from axis.proving.timestamps import fetch_timestamp, read_roots, verify_timestamp
from axis.trust import DemonstrationCA
from tests.stamping import timestamp_authority

VECTORS = Path(__file__).parents[2] / "vectors" / "log"
CHECKPOINT = Checkpoint("axis.example/log", 5, bytes(range(32)))
STAMP = (VECTORS / "checkpoint-5.tsr").read_bytes()
ROOTS = read_roots((VECTORS / "tsa-root.pem").read_bytes())
AT = dt.datetime(2026, 11, 29, 11, 43, 33, tzinfo=dt.UTC)


def refused(timestamp: bytes, checkpoint: Checkpoint = CHECKPOINT) -> None:
    with pytest.raises(Refused) as error:
        verify_timestamp(timestamp, checkpoint, ROOTS)
    assert error.value.code == "log/timestamp"


def test_a_timestamp_says_when_its_checkpoint_was_there() -> None:
    assert verify_timestamp(STAMP, CHECKPOINT, ROOTS) == AT


@pytest.mark.parametrize(
    "other",
    [
        Checkpoint("axis.example/log", 6, CHECKPOINT.root),
        Checkpoint("axis.example/other", 5, CHECKPOINT.root),
        Checkpoint("axis.example/log", 5, bytes(32)),
    ],
)
def test_it_is_of_no_other_checkpoint(other: Checkpoint) -> None:
    refused(STAMP, other)


def test_any_altered_byte_fails_or_changes_nothing() -> None:
    """DER has bytes that nobody signs (the status around the token); what verifies says the very same time."""
    for at in range(0, len(STAMP), 3):
        altered = STAMP[:at] + bytes([STAMP[at] ^ 0x01]) + STAMP[at + 1 :]
        with contextlib.suppress(Refused):
            assert verify_timestamp(altered, CHECKPOINT, ROOTS) == AT


@pytest.mark.parametrize("timestamp", [b"", b"no DER", STAMP[:-1], STAMP * 80])
def test_what_is_no_timestamp(timestamp: bytes) -> None:
    refused(timestamp)


def test_an_authority_nobody_trusts(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    DemonstrationCA.open_or_create(tmp_path, now)
    stranger = read_roots(next(tmp_path.glob("*certificate*.pem")).read_bytes())
    for roots in ((), stranger):
        with pytest.raises(Refused, match="log/timestamp"):
            verify_timestamp(STAMP, CHECKPOINT, roots)
    with pytest.raises(Misconfigured):
        read_roots(b"no certificate")


async def fetched(answer: Callable[[httpx.Request], httpx.Response]) -> bytes:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        return await fetch_timestamp(http, "http://tsa.example/", CHECKPOINT)


async def test_a_timestamp_is_asked_for_and_kept_as_it_came(tmp_path: Path) -> None:
    authority = timestamp_authority(tmp_path / "tsa")

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/timestamp-query"
        return httpx.Response(200, content=authority.answer(request.content))

    timestamp = await fetched(answer)
    at = verify_timestamp(timestamp, CHECKPOINT, read_roots(authority.root.read_bytes()))
    assert abs(dt.datetime.now(dt.UTC) - at) < dt.timedelta(minutes=5)


def _away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    "answer",
    [
        _away,
        lambda _: httpx.Response(500),
        lambda _: httpx.Response(302, headers={"location": "http://elsewhere.example/"}),
        lambda _: httpx.Response(200, content=b"<html>"),
        lambda _: httpx.Response(200, content=b"\0" * 100_000),
        lambda _: httpx.Response(200, content=STAMP),  # of this checkpoint, but for another request
    ],
)
async def test_an_authority_that_is_away_or_answers_something_else(
    answer: Callable[[httpx.Request], httpx.Response],
) -> None:
    with pytest.raises(Unavailable, match="timestamp authority"):
        await fetched(answer)


@pytest.mark.parametrize("url", ["", "tsa.example", "http://[::", "ftp://tsa.example/"])
async def test_an_address_that_is_none_delays_timestamps_and_nothing_else(url: str) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(Unavailable, match="timestamp authority is away"):
            await fetch_timestamp(http, url, CHECKPOINT)


class Trickle(httpx.AsyncByteStream):
    """A byte now and then, for ever."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"0"
            await asyncio.sleep(0.01)


async def test_an_authority_that_never_ends_its_answer_is_left_at_the_deadline() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Trickle()))
    async with asyncio.timeout(10), httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(Unavailable, match="timestamp authority is away"):
            await fetch_timestamp(http, "http://tsa.example/", CHECKPOINT, deadline=0.1)


def test_the_vector_is_what_it_says() -> None:
    assert decode_timestamp_response(STAMP).tst_info.gen_time == AT
