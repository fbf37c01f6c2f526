"""`axis receipt` and `axis log` on a fake store and real files."""

import asyncio
import datetime as dt
import json
from pathlib import Path

import pytest

from axis.blobs import LOG_FOLDER, Objects
from axis.client.logs import write_keys
from axis.core.ids import new_id
from axis.proving import NoteSigner
from axis.store import FakeStore
from axis.trust import DemonstrationCA, SigningKey, new_key
from schemas import examples
from tests.unit.cli.conftest import Run
from tests.unit.store.rows import notice_row
from tests.unit.workers.harness import axis_of
from workers.metrics import Metrics
from workers.notary import Notary

NOW = dt.datetime.now(dt.UTC)
ORIGIN = "axis.local/log"


@pytest.fixture
def receipt_id(store: FakeStore, tmp_path: Path) -> str:
    """A receipt that is in the log of the axis on this machine."""
    folder = tmp_path / ".axis" / "axis-key"
    folder.mkdir(parents=True)
    key, log_key = new_key("p256"), new_key("ed25519")
    certificate = DemonstrationCA.open_or_create(tmp_path / "ca", NOW).issue("W00", key, name="axis", now=NOW)
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "log-key.pem").write_bytes(log_key)
    signer = NoteSigner.from_pem(ORIGIN, log_key)
    (folder / "log.vkey").write_text(write_keys([signer.public]))
    body = json.dumps({**examples.RECEIPT, "id": new_id(NOW)}).encode()
    row = notice_row(id=json.loads(body)["id"], body=body, signature=SigningKey.from_pem(key, certificate).sign(body))

    async def fill() -> None:
        async with store.transaction() as tx:
            await tx.notices([row])
        await notary(store, tmp_path, signer, (await axis_of(["H37"])).log).work()

    asyncio.run(fill())
    return row.id


def notary(store: FakeStore, tmp_path: Path, signer: NoteSigner, log: object) -> Notary:
    files = Objects.open((tmp_path / ".axis" / "blobs").as_uri(), LOG_FOLDER)
    return Notary(
        store=store.log,
        files=files,
        signers=[signer],
        stop=asyncio.Event(),
        log=log,  # type: ignore[arg-type]  # a capturing one
        metrics=Metrics("notary"),
    )


def test_the_operator_shows_proves_and_verifies(run: Run, receipt_id: str, tmp_path: Path) -> None:
    shown = run("receipt", "show", receipt_id, "--json")
    assert (shown.code, shown.json["log_index"], shown.json["receipt"]["id"]) == (0, 0, receipt_id)
    assert "entry 0 of the log" in run("receipt", "show", receipt_id).out
    file = tmp_path / "a.proof.json"
    assert run("receipt", "proof", receipt_id, "--out", str(file)).code == 0
    verified = run("receipt", "verify", str(file), "--json")
    assert verified.code == 0
    assert verified.json["log"] == {"origin": ORIGIN, "index": 0, "size": 1}
    assert verified.json["stamped_at"] is None


def test_it_is_said_in_the_language_of_the_people_here(
    run: Run, receipt_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.proof.json"
    run("receipt", "proof", receipt_id, "--out", str(file))
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    told = run("receipt", "verify", str(file)).out
    assert "đã chứng minh: biên nhận là mục số 0 trong nhật ký" in told
    assert "chỉ chuyển được cho một số bên nhận" in told
    assert "chưa chứng minh: thời gian" in told


def test_what_is_not_there(run: Run, store: FakeStore, receipt_id: str, tmp_path: Path) -> None:
    assert run("receipt", "show", new_id(NOW)).code == 66
    assert run("receipt", "proof", new_id(NOW)).code == 66
    assert run("receipt", "verify", str(tmp_path / "none.json")).code == 66
    late = notice_row(id=new_id(NOW))

    async def commit() -> None:
        async with store.transaction() as tx:
            await tx.notices([late])

    asyncio.run(commit())
    ran = run("receipt", "proof", late.id, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (66, "log/not-logged")


def test_a_file_that_cannot_be_written(run: Run, receipt_id: str, tmp_path: Path) -> None:
    ran = run("receipt", "proof", receipt_id, "--out", str(tmp_path / "no" / "where.json"))
    assert (ran.code, "cannot write" in ran.err) == (73, True)


def test_checkpoints_are_kept_and_compared(run: Run, receipt_id: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert run("log", "checkpoint", "--out", str(kept)).code == 0
    assert run("log", "checkpoint").out == kept.read_text()
    assert run("log", "check", str(kept), "--json").json["new"]["size"] == 1
    key = run("log", "keys", "--write").out.strip()
    assert (tmp_path / ".axis" / "axis-key" / "log.vkey").read_text() == f"{key}\n"
    mirror = str(tmp_path / ".axis" / "blobs" / "log")
    assert run("log", "check", str(kept), str(kept), "--from", mirror, "--log-key", key).code == 0
    assert run("log", "check", str(kept), "--from", str(tmp_path / "nowhere")).code == 66
    assert run("log", "check", str(tmp_path / "none")).code == 66
    kept.write_text("no checkpoint")
    ran = run("log", "check", str(kept), "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "log/malformed")


def test_a_log_that_has_not_begun(run: Run, store: FakeStore, tmp_path: Path) -> None:
    ran = run("log", "checkpoint")
    assert (ran.code, "log.vkey" in ran.err) == (78, True)
    assert run("log", "keys").code == 78
    key = str(NoteSigner.from_pem(ORIGIN, new_key("ed25519")).public)
    ran = run("log", "checkpoint", "--log-key", key, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (66, "log/not-found")
