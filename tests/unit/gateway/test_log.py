"""The log over HTTP: files for everybody, proofs for agencies."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from axis.blobs import Blobs, Objects
from axis.blobs.opening import open_store
from axis.client.gateway import Gateway
from axis.core.ids import new_id
from axis.errors import NotFound, Unavailable
from axis.gateway import Enrolled, create_app
from axis.gateway.log import Log
from axis.proving import LogProof, NoteSigner, receipt_entry
from axis.store import FakeStore
from axis.trust import new_key
from tests.unit.gateway.harness import Agency
from tests.unit.store.rows import notice_row
from tests.unit.workers.harness import axis_of
from workers.metrics import Metrics
from workers.notary import Notary

NOW = dt.datetime.now(dt.UTC)
KEY = NoteSigner.from_pem("axis.example/log", new_key("ed25519"))


class Scene:
    """A gateway in front of a log with three receipts, and one that is not logged yet."""

    def __init__(self, folder: Path) -> None:
        self.store = FakeStore()
        self.opened = open_store("memory://")
        self.files = Objects(self.opened, "log")
        self.agency = Agency("H37", folder / "authority", NOW)
        self.rows = [notice_row(id=new_id(NOW - dt.timedelta(minutes=number))) for number in range(4)]
        app = create_app(
            blobs=Blobs.open("memory://"),
            store=self.store,
            enrolled=Enrolled([self.agency.certificate]),
            now=lambda: NOW,
            log_files=Log(self.files, self.store.log),
        )
        self.transport = httpx.ASGITransport(app=app)
        self.http = httpx.AsyncClient(base_url="http://gateway", transport=self.transport)
        self.gateway = Gateway(
            "http://gateway",
            code="H37",
            key=self.agency.key,
            now=lambda: NOW,
            deadline=5,
            transport=self.transport,
        )

    async def fill(self) -> None:
        async with self.store.transaction() as tx:
            await tx.notices(self.rows[:3])
        log = (await axis_of(["H37"])).log
        await Notary(
            store=self.store.log,
            files=self.files,
            signers=[KEY],
            stop=asyncio.Event(),
            log=log,
            metrics=Metrics("notary"),
        ).work()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = Scene(tmp_path)
    await scene.fill()
    async with scene.http, scene.gateway:
        yield scene


async def test_files_are_for_everybody_and_only_the_checkpoint_changes(scene: Scene) -> None:
    checkpoint = await scene.http.get("/log/checkpoint")
    assert checkpoint.text.startswith("axis.example/log\n3\n")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["cache-control"] == "public, max-age=5"
    for path, size in (("tile/0/000.p/3", 96), ("tile/entries/000.p/3", None)):
        tile = await scene.http.get(f"/log/{path}")
        assert (tile.status_code, tile.headers["content-type"]) == (200, "application/octet-stream")
        assert "immutable" in tile.headers["cache-control"]
        assert size is None or len(tile.content) == size


@pytest.mark.parametrize(
    "path",
    [
        "/log/",
        "/log/tile/0/001",
        "/log/tile/0/000.p/4",
        "/log/tile/0/..%2f..%2fcheckpoint",
        "/log/..%2fab",
        "/log/timestamp/3",
        "/log/timestamp/03",
        "/log/tile/0/%D9%A1%D9%A1%D9%A1",
    ],
)
async def test_what_the_log_does_not_have(scene: Scene, path: str) -> None:
    answer = await scene.http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "log/not-found")


async def test_nothing_else_of_the_store_can_be_read_through_it(scene: Scene) -> None:
    await Objects(scene.opened, "elsewhere").put("tile/0/000", b"a blob")
    for path in ("/log/../elsewhere/tile/0/000", "/log//elsewhere/tile/0/000", "/log/%2e%2e/elsewhere/tile/0/000"):
        assert (await scene.http.get(path)).status_code == 404


async def test_only_reading_is_possible(scene: Scene) -> None:
    for method in ("PUT", "POST", "DELETE"):
        assert (await scene.http.request(method, "/log/checkpoint")).status_code == 405


async def test_an_agency_gets_the_proof_of_a_receipt(scene: Scene) -> None:
    row = scene.rows[1]
    text, timestamp = await scene.gateway.proof(row.id)
    proof = LogProof.parse(text)
    assert proof.verify(receipt_entry(row.id, row.body, row.signature), [KEY.public]).size == 3
    assert timestamp is None
    await scene.store.log.stamp(3, b"stamp")
    assert (await scene.gateway.proof(row.id))[1] == b"stamp"


async def test_a_receipt_that_is_not_logged_yet(scene: Scene) -> None:
    for identifier in (scene.rows[3].id, "no-id", "%27%20OR%201"):
        with pytest.raises(NotFound) as missing:
            await scene.gateway.proof(identifier)
        assert missing.value.code == "log/not-logged"


async def test_proofs_need_a_token_of_the_path(scene: Scene) -> None:
    path = f"/v1/receipts/{scene.rows[0].id}/proof"
    assert (await scene.http.get(path)).json()["code"] == "token/missing"
    other = scene.agency.bearer("GET", f"/v1/receipts/{scene.rows[1].id}/proof", NOW)
    assert (await scene.http.get(path, headers=other)).json()["code"] == "token/invalid"


async def test_a_gateway_that_answers_something_else(tmp_path: Path) -> None:
    agency = Agency("H37", tmp_path / "authority", NOW)
    stamps = [{"log": "x", "timestamp": "!"}, {"log": "x"}, [], {"log": "x", "timestamp": 7}]
    for content in stamps:
        answer = httpx.Response(200, content=json.dumps(content).encode())
        async with Gateway(
            "http://gateway",
            code="H37",
            key=agency.key,
            now=lambda: NOW,
            deadline=5,
            transport=httpx.MockTransport(lambda _, answer=answer: answer),
        ) as gateway:
            with pytest.raises(Unavailable, match="not a proof"):
                await gateway.proof(new_id(NOW))
