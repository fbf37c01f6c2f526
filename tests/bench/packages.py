"""A file of 1 GiB inside an edXML package, from a document system over HTTP to an SDK and a watched folder."""

import asyncio
import base64
import contextlib
import hashlib
import os
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import httpx

from axis.client import write_profile
from axis.core.partners import Partner, Profile
from axis.gateway.desk import Secrets, desk_folder
from axis.trust import DemonstrationCA, enrol, new_key
from tests.bench.blobs import Memory, gateway, profile
from tests.bench.processes import forget_peak, peak_bytes, resident_bytes
from tests.bench.results import Detail, Goal, Result
from tests.bench.running import Options, program, said, tell
from tests.bench.world import BenchFailed, Progress, Stage, World
from tests.rig import now, until
from tests.unit.gateway.desk.harness import package
from tests.vxp_client import BOUNDARY, VxpClient

_MIB = 2**20
_SIZE_MIB = 1024
_PIECE = 3 * _MIB  # base64 of it ends without padding
_SYSTEM, _AGENCY, _FOLDER, _SDK = "bench.37", "H37", "G12", "G22"
_PASS_SECONDS = 1_200.0


async def package_memory(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Send one package with a large file inside; VmHWM of every process of ours, and when each recipient has it."""
    size = options.counted(_SIZE_MIB)
    async with stage.world(progress) as world:
        await world.join([_SDK, _FOLDER, _AGENCY])
        async with world.axis.worker("router") as router, gateway(world) as (gateway_pid, url):
            for code in (_SDK, _FOLDER):
                profile(world, code, url)
            secret = await _served(world, url)
            path, taken = world.axis.folder / "big.edxml", world.axis.folder / "taken"
            digest = await asyncio.to_thread(_write, path, size)
            async with (
                _watched(world) as (folder, arrives),
                program("transfer", "take", str(world.axis.folder / _SDK), str(taken)) as sdk,
                httpx.AsyncClient(base_url=url, trust_env=False, timeout=_PASS_SECONDS) as http,
            ):
                client = VxpClient(http, _SYSTEM, secret, made=now())
                await until(lambda: _is_served(client))
                pids = {"gateway": gateway_pid, "router": router.process.pid, "axis folder": folder, "SDK": sdk.pid}
                for pid in pids.values():
                    forget_peak(pid)
                idle: Memory = {name: resident_bytes(pid) for name, pid in pids.items()}
                begun = time.monotonic()
                await tell(sdk)
                async with asyncio.timeout(_PASS_SECONDS):
                    await _send(client, path, digest)
                    took = {"answered": time.monotonic() - begun}
                    await said(sdk, "done")
                    took["saved by the SDK"] = time.monotonic() - begun
                    await until(lambda: list(arrives.glob("*.edxml")), _PASS_SECONDS)
                    took["in the folder"] = time.monotonic() - begun
                peak = {name: peak_bytes(pid) for name, pid in pids.items()}
            if await asyncio.to_thread(_digest, arrives) != digest:
                raise BenchFailed("other bytes are in the folder than were sent")
    grown = {name: most - idle[name] for name, most in peak.items()}
    progress(f"package-memory: {', '.join(f'{name} {seconds:.0f} s' for name, seconds in took.items())}")
    rows: list[list[str | float]] = [
        [name, *(round(value / _MIB, 1) for value in (idle[name], most, grown[name]))] for name, most in peak.items()
    ]
    return [
        Result(
            "package-memory",
            "MiB more",
            [max(grown.values()) / _MIB],
            goal=Goal("<=", 64, of="ours"),
            details=[Detail(f"package-memory: MiB while {size} MiB pass", ["process", "idle", "peak", "more"], rows)],
            facts={"file_mib": size, **{f"{name} (s)": round(seconds, 1) for name, seconds in took.items()}},
        )
    ]


async def _served(world: World, url: str) -> str:
    axis = world.axis
    key = new_key("ed25519")
    certificate = DemonstrationCA.open_or_create(axis.folder / "ca", now()).issue(_AGENCY, key, name=_AGENCY, now=now())
    await axis.store.directory.put_certificate(enrol(certificate, _AGENCY, "gateway", now(), allow_demonstration=True))
    write_profile(
        desk_folder(axis.folder, _AGENCY),
        code=_AGENCY,
        amqp_url=axis.url_of(_AGENCY),
        gateway_url=url,
        key=key,
        certificate=certificate,
        axis_certificate=(axis.folder / "axis-key" / "certificate.pem").read_bytes(),
    )
    await axis.store.partners.put(Partner(_SYSTEM, Profile.VXP, {_AGENCY: _AGENCY}, now()))
    return Secrets(axis.folder).make(_SYSTEM, now())


async def _is_served(client: VxpClient) -> bool:
    health = (await client.http.get("/v1/health")).json()
    return bool(health["desk"]["connected"])


@contextlib.asynccontextmanager
async def _watched(world: World) -> AsyncIterator[tuple[int, Path]]:
    out, arrives = world.axis.folder / "out", world.axis.folder / "in"
    for each in (out, arrives):
        each.mkdir()
    command = (str(Path(sys.executable).with_name("axis")), "folder", "--as", _FOLDER)
    with (world.axis.folder / "folder.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(*command, "--profile", str(world.axis.folder / _FOLDER), "--out", str(out), "--in", str(arrives)),
            stdout=log,
            stderr=log,
        )
    try:
        await until((arrives / ".axis-folder.holder").exists)
        yield process.pid, arrives
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _send(client: VxpClient, path: Path, digest: str) -> None:
    said = {"from": _AGENCY, "servicetype": "eDoc", "messagetype": "edoc", "hash-file": digest}
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file_doc"; filename="edoc.edxml"\r\n\r\n'.encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()

    async def body() -> AsyncGenerator[bytes, None]:
        yield head
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _MIB):
                yield piece
        yield tail

    size = (await asyncio.to_thread(path.stat)).st_size
    headers = client.headers(said) | {
        b"Content-Type": f"multipart/form-data; boundary={BOUNDARY}".encode(),
        b"Content-Length": str(len(head) + size + len(tail)).encode(),
    }
    answer = (await client.http.post("/vxp/sendEdoc", headers=headers, content=body())).json()
    if answer["status"] != "OK":
        raise BenchFailed(f"the gateway answered {answer}")


def _write(path: Path, size: int) -> str:
    """Write a package around a file that is no run of zeros; return its SHA-256."""
    mark = b"in the place of the file"
    small = package(sender=_AGENCY, recipients=(_SDK, _FOLDER), content=mark)
    before, _, after = small.partition(base64.b64encode(mark))
    digest, block = hashlib.sha256(), os.urandom(_PIECE)
    with path.open("wb") as file:

        def put(data: bytes) -> None:
            file.write(data)
            digest.update(data)

        put(before)
        for start in range(0, size * _MIB, _PIECE):
            put(base64.b64encode(block[: min(_PIECE, size * _MIB - start)]))
        put(after)
    return digest.hexdigest()


def _digest(folder: Path) -> str:
    (path,) = folder.glob("*.edxml")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
