"""The gateway's everyday: upload, look, download, resume; what went wrong on the way leaves nothing."""

import asyncio
import datetime as dt
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from axis.blobs import Blobs
from axis.gateway import Limits
from tests.unit.gateway.harness import Gateway, digest_of, gateway, path_of, raw_connection, request_bytes, until

DATA = bytes(range(256)) * 4 * 1024 * 3  # 3 MiB
LIMIT = 4 * 1024 * 1024


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path, Limits(blob_bytes=LIMIT)) as running:
        yield running


@pytest.mark.parametrize("data", [b"", b"x", DATA], ids=["empty", "tiny", "large"])
async def test_up_and_down(axis: Gateway, data: bytes) -> None:
    up = await axis.upload(axis.sender, data)
    assert up.status_code == 201
    assert up.json() == {"sha256": digest_of(data), "size": len(data)}
    assert axis.rights.uploads == [(digest_of(data), len(data), "G22")]
    axis.rights.let("H37.05", digest_of(data))
    for agency in (axis.sender, axis.recipient):
        down = await axis.ask(agency, "GET", path_of(data))
        assert down.status_code == 200
        assert down.content == data
        assert down.headers["etag"] == f'"{digest_of(data)}"'
        assert down.headers["content-length"] == str(len(data))
        assert down.headers["cache-control"] == "private, no-store"
        assert down.headers["x-content-type-options"] == "nosniff"
        look = await axis.ask(agency, "HEAD", path_of(data))
        assert look.status_code == 200
        assert look.content == b""
        assert look.headers["content-length"] == str(len(data))
        assert look.headers["etag"] == down.headers["etag"]


async def test_an_upload_without_length(axis: Gateway) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(DATA), 100_000):
            yield DATA[start : start + 100_000]

    up = await axis.ask(axis.sender, "PUT", path_of(DATA), content=pieces())
    assert up.status_code == 201
    assert (await axis.ask(axis.sender, "GET", path_of(DATA))).content == DATA


async def test_uploading_again_needs_all_bytes_again(axis: Gateway) -> None:
    await axis.upload(axis.sender, DATA)
    claim = await axis.ask(axis.stranger, "PUT", path_of(DATA), content=b"I know the digest only")
    assert claim.status_code == 400
    assert claim.json()["code"] == "blob/digest"
    assert (await axis.ask(axis.stranger, "GET", path_of(DATA))).status_code == 404
    proved = await axis.upload(axis.stranger, DATA)
    assert proved.status_code == 201
    assert (await axis.ask(axis.stranger, "GET", path_of(DATA))).content == DATA
    assert len(axis.stored()) == 1


async def test_many_upload_the_same_at_once(axis: Gateway) -> None:
    async with asyncio.TaskGroup() as group:
        ups = [group.create_task(axis.upload(axis.sender, DATA)) for _ in range(4)]
        other = group.create_task(axis.ask(axis.stranger, "PUT", path_of(DATA), content=DATA[:-1]))
    assert {up.result().status_code for up in ups} == {201}
    assert other.result().json()["code"] == "blob/digest"
    assert (await axis.ask(axis.sender, "GET", path_of(DATA))).content == DATA
    assert axis.staged() == []


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000000-", 1_000_000, len(DATA)),
        ("bytes=-5", len(DATA) - 5, len(DATA)),
        ("bytes=5-99999999999", 5, len(DATA)),
    ],
)
async def test_resuming(axis: Gateway, header: str, start: int, stop: int) -> None:
    await axis.upload(axis.sender, DATA)
    down = await axis.ask(axis.sender, "GET", path_of(DATA), headers={"range": header})
    assert down.status_code == 206
    assert down.content == DATA[start:stop]
    assert down.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "lines=1-2", "bytes=9-3", "bytes=", "bytes=a-b", "bytes=٣-٤"])
async def test_a_range_that_is_not_honoured_gives_the_whole(axis: Gateway, header: str) -> None:
    await axis.upload(axis.sender, DATA)
    down = await axis.ask(axis.sender, "GET", path_of(DATA), headers={"range": header.encode()})
    assert down.status_code == 200
    assert down.content == DATA


async def test_a_range_outside(axis: Gateway) -> None:
    await axis.upload(axis.sender, DATA)
    down = await axis.ask(axis.sender, "GET", path_of(DATA), headers={"range": f"bytes={len(DATA)}-"})
    assert down.status_code == 416
    assert down.json()["code"] == "http/range"
    assert down.headers["content-range"] == f"bytes */{len(DATA)}"


async def test_a_range_of_another_version(axis: Gateway) -> None:
    await axis.upload(axis.sender, DATA)
    asked = {"range": "bytes=5-", "if-range": '"something else"'}
    assert (await axis.ask(axis.sender, "GET", path_of(DATA), headers=asked)).status_code == 200
    asked["if-range"] = f'"{digest_of(DATA)}"'
    assert (await axis.ask(axis.sender, "GET", path_of(DATA), headers=asked)).status_code == 206


async def test_other_bytes_than_announced(axis: Gateway) -> None:
    up = await axis.ask(axis.sender, "PUT", path_of(DATA), content=DATA[:-1] + b"!")
    assert up.status_code == 400
    assert up.headers["content-type"] == "application/problem+json"
    assert up.json()["code"] == "blob/digest"
    assert up.json()["remedy"]
    assert axis.rights.uploads == []
    assert axis.stored() == axis.staged() == []


async def test_too_large_is_said_before_anything_is_uploaded(axis: Gateway) -> None:
    async with raw_connection(axis.port) as raw:
        length = ("content-length", str(LIMIT + 1))
        await raw.send(axis.put_head(DATA, length, ("expect", "100-continue")))
        answer = await raw.answer()
        assert await raw.closed()
    assert answer.status == 413
    assert b"blob/too-large" in answer.body
    assert str(LIMIT).encode() in answer.body


async def test_too_large_is_said_to_a_client_that_just_sends(axis: Gateway) -> None:
    up = await axis.upload(axis.sender, bytes(8 * LIMIT))
    assert up.status_code == 413
    assert up.json()["code"] == "blob/too-large"
    assert axis.stored() == axis.staged() == []


async def test_continue_is_said_once_everything_else_is_right(axis: Gateway) -> None:
    async with raw_connection(axis.port) as raw:
        await raw.send(axis.put_head(b"abc", ("content-length", "3"), ("expect", "100-continue")))
        assert (await raw.head())[0] == 100
        await raw.send(b"abc")
        assert (await raw.answer()).status == 201


async def test_an_upload_without_length_past_the_limit(axis: Gateway) -> None:
    async with raw_connection(axis.port) as raw:
        await raw.send(axis.put_head(DATA, ("transfer-encoding", "chunked")))
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        for _ in range(LIMIT // 0x10000 + 1):
            await raw.send(chunk)
        answer = await raw.answer()
    assert answer.status == 413
    assert b"blob/too-large" in answer.body
    assert axis.stored() == axis.staged() == []


async def test_an_upload_that_breaks_off(axis: Gateway) -> None:
    async with raw_connection(axis.port) as raw:
        await raw.send(axis.put_head(DATA, ("content-length", str(len(DATA)))))
        await raw.send(DATA[: len(DATA) // 2])
        await until(lambda: len(axis.staged()) == 1)
    await until(lambda: not axis.staged())
    assert axis.stored() == []
    assert axis.rights.uploads == []
    assert (await axis.upload(axis.sender, DATA)).status_code == 201


async def test_a_download_that_breaks_off_frees_its_place(axis: Gateway) -> None:
    await axis.upload(axis.sender, DATA)
    path = path_of(DATA)
    async with raw_connection(axis.port) as raw:
        await raw.send(request_bytes("GET", path, axis.sender.bearer("GET", path, axis.clock()).items()))
        assert (await raw.head())[0] == 200

    async def place_is_free() -> bool:
        return await axis.metric("axis_gateway_transfers") == 0

    await until(place_is_free)


@pytest.mark.parametrize("position", [0, len(DATA) - 1])
async def test_a_damaged_blob_is_never_taken_for_whole(axis: Gateway, position: int) -> None:
    await axis.upload(axis.sender, DATA)
    (stored,) = axis.stored()
    damaged = bytearray(DATA)
    damaged[position] ^= 1
    stored.write_bytes(damaged)
    path = path_of(DATA)
    async with raw_connection(axis.port) as raw:
        await raw.send(request_bytes("GET", path, axis.sender.bearer("GET", path, axis.clock()).items()))
        status, headers = await raw.head()
        body = await raw.rest()
    assert status == 200
    assert len(body) < int(headers["content-length"]) == len(DATA)
    assert await axis.metric("axis_gateway_corrupted_total") == 1
    # Uploading it again heals it.
    assert (await axis.upload(axis.sender, DATA)).status_code == 201
    assert (await axis.ask(axis.sender, "GET", path)).content == DATA


async def test_a_damaged_small_blob_is_an_error_at_once(axis: Gateway) -> None:
    await axis.upload(axis.sender, b"small")
    (stored,) = axis.stored()
    stored.write_bytes(b"smell")
    down = await axis.ask(axis.sender, "GET", path_of(b"small"))
    assert down.status_code == 500
    assert down.json()["code"] == "axis/internal"
    assert "SHA-256" not in down.text
    assert await axis.metric("axis_gateway_corrupted_total") == 1


async def test_a_lost_blob_is_our_fault(axis: Gateway) -> None:
    await axis.upload(axis.sender, DATA)
    axis.stored()[0].unlink()
    assert (await axis.ask(axis.sender, "GET", path_of(DATA))).status_code == 500
    assert await axis.metric("axis_gateway_lost_total") == 1
    # The question before an upload is answered so that the upload follows, and heals it.
    assert (await axis.ask(axis.sender, "HEAD", path_of(DATA))).status_code == 404
    assert (await axis.upload(axis.sender, DATA)).status_code == 201
    assert (await axis.ask(axis.sender, "GET", path_of(DATA))).content == DATA


async def test_the_store_is_away(axis: Gateway) -> None:
    axis.rights.away = True
    for attempt in (axis.upload(axis.sender, DATA), axis.ask(axis.sender, "GET", path_of(DATA))):
        answer = await attempt
        assert answer.status_code == 503
        assert answer.json()["code"] == "axis/unavailable"
        assert answer.json()["retry"] is True
        assert answer.headers["retry-after"]
    axis.rights.away = False
    assert (await axis.ask(axis.sender, "GET", path_of(DATA))).status_code == 404
    assert (await axis.upload(axis.sender, DATA)).status_code == 201


async def test_health(axis: Gateway) -> None:
    ready = await axis.client.get("/v1/health")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "checks": {"blobs": "ok", "store": "ok"}}
    assert (await axis.client.get("/v1/health/live")).json() == {"status": "alive"}


async def test_not_ready_but_alive(axis: Gateway) -> None:
    axis.rights.away = True
    (axis.folder / "staging").rmdir()
    ready = await axis.client.get("/v1/health")
    assert ready.status_code == 503
    assert ready.json() == {"status": "not ready", "checks": {"blobs": "unavailable", "store": "unavailable"}}
    assert (await axis.client.get("/v1/health/live")).status_code == 200


async def test_metrics_name_nobody(axis: Gateway) -> None:
    await axis.upload(axis.sender, DATA)
    await axis.ask(axis.stranger, "GET", path_of(DATA))
    text = (await axis.client.get("/metrics")).text
    assert 'axis_gateway_requests_total{code="blob/not-found",method="GET",route="blob",status="404"} 1.0' in text
    assert 'axis_gateway_bytes_total{direction="in"} 3.145728e+06' in text
    assert 'axis_gateway_bytes_total{direction="out"} 0.0' in text
    for secret in ("G22", "H99", digest_of(DATA)):
        assert secret not in text


async def test_a_certificate_for_checking_signatures(axis: Gateway) -> None:
    wanted = axis.sender.certificate
    path = f"/v1/certificates/{wanted.thumbprint}"
    assert (await axis.client.get(path)).status_code == 401
    answer = await axis.ask(axis.recipient, "GET", path)
    assert answer.status_code == 200
    content = answer.json()
    assert content["organisation"] == "G22"
    assert content["thumbprint"] == wanted.thumbprint
    absent = await axis.ask(axis.recipient, "GET", "/v1/certificates/" + "A" * 43)
    assert absent.status_code == 404
    assert absent.json()["code"] == "certificate/unknown"


async def test_each_request_is_one_line_in_the_log(axis: Gateway) -> None:
    with capture_logs() as lines:
        await axis.upload(axis.sender, DATA)
        await axis.ask(axis.stranger, "GET", path_of(DATA))
        await axis.client.get("/v1/health")
    assert [
        (line["log_level"], line["method"], line["route"], line["account"], line["status"], line["code"])
        for line in lines
    ] == [
        ("info", "PUT", "blob", "G22", 201, None),
        ("warning", "GET", "blob", "H99", 404, "blob/not-found"),
        ("debug", "GET", "health", None, 200, None),
    ]
    assert lines[0]["subject"] == digest_of(DATA)
    assert lines[0]["received"] == len(DATA)


async def test_random_sizes_survive(axis: Gateway) -> None:
    for size in (65_535, 65_536, 65_537, 262_144, 1_048_576, 1_048_577):
        data = os.urandom(size)
        assert (await axis.upload(axis.sender, data)).status_code == 201
        down = await axis.ask(axis.sender, "GET", path_of(data))
        assert hashlib.sha256(down.content).hexdigest() == digest_of(data)


async def test_a_download_is_sent_to_the_bucket_by_who_may_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def signed(self: Blobs, sha256: str, valid: dt.timedelta) -> str:
        return f"https://bucket.invalid/{sha256}?for={valid.total_seconds():g}"

    monkeypatch.setattr(Blobs, "signed_url", signed)
    async with gateway(tmp_path, Limits(redirect_seconds=60)) as axis:
        assert (await axis.upload(axis.sender, b"abc")).status_code == 201
        sent = await axis.ask(axis.sender, "GET", path_of(b"abc"))
        assert (sent.status_code, sent.content) == (307, b"")
        assert sent.headers["location"] == f"https://bucket.invalid/{digest_of(b'abc')}?for=60"
        assert (await axis.ask(axis.stranger, "GET", path_of(b"abc"))).status_code == 404
