"""A large package goes out a piece at a time, over a real socket, and a damaged one never whole."""

import base64
import datetime as dt
import hashlib
import os
import tracemalloc
from pathlib import Path
from typing import Any

import httpx
import pytest

from axis.core.ids import new_id
from axis.core.partners import Incoming, Kind
from axis.gateway import Limits
from axis.gateway.desk.opening import sweep
from tests.unit.client.doubles import NOW
from tests.unit.gateway.desk.harness import SYSTEM, Rig
from tests.unit.gateway.harness import serving

MEBIBYTE = 1024 * 1024
SIZE = 48 * MEBIBYTE
ALLOWED = 8 * MEBIBYTE


async def lying_ready(desk: Rig, size: int) -> Incoming:
    """Put a package of zeros in its place."""
    digest = hashlib.sha256()
    for _ in range(size // MEBIBYTE):
        digest.update(bytes(MEBIBYTE))
    folder = desk.folder / "desk" / "packages"
    folder.mkdir(parents=True)
    with (folder / digest.hexdigest()).open("wb") as file:
        file.truncate(size)
    package = Incoming(
        doc_id=new_id(NOW),
        system_id=SYSTEM,
        agency="H37",
        message_id=new_id(NOW),
        kind=Kind.EDOC,
        sender="G22",
        recipients=("H37",),
        document_id="G22,1",
        subject="Về việc",
        notation="1",
        sha256=digest.hexdigest(),
        size=size,
        created_at=NOW,
        updated_at=NOW,
    )
    await desk.store.partners.receive(package)
    return package


async def test_memory_stays_flat_while_a_large_package_goes_out(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    package = await lying_ready(desk, SIZE)
    async with (
        serving(desk.app, Limits()) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        headers: Any = desk.vxp(http=http).headers({"docId": package.doc_id})
        received, first, last = 0, b"", b""
        tracemalloc.start()
        try:
            async with http.stream("POST", "/vxp/getEdoc", headers=headers) as response:
                announced = int(response.headers["content-length"])
                async for piece in response.aiter_bytes():
                    received += len(piece)
                    first, last = first or piece[:200], piece[-2:]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (received, last) == (announced, b'"}')
    assert first.startswith(b'{"status":"OK"')
    assert base64.b64encode(bytes(30)) in first
    assert peak < ALLOWED, f"{peak / MEBIBYTE:.1f} MiB for {SIZE / MEBIBYTE} MiB"


async def test_a_damaged_package_is_broken_off(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    package = await lying_ready(desk, MEBIBYTE)
    with (desk.folder / "desk" / "packages" / package.sha256).open("r+b") as file:
        file.seek(MEBIBYTE - 1)
        file.write(b"x")
    async with (
        serving(desk.app, Limits()) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        client = desk.vxp(http=http)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("downloadEdoc", client.headers({"docId": package.doc_id}))


def test_what_a_killed_process_left_is_removed_when_nobody_can_be_writing_it(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("old/file", "older.edxml", "fresh.edxml"):
        (tmp_path / name).write_bytes(b"x")
    now = dt.datetime.now(dt.UTC)
    for name in ("old", "older.edxml"):
        os.utime(tmp_path / name, (0, 0))
    sweep(tmp_path, now)
    assert [path.name for path in tmp_path.iterdir()] == ["fresh.edxml"]
    sweep(tmp_path / "nowhere", now)
