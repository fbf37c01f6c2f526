"""How much an agency may bring in a day: refused before its bytes are read, with the time to come back."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from axis.gateway import Enrolled, Limits
from axis.store import FakeStore
from schemas import Quota
from tests.builders import NOW, mailbox
from tests.unit.gateway.harness import Gateway, gateway, path_of, raw_connection

DAY = dt.timedelta(days=1)


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path, Limits(), Quota(uploads_per_day=3, upload_bytes_per_day=1_000)) as running:
        yield running


async def test_files_over_the_limit_are_refused_for_this_agency_alone(axis: Gateway) -> None:
    for number in range(3):
        assert (await axis.upload(axis.sender, b"%d" % number)).status_code == 201
    over = await axis.upload(axis.sender, b"one more")
    assert (over.status_code, over.json()["code"], over.json()["retry"]) == (429, "limit/uploads", True)
    assert over.headers["retry-after"] == "3600"  # a third of a day, but nobody is sent away for longer
    assert "3 uploads a day are allowed" in over.json()["detail"]
    assert len(axis.rights.uploads) == 3
    assert (await axis.upload(axis.stranger, b"one more")).status_code == 201
    axis.clock.time += DAY / 3
    assert (await axis.upload(axis.sender, b"one more")).status_code == 201
    assert (await axis.upload(axis.sender, b"and another")).status_code == 429


async def test_bytes_over_the_limit_are_refused_before_they_are_sent(axis: Gateway) -> None:
    assert (await axis.upload(axis.sender, b"x" * 900)).status_code == 201
    data = b"y" * 101
    async with raw_connection(axis.port) as raw:
        head = axis.put_head(data, ("content-length", str(len(data))), ("expect", "100-continue"))
        await raw.send(head)
        answer = await raw.answer()
    assert (answer.status, answer.headers["axis-code"]) == (429, "limit/upload-bytes")
    # Refused means not counted: what fits still fits, and one file more as well.
    assert (await axis.upload(axis.sender, b"z" * 100)).status_code == 201


async def test_bytes_that_were_not_announced_are_owed(axis: Gateway) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"w" * 150

    data = b"w" * 1_500
    assert (await axis.ask(axis.sender, "PUT", path_of(data), content=pieces())).status_code == 201
    refused = await axis.upload(axis.sender, b"x")
    assert (refused.status_code, refused.json()["code"]) == (429, "limit/upload-bytes")


async def test_an_agencys_own_limit_is_heeded_when_it_changes() -> None:
    store = FakeStore()
    enrolled = Enrolled(default=Quota(uploads_per_day=3))
    await store.directory.put_mailbox(mailbox("H37", quota=Quota(uploads_per_day=7)))
    await enrolled.load(store.directory)
    assert enrolled.quota_of("H37", NOW) == Quota(uploads_per_day=7)
    assert enrolled.quota_of("G22", NOW) == Quota(uploads_per_day=3)
    await store.directory.put_mailbox(mailbox("H37", quota=Quota(uploads_per_day=0)))
    await enrolled._load_changed(store.directory, {"H37"})
    assert enrolled.quota_of("H37", NOW) == Quota()


async def test_limits_are_told_before_anything_is_brought(axis: Gateway) -> None:
    told = await axis.ask(axis.sender, "GET", "/v1/limits")
    assert told.json() == {"blob_bytes": Limits().blob_bytes, "uploads_per_day": 3, "upload_bytes_per_day": 1_000}
    assert (await axis.client.get("/v1/limits")).status_code == 401
