"""Sealing certificates on the command line, on a fake store."""

import asyncio
import datetime as dt
from pathlib import Path

from axis.store import FakeStore
from axis.trust import DemonstrationCA, enrol, new_key
from schemas import Certificate
from tests.builders import mailbox
from tests.unit.cli.conftest import Run


def certificate(tmp_path: Path, key: bytes, name: str, *, sealing: bool) -> Path:
    now = dt.datetime.now(dt.UTC)
    authority = DemonstrationCA.open_or_create(tmp_path / "ca", now)
    path = tmp_path / name
    path.write_bytes(authority.issue("H37", key, name="UBND tỉnh Lạng Sơn", now=now, sealing=sealing))
    return path


def test_a_sealing_certificate_is_enrolled_and_signs_for_nobody(run: Run, store: FakeStore, tmp_path: Path) -> None:
    path = certificate(tmp_path, new_key("rsa"), "sealing.pem", sealing=True)
    enrolled = run("certificate", "enrol", str(path), "--for", "H37", "--sealing", "--demonstration", "--json")
    assert (enrolled.code, enrolled.json["role"]) == (0, "sealing")
    assert "sealing" in run("certificate", "list", "--for", "H37").out
    explained = run("explain", "--from", "H37", "--to", "H37", "--json").json
    assert explained["sender"]["certificates"] == []


def test_what_is_not_for_sealing_is_refused_with_its_code(run: Run, store: FakeStore, tmp_path: Path) -> None:
    signs = certificate(tmp_path, new_key("p256"), "signs.pem", sealing=False)
    ran = run("certificate", "enrol", str(signs), "--for", "H37", "--sealing", "--demonstration", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "certificate/malformed")
    ed25519 = certificate(tmp_path, new_key("ed25519"), "ed25519.pem", sealing=True)
    ran = run("certificate", "enrol", str(ed25519), "--for", "H37", "--sealing", "--demonstration", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "seal/key-kind")
    assert run("certificate", "enrol", str(signs), "--for", "H37", "--sealing", "--gateway").code == 2


def test_a_certificate_is_checked_for_what_it_is_to_be(run: Run, store: FakeStore, tmp_path: Path) -> None:
    opens = str(certificate(tmp_path, new_key("p256"), "opens.pem", sealing=True))
    check = ("certificate", "check", opens, "--for", "H37", "--demonstration")
    assert run(*check, "--sealing").code == 0
    assert run(*check).code == 65
    assert run(*check, "--sealing", "--gateway").code == 2
    assert run("certificate", "list", "--json").json == {"certificates": []}


def test_one_key_for_both_is_refused(run: Run, store: FakeStore, tmp_path: Path) -> None:
    key = new_key("p256")
    signs = certificate(tmp_path, key, "signs.pem", sealing=False)
    opens = certificate(tmp_path, key, "opens.pem", sealing=True)
    assert run("certificate", "enrol", str(signs), "--for", "H37", "--demonstration").code == 0
    ran = run("certificate", "enrol", str(opens), "--for", "H37", "--sealing", "--demonstration", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "seal/key-kind")


def told_by_the_doctor(run: Run) -> str:
    (check,) = [each for each in run("doctor", "--json").json["checks"] if each["name"] == "certificates"]
    assert check["level"] == "warn"
    return str(check["found"])


def test_the_doctor_keeps_signing_and_sealing_apart(run: Run, store: FakeStore, tmp_path: Path) -> None:
    async def fill(*certificates: Certificate) -> None:
        await store.directory.put_mailbox(mailbox("H37"))
        for each in certificates:
            await store.directory.put_certificate(each)

    now = dt.datetime.now(dt.UTC)
    soon, later = now + dt.timedelta(days=10), now + dt.timedelta(days=90)
    path = certificate(tmp_path, new_key("p256"), "sealing.pem", sealing=True)
    seals = enrol(path.read_bytes(), "H37", "sealing", now, allow_demonstration=True)
    asyncio.run(fill(seals.model_copy(update={"not_after": later})))
    assert "no valid one for H37: these can receive but not send" in told_by_the_doctor(run)
    path = certificate(tmp_path, new_key("p256"), "signs.pem", sealing=False)
    signs = enrol(path.read_bytes(), "H37", "agency", now, allow_demonstration=True)
    asyncio.run(fill(signs.model_copy(update={"not_after": later}), seals.model_copy(update={"not_after": soon})))
    assert "the last ones end soon: H37 (sealing, " in told_by_the_doctor(run)
