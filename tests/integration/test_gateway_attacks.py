"""What somebody may try on the gateway, one test an attack."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from axis.gateway import Limits
from axis.trust import issue_token
from tests.unit.gateway.harness import (
    Agency,
    Gateway,
    Raw,
    digest_of,
    gateway,
    path_of,
    raw_connection,
    request_bytes,
    until,
)

SECRET = b"For the eyes of G22 and H37.05 only"
PATH = path_of(SECRET)
QUICK = Limits(
    blob_bytes=1024 * 1024,
    header_seconds=0.3,
    chunk_seconds=0.3,
    stall_seconds=0.5,
    grace_seconds=1.0,
    slowest_bytes_per_second=1000,
    linger_seconds=0.3,
    per_account=2,
    wait_seconds=0.3,
)


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path, Limits(blob_bytes=1024 * 1024)) as running:
        await running.upload(running.sender, SECRET)
        running.rights.let("H37.05", digest_of(SECRET))
        yield running


@pytest.fixture
async def impatient(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway whose patience ends within a second."""
    async with gateway(tmp_path, QUICK) as running:
        yield running


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["axis-code"] == code
    if answer.request.method != "HEAD":
        assert answer.json()["code"] == code
        assert answer.json()["status"] == status
    assert SECRET not in answer.content


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_no_token(axis: Gateway, method: str) -> None:
    answer = await axis.client.request(method, PATH)
    refused(answer, 401, "token/missing")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Basic YTpi",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer " + "A" * 9000,
        "Bearer é",
        "bearer\tx",
    ],
)
async def test_a_token_that_is_none(axis: Gateway, value: str) -> None:
    answer = await axis.client.get(PATH, headers=[(b"authorization", value.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.json()["code"] in {"token/invalid", "token/missing", "signature/malformed"}


async def test_two_tokens(axis: Gateway) -> None:
    bearer = axis.sender.bearer("GET", PATH, axis.clock())["authorization"]
    answer = await axis.client.get(PATH, headers=[("authorization", bearer), ("authorization", bearer)])
    refused(answer, 401, "token/invalid")


async def test_a_token_for_another_method(axis: Gateway) -> None:
    headers = axis.sender.bearer("HEAD", PATH, axis.clock())
    refused(await axis.client.get(PATH, headers=headers), 401, "token/invalid")
    headers = axis.sender.bearer("GET", PATH, axis.clock())
    refused(await axis.client.put(PATH, headers=headers, content=SECRET), 401, "token/invalid")


async def test_a_token_for_another_blob(axis: Gateway) -> None:
    await axis.upload(axis.stranger, b"mine")
    headers = axis.stranger.bearer("GET", path_of(b"mine"), axis.clock())
    assert (await axis.client.get(path_of(b"mine"), headers=headers)).status_code == 200
    refused(await axis.client.get(PATH, headers=headers), 401, "token/invalid")


@pytest.mark.parametrize("moved", [dt.timedelta(minutes=3), -dt.timedelta(minutes=3)])
async def test_a_token_of_another_time(axis: Gateway, moved: dt.timedelta) -> None:
    headers = axis.sender.bearer("GET", PATH, axis.clock())
    axis.clock.time += moved
    refused(await axis.client.get(PATH, headers=headers), 401, "token/invalid")


async def test_a_token_in_somebody_elses_name(axis: Gateway) -> None:
    token = issue_token(axis.stranger.key, code="H37.05", method="GET", path=PATH, now=axis.clock())
    answer = await axis.client.get(PATH, headers={"authorization": f"Bearer {token}"})
    refused(answer, 401, "abuse/signer")


async def test_a_token_of_a_key_nobody_enrolled(axis: Gateway, tmp_path: Path) -> None:
    unknown = Agency("G22", tmp_path / "another authority", axis.clock())
    refused(await axis.ask(unknown, "GET", PATH), 401, "certificate/unknown")


async def test_a_token_of_a_revoked_certificate(axis: Gateway) -> None:
    revoked = axis.recipient.certificate.model_copy(update={"revoked_at": axis.clock.time})
    assert (await axis.ask(axis.recipient, "GET", PATH)).status_code == 200
    axis.enrolled.keyring = axis.enrolled.keyring.updated([revoked])
    refused(await axis.ask(axis.recipient, "GET", PATH), 401, "certificate/revoked")


async def test_an_altered_token(axis: Gateway) -> None:
    bearer = axis.sender.bearer("GET", PATH, axis.clock())["authorization"]
    for position in (len("Bearer ") + 3, len(bearer) // 2, len(bearer) - 5):
        other = "A" if bearer[position] != "A" else "B"
        altered = bearer[:position] + other + bearer[position + 1 :]
        answer = await axis.client.get(PATH, headers={"authorization": altered})
        assert answer.status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_stranger_cannot_tell_whether_a_blob_exists(axis: Gateway, method: str) -> None:
    answers = [
        await axis.ask(axis.stranger, method, path, headers=extra)
        for path in (PATH, path_of(b"never uploaded"))
        for extra in ({}, {"range": "bytes=0-0"}, {"range": "bytes=99999-"})
    ]
    for answer in answers:
        refused(answer, 404, "blob/not-found")
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(set(answer.headers) - {"date"})) for answer in answers}) == 1


async def test_knowing_a_digest_is_not_having_the_document(axis: Gateway) -> None:
    path = PATH
    async with raw_connection(axis.port) as raw:
        headers = [*axis.stranger.bearer("PUT", path, axis.clock()).items(), ("content-length", "0")]
        await raw.send(request_bytes("PUT", path, headers))
        answer = await raw.answer()
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "blob/digest")
    refused(await axis.ask(axis.stranger, "GET", path), 404, "blob/not-found")


@pytest.mark.parametrize(
    "name",
    [
        digest_of(SECRET).upper(),
        digest_of(SECRET)[:-1],
        digest_of(SECRET) + "0",
        "g" * 64,
        digest_of(SECRET) + "%00",
        digest_of(SECRET) + "%0a",
        "%2e%2e",
        "..%5c..%5cetc%5cpasswd",
        "%E2%81%A0" + digest_of(SECRET)[1:],
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_a_digest_in_another_spelling(axis: Gateway, name: str, method: str) -> None:
    path = f"/v1/blobs/{name}"
    async with raw_connection(axis.port) as raw:
        headers = [*axis.sender.bearer(method, path, axis.clock()).items(), ("content-length", "0")]
        await raw.send(request_bytes(method, path, headers))
        status, answered = await raw.head()
    assert (status, answered["axis-code"]) == (400, "blob/digest")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/blobs/../../etc/passwd",
        "/v1/blobs/..%2f..%2fetc%2fpasswd",
        "/v1/blobs/%2e%2e/%2e%2e/etc/passwd",
        "/v1/blobs//etc/passwd",
        "/v1/blobs/",
        "/v1/blobs",
        "/",
        "/v2/blobs/" + digest_of(SECRET),
        PATH + "/",
        "/v1/blobs/staging%2fx",
    ],
)
async def test_paths_that_lead_out(axis: Gateway, path: str) -> None:
    async with raw_connection(axis.port) as raw:
        await raw.send(request_bytes("GET", path, axis.sender.bearer("GET", path, axis.clock()).items()))
        answer = await raw.answer()
    assert (answer.status, json.loads(answer.body)["code"]) == (404, "http/address")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
async def test_methods_nobody_offers(axis: Gateway, method: str) -> None:
    answer = await axis.client.request(method, PATH)
    refused(answer, 405, "http/method")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT"}
    assert axis.stored()


async def test_a_part_of_a_blob_cannot_be_uploaded(axis: Gateway) -> None:
    answer = await axis.ask(axis.sender, "PUT", PATH, content=SECRET, headers={"content-range": "bytes 0-34/35"})
    refused(answer, 400, "http/content-range")


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "12, 12", "12, 13", "9" * 30, "१२"])
async def test_lengths_that_are_none(axis: Gateway, length: str) -> None:
    async with raw_connection(axis.port) as raw:
        path = path_of(b"x")
        headers = axis.sender.bearer("PUT", path, axis.clock()) | {"content-length": length.encode().decode("latin-1")}
        await raw.send(request_bytes("PUT", path, headers.items()))
        status, _ = await raw.head() if length != "12, 12" else (400, {})
    assert status in {400, 413}


async def test_both_length_and_chunks(axis: Gateway) -> None:
    """Request smuggling: whichever is believed, no second request comes out of the body."""
    body = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"
    async with raw_connection(axis.port) as raw:
        path = path_of(b"")
        headers = axis.sender.bearer("PUT", path, axis.clock())
        headers |= {"content-length": str(len(body)), "transfer-encoding": "chunked"}
        await raw.send(request_bytes("PUT", path, headers.items()) + body)
        answer = await raw.answer()
        assert await raw.closed()
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "http/length")


@pytest.mark.parametrize("junk", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\r\n" * 50_000])
async def test_what_is_not_http(axis: Gateway, junk: bytes) -> None:
    async with raw_connection(axis.port) as raw:
        await raw.send(junk + b"\r\n\r\n")
        raw.writer.write_eof()
        answer = await raw.rest()
    assert answer == b"" or b" 400 " in answer
    assert (await axis.client.get("/v1/health")).status_code == 200


async def test_huge_headers(axis: Gateway) -> None:
    async with raw_connection(axis.port) as raw:
        await raw.send(request_bytes("GET", PATH, [("x-filler", "a" * 100_000)]))
        assert (await raw.head())[0] == 431
    assert (await axis.client.get("/v1/health")).status_code == 200


async def test_endless_headers(impatient: Gateway) -> None:
    async with raw_connection(impatient.port) as raw:
        await raw.send(b"GET / HTTP/1.1\r\nhost: x\r\n")
        assert await raw.closed()


async def test_a_connection_that_says_nothing(impatient: Gateway) -> None:
    async with raw_connection(impatient.port) as raw:
        assert await raw.closed()


async def test_slow_headers_after_a_first_request(impatient: Gateway) -> None:
    async with raw_connection(impatient.port) as raw:
        await raw.send(request_bytes("GET", "/v1/health/live", []))
        assert (await raw.answer()).status == 200
        await raw.send(b"GET / HT")
        assert await raw.closed()


async def test_an_upload_that_stops(impatient: Gateway) -> None:
    async with raw_connection(impatient.port) as raw:
        await raw.send(impatient.put_head(SECRET, ("content-length", str(len(SECRET)))) + SECRET[:5])
        answer = await raw.answer()
        assert await raw.closed()
    assert (answer.status, json.loads(answer.body)["code"]) == (408, "http/slow")
    await until(lambda: not impatient.staged())
    assert impatient.stored() == []


async def test_an_upload_of_a_byte_at_a_time(impatient: Gateway) -> None:
    """Each byte is in time, but at that pace it would never end."""
    async with raw_connection(impatient.port) as raw:
        await raw.send(impatient.put_head(SECRET, ("content-length", "100000")))

        async def drip() -> None:
            while True:
                await raw.send(b"x")
                await asyncio.sleep(0.05)  # the attack's pace, no wait for anything

        dripping = asyncio.create_task(drip())
        try:
            status, headers = await raw.head()
        finally:
            dripping.cancel()
    assert (status, headers["axis-code"]) == (408, "http/slow")


async def test_a_reader_that_does_not_read(impatient: Gateway) -> None:
    data = bytes(1024 * 1024)
    await impatient.upload(impatient.sender, data)
    path = path_of(data)
    request = request_bytes("GET", path, impatient.sender.bearer("GET", path, impatient.clock()).items())
    async with raw_connection(impatient.port) as raw:
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined] # a socket's transport can
        # One answer fits into the sockets' buffers; many do not.
        await raw.send(request * 60)

        async def place_is_taken(count: float) -> bool:
            return await impatient.metric("axis_gateway_transfers") == count

        await until(lambda: place_is_taken(1))
        await until(lambda: place_is_taken(0))


async def test_one_agency_cannot_take_every_place(impatient: Gateway) -> None:
    head = impatient.put_head(SECRET, ("content-length", str(len(SECRET))))
    async with raw_connection(impatient.port) as first, raw_connection(impatient.port) as second:
        await first.send(head)
        await second.send(head)

        async def both_hold() -> bool:
            return await impatient.metric("axis_gateway_transfers") == 2

        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(drip(raw, SECRET)) for raw in (first, second)]
            await until(both_hold)
            third = await impatient.upload(impatient.sender, SECRET)
            other = await impatient.upload(impatient.stranger, SECRET)
            for task in keeping:
                task.cancel()
    refused(third, 503, "http/busy")
    assert third.headers["retry-after"]
    assert other.status_code == 201


async def drip(raw: Raw, data: bytes) -> None:
    """Send just fast enough to be allowed to go on."""
    for position in range(len(data)):
        await raw.send(data[position : position + 1])
        await asyncio.sleep(0.1)  # the attack's pace, no wait for anything


async def test_pipelined_requests_are_each_checked(axis: Gateway) -> None:
    good = request_bytes("GET", PATH, axis.sender.bearer("GET", PATH, axis.clock()).items())
    bad = request_bytes("GET", PATH, [])
    async with raw_connection(axis.port) as raw:
        await raw.send(good + bad + good)
        statuses = [(await raw.answer()).status for _ in range(3)]
    assert statuses == [200, 401, 200]
