"""A document system on the VXP interface against real parts: broker, database, router, tracker, and the gateway as a
process that is killed (kill -9) between its steps and started again. Every step is in the unit tests of the desk.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from axis.client.settings import write_profile
from axis.core.partners import Partner, Profile
from axis.core.reading import parse_status
from axis.edxml import EdxmlDocument, EdxmlStatus, read
from axis.gateway.desk import Secrets, desk_folder
from axis.local.ports import free_port
from axis.trust import DemonstrationCA, enrol, new_key
from tests.rig import Rig, now, rig, until
from tests.services import Vhost
from tests.unit.gateway.desk.harness import package
from tests.vxp_client import VxpClient

SYSTEM = "00.37.W00"
_PATIENCE_SECONDS = 0.2  # asking more often would be asking too often
CRASHING = str(Path(__file__).parents[1] / "crashing_desk.py")


async def serve(axis: Rig, port: int) -> str:
    """Have H37 served by the gateway; return the partner's secret."""
    authority = DemonstrationCA.open_or_create(axis.folder / "ca", now())
    key = new_key("ed25519")
    certificate = authority.issue("H37", key, name="H37", now=now())
    await axis.store.directory.put_certificate(enrol(certificate, "H37", "gateway", now(), allow_demonstration=True))
    write_profile(
        desk_folder(axis.folder, "H37"),
        code="H37",
        amqp_url=axis.url_of("H37"),
        gateway_url=f"http://127.0.0.1:{port}",
        key=key,
        certificate=certificate,
        axis_certificate=(axis.folder / "axis-key" / "certificate.pem").read_bytes(),
    )
    axis_certificate = (axis.folder / "axis-key" / "certificate.pem").read_bytes()
    await axis.store.directory.put_certificate(enrol(axis_certificate, "W00", "axis", now(), allow_demonstration=True))
    await axis.store.partners.put(Partner(SYSTEM, Profile.VXP, {"H37": "H37"}, now()))
    return Secrets(axis.folder).make(SYSTEM, now())


class Gateway:
    """The gateway's process, started again whenever it has died."""

    def __init__(self, axis: Rig, port: int) -> None:
        self._axis = axis
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self.deaths = 0
        self.mark = axis.folder / "crashed"
        self.mark.touch()

    @property
    def log(self) -> Path:
        return self._axis.folder / "gateway.log"

    async def keep(self) -> None:
        env = {
            **os.environ,
            **self._axis.environment(),
            "AXIS_GATEWAY_PORT": str(self._port),
            "CRASH_MARK": str(self.mark),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        try:
            while True:
                with self.log.open("ab") as out:
                    self._process = await asyncio.create_subprocess_exec(
                        sys.executable, CRASHING, env=env, stdout=out, stderr=out
                    )
                assert await self._process.wait() == -9, self.log.read_text()
                self.deaths += 1
        finally:
            if self._process is not None and self._process.returncode is None:
                self._process.kill()
                await self._process.wait()


@contextlib.asynccontextmanager
async def gateway(axis: Rig, port: int) -> AsyncIterator[Gateway]:
    running = Gateway(axis, port)
    keeping = asyncio.create_task(running.keep())
    try:
        yield running
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def patiently(call: Any) -> Any:
    """Ask again, as a document system does that got no answer, until there is one that is OK."""
    found: list[Any] = []

    async def answered() -> bool:
        try:
            found[:] = [await call()]
        except (httpx.HTTPError, ValueError):
            await asyncio.sleep(_PATIENCE_SECONDS)
            return False
        if found[0]["status"] != "OK" or found[0]["data"] == []:
            await asyncio.sleep(_PATIENCE_SECONDS)
        return bool(found[0]["status"] == "OK" and found[0]["data"] != [])

    await until(answered)
    return found[0]


async def test_a_document_system_killed_gateways_and_all(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        port = free_port()
        secret = await serve(axis, port)
        async with (
            axis.worker("router"),
            axis.worker("tracker"),
            gateway(axis, port) as running,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as http,
        ):
            client = VxpClient(http, SYSTEM, secret, made=dt.datetime(2025, 1, 1, tzinfo=dt.UTC))

            # To H37: one package, however often the gateway dies over it.
            envelope = axis.envelope()
            await axis.send_as("G22", axis.submission(envelope))
            listed = await patiently(lambda: client.call("getReceivedEdocList", messagetype="edoc"))
            await until(lambda: "received" in running.mark.read_text())
            (row,) = listed["data"]
            answer = await patiently(lambda: client.call("getEdoc", docId=row["docId"]))
            document = read(base64.b64decode(answer["data"], validate=True))
            assert isinstance(document, EdxmlDocument)
            assert document.document_id.text == envelope["document"]["document_id"]
            await patiently(lambda: client.call("updateStatus", docId=row["docId"], status="done"))
            notices = await axis.notices("G22", 2)
            statuses = [parse_status(each.body) for each in notices if each.type == "status"]
            assert [(each.reporter, each.code) for each in statuses] == [("H37", "01")]

            # From H37: one document, signed by the gateway.
            sent = package(recipients=("000.00.00.G22",))
            answer = await patiently(lambda: client.send(sent))
            (delivered,) = await axis.mail("G22", 1)
            assert delivered.message_id == answer["DocId"]
            (tracked,) = await axis.store.track(answer["DocId"])
            roles = {each.thumbprint: each.role for each in (await axis.store.directory.load())[2]}
            assert roles[tracked.envelope.thumbprint] == "gateway"
            assert (await client.send(sent))["DocId"] == answer["DocId"]
            await axis.send_as("G22", axis.status("G22", answer["DocId"], "03"))
            listed = await patiently(lambda: client.call("getReceivedEdocList", messagetype="status"))
            (row,) = listed["data"]
            answer = await patiently(lambda: client.call("getEdoc", docId=row["docId"]))
            status = read(base64.b64decode(answer["data"], validate=True))
            assert isinstance(status, EdxmlStatus)
            assert status.code == "03"
            (row,) = (await client.call("getSentEdocList", messagetype="edoc"))["data"]
            assert (row["sendStatus"], row["receiveStatus"], row["receiveStatusDesc"][:2]) == ("done", "done", "03")

            # What it had to answer for is done, and nothing came twice.
            assert running.deaths == 2
            assert sorted(running.mark.read_text().split()) == ["received", "sent"]
            assert (await client.call("countReceiveEdoc"))["data"] == 0
            assert await axis.waiting("mailbox.normal.H37") == await axis.waiting("mailbox.normal.G22") == 0
            (tracked,) = await axis.store.track(envelope["id"])
            assert [each.code for each in tracked.statuses] == ["01"]
            assert secret not in running.log.read_text()
