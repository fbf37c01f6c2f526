"""The gateway as it is run: a process of its own, real PostgreSQL, real signals, measured memory."""

import asyncio
import datetime as dt
import hashlib
import os
import secrets
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from axis.store import Store
from tests.programs import ran, started
from tests.services import role_variables
from tests.unit.gateway.harness import (
    DEADLINE_SECONDS,
    Agency,
    digest_of,
    http,
    path_of,
    raw_connection,
    request_bytes,
    until,
)

MEBIBYTE = 1024 * 1024
# The goal is stated for 1 GiB (set this to 1024 to measure that); what is not flat shows with much less.
TRANSFER_MIB = int(os.environ.get("AXIS_TEST_BLOB_MIB", "256"))
ALLOWED_GROWTH = 64 * MEBIBYTE


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def settings(home: Path, dsn: str, **more: str) -> dict[str, str]:
    return os.environ | {
        "AXIS_HOME": str(home),
        "AXIS_DATABASE_URL": dsn,
        **role_variables(dsn),
        # The gateway speaks to no broker; the settings ask for its address all the same.
        "AXIS_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
        "AXIS_RABBITMQ_API_URL": "http://nobody@127.0.0.1:1",
        "AXIS_GATEWAY_PORT": "0",
        "AXIS_LOG_FORMAT": "json",
        **more,
    }


@dataclass
class Running:
    """The process and who talks to it."""

    process: asyncio.subprocess.Process
    port: int
    home: Path
    client: httpx.AsyncClient
    store: Store
    sender: Agency

    async def ask(self, agency: Agency, method: str, path: str) -> httpx.Response:
        return await self.client.request(method, path, headers=agency.bearer(method, path, now()))

    async def upload(self, data: bytes) -> httpx.Response:
        path = path_of(data)
        return await self.client.put(path, content=data, headers=self.sender.bearer("PUT", path, now()))

    def memory(self, line: str) -> int:
        """Read a line of the process's memory (VmRSS, VmHWM) in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(row.split()[1]) * 1024 for row in status.splitlines() if row.startswith(line))

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")


@pytest.fixture
async def running(tmp_path: Path, database: str) -> AsyncIterator[Running]:
    home = tmp_path / "home"
    home.mkdir()
    sender = Agency("G22", tmp_path / "authority", now())
    async with Store.connect(database) as store:
        await store.directory.put_certificate(sender.certificate)
        arguments = ("-m", "axis.gateway", "--port-file", str(home / "gateway.port"))
        async with started(*arguments, env=settings(home, database), stderr=DEVNULL) as process:
            assert process.stdout is not None
            async with asyncio.timeout(DEADLINE_SECONDS):
                line = (await process.stdout.readline()).decode()
            port = int((home / "gateway.port").read_text(encoding="ascii"))
            assert line == f"gateway: http://127.0.0.1:{port}\n"
            async with http(port) as client:
                yield Running(process, port, home, client, store, sender)


async def test_rights_come_from_the_store(running: Running) -> None:
    data = secrets.token_bytes(MEBIBYTE)
    assert (await running.upload(data)).status_code == 201
    assert await running.store.blobs.known("G22", {digest_of(data)}) == {digest_of(data): len(data)}
    assert (await running.ask(running.sender, "GET", path_of(data))).content == data
    assert (running.home / "blobs" / digest_of(data)[:2] / digest_of(data)[2:4] / digest_of(data)).exists()
    assert (await running.client.get("/v1/health")).json()["status"] == "ready"


async def test_an_enrolment_and_a_revocation_take_effect_by_themselves(running: Running, tmp_path: Path) -> None:
    late = Agency("H37", tmp_path / "authority", now())
    path = path_of(b"nothing")
    assert (await running.ask(late, "GET", path)).status_code == 401

    async def answered(status: int) -> bool:
        return (await running.ask(late, "GET", path)).status_code == status

    await running.store.directory.put_certificate(late.certificate)
    await until(lambda: answered(404))
    await running.store.directory.revoke(late.certificate.thumbprint, now())
    await until(lambda: answered(401))
    assert (await running.ask(late, "GET", path)).json()["code"] == "certificate/revoked"


async def test_sigterm_lets_a_running_upload_end(running: Running) -> None:
    data = secrets.token_bytes(2 * MEBIBYTE)
    path = path_of(data)
    headers = [*running.sender.bearer("PUT", path, now()).items(), ("content-length", str(len(data)))]
    async with raw_connection(running.port) as raw:
        await raw.send(request_bytes("PUT", path, headers) + data[:MEBIBYTE])
        staging = running.home / "blobs" / "staging"
        await until(lambda: any(staging.iterdir()))
        running.process.send_signal(signal.SIGTERM)
        await until(lambda: not accepts(running.port))
        await raw.send(data[MEBIBYTE:])
        assert (await raw.answer()).status == 201
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert await running.process.wait() == 0
    assert await running.store.blobs.known("G22", {digest_of(data)}) == {digest_of(data): len(data)}
    assert not any(staging.iterdir())


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_memory_stays_flat(running: Running) -> None:
    """The design's goal: at most 64 MiB more while a large attachment passes, up and down."""
    block = secrets.token_bytes(MEBIBYTE)
    hasher = hashlib.sha256()
    for _ in range(TRANSFER_MIB):
        hasher.update(block)
    path = f"/v1/blobs/{hasher.hexdigest()}"
    assert (await running.upload(b"warm")).status_code == 201
    assert (await running.ask(running.sender, "GET", path_of(b"warm"))).status_code == 200

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(TRANSFER_MIB):
            yield block

    idle = running.memory("VmRSS")
    running.forget_peak()
    headers = running.sender.bearer("PUT", path, now()) | {"content-length": str(TRANSFER_MIB * MEBIBYTE)}
    up = await running.client.put(path, content=blocks(), headers=headers)
    assert up.status_code == 201
    up_growth = running.memory("VmHWM") - idle
    running.forget_peak()
    got = 0
    async with running.client.stream("GET", path, headers=running.sender.bearer("GET", path, now())) as down:
        async for chunk in down.aiter_raw():
            got += len(chunk)
    assert got == TRANSFER_MIB * MEBIBYTE
    down_growth = running.memory("VmHWM") - idle
    sys.stdout.write(f"{TRANSFER_MIB} MiB: {up_growth / MEBIBYTE:.1f} MiB up, {down_growth / MEBIBYTE:.1f} MiB down\n")
    assert max(up_growth, down_growth) <= ALLOWED_GROWTH


async def test_memory_stays_flat_when_everybody_downloads_at_once(running: Running, tmp_path: Path) -> None:
    data = secrets.token_bytes(16 * MEBIBYTE)
    path = path_of(data)
    assert (await running.upload(data)).status_code == 201
    recipients = [Agency(f"H{number}", tmp_path / "authority", now()) for number in range(10, 50)]
    for agency in recipients:
        await running.store.directory.put_certificate(agency.certificate)
        await running.store.blobs.record_upload(digest_of(data), len(data), agency.code)

    async def known() -> bool:
        return (await running.ask(recipients[-1], "HEAD", path)).status_code == 200

    await until(known)
    idle = running.memory("VmRSS")
    running.forget_peak()

    async def download(agency: Agency) -> str:
        digest = hashlib.sha256()
        async with running.client.stream("GET", path, headers=agency.bearer("GET", path, now())) as down:
            async for chunk in down.aiter_raw():
                digest.update(chunk)
        return digest.hexdigest()

    async with asyncio.TaskGroup() as group:
        downloads = [group.create_task(download(agency)) for agency in recipients]
    assert {task.result() for task in downloads} == {digest_of(data)}
    growth = running.memory("VmHWM") - idle
    sys.stdout.write(f"{len(recipients)} downloads at once: {growth / MEBIBYTE:.1f} MiB\n")
    assert growth <= ALLOWED_GROWTH


async def start_and_fail(home: Path, dsn: str, **more: str) -> tuple[int, str]:
    code, _, errors = await ran("-m", "axis.gateway", env=settings(home, dsn, **more))
    return code, errors.decode()


async def test_no_database(tmp_path: Path) -> None:
    code, errors = await start_and_fail(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    assert code == 69
    assert "gateway: axis/unavailable" in errors
    assert "Traceback" not in errors


async def test_no_blob_store(tmp_path: Path) -> None:
    code, errors = await start_and_fail(
        tmp_path, "postgresql://nobody@127.0.0.1:1/none", AXIS_BLOBS_URL="ftp://user:hunter2@somewhere/x"
    )
    assert code == 78
    assert "gateway: axis/misconfigured" in errors
    assert "hunter2" not in errors


async def test_a_port_that_is_taken(tmp_path: Path, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = await start_and_fail(tmp_path, database, AXIS_GATEWAY_PORT=str(port))
    assert code == 78
    assert str(port) in errors


async def test_settings_that_are_missing(tmp_path: Path) -> None:
    code, errors = await start_and_fail(tmp_path, "", AXIS_GATEWAY_PORT="70000")
    assert code == 78
    assert "AXIS_GATEWAY_PORT" in errors
