"""From a signed envelope to a receipt that is verified offline, with commands; and a log that is caught lying."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from axis import local
from tests.programs import AXIS
from tests.stamping import TimestampAuthority, timestamp_authority
from tests.whole_axis import ROUTE, SECONDS, Axis, whole_axis

SENDER, RECEIVER = "X61", "X62"

pytestmark = pytest.mark.timeout(400)


@dataclass(slots=True)
class Stamps:
    """A timestamp authority on the network."""

    authority: TimestampAuthority
    url: str
    away: bool = True


@pytest.fixture(scope="module")
def stamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stamps]:
    authority = timestamp_authority(tmp_path_factory.mktemp("stamps") / "tsa")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            content = b"" if made.away else authority.answer(query)
            self.send_response(503 if made.away else 200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Stamps(authority, f"http://127.0.0.1:{server.server_port}/")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def axis(
    services: local.Services, migrated_template: str, tmp_path_factory: pytest.TempPathFactory, stamps: Stamps
) -> Iterator[Axis]:
    settings = {"log_seconds": "0.2", "tsa_url": stamps.url, "tsa_seconds": "0.2", "log_origin": "axis.example/nhật-ký"}
    root = tmp_path_factory.mktemp("receipts")
    with whole_axis(
        services,
        migrated_template,
        root,
        worker="axis-worker-of-test-receipts",
        processes=ROUTE | {"notary"},
        **settings,
    ) as running:
        running.run("agency", "add", SENDER, "--name", "Cơ quan gửi", "--demonstration-key")
        running.run("agency", "add", RECEIVER, "--name", "Cơ quan nhận", "--demonstration-key")
        yield running


def send(axis: Axis, folder: Path, text: str) -> str:
    letter = folder / f"{text}.txt"
    letter.write_text(text, encoding="utf-8")
    sent = axis.json("send", str(letter), "--as", SENDER, "--to", RECEIVER, "--subject", f"V/v {text}")
    envelope: str = sent["envelope"]
    return envelope


def proof(axis: Axis, envelope: str, out: Path, *options: str) -> None:
    """Get the proof as soon as it is there: the notary takes its time, the deadline is ours."""
    deadline = time.monotonic() + SECONDS
    arguments = ("receipt", "proof", envelope, "--out", str(out), *options, "--json")
    while True:
        ran = subprocess.run(
            [sys.executable, *AXIS, *arguments],
            env={**os.environ, "AXIS_HOME": str(axis.home)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if ran.returncode == 0:
            return
        assert ran.returncode == 66, ran.stdout + ran.stderr
        assert json.loads(ran.stdout)["error"]["code"] == "log/not-logged"
        assert time.monotonic() < deadline


def notary(axis: Axis) -> local.ProcessState:
    state = local.set_state(axis.home.parent, "axis")
    assert state is not None
    return next(each for each in state.processes if each.name == "notary")


def offline(folder: Path, *arguments: str, code: int = 0, language: str = "C.UTF-8") -> str:
    """Run a command where there is no axis: no settings, no addresses, nothing but files."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AXIS_")}
    ran = subprocess.run(
        [sys.executable, *AXIS, *arguments],
        env={**environ, "AXIS_HOME": str(folder / "nowhere"), "LC_ALL": language, "PYTHONUTF8": "1",
             "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )  # fmt: skip
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_an_envelope_is_followed_from_its_signature_to_a_receipt_verified_offline(
    axis: Axis, stamps: Stamps, tmp_path: Path
) -> None:
    stamps.away = True
    envelope = send(axis, tmp_path, "kết nối, liên thông")
    axis.run("inbox", "--as", RECEIVER, "--accept", "--save", str(tmp_path / "received"))
    assert axis.json("receipt", "show", envelope, "--as", SENDER)["receipt"]["outcome"] == "accepted"
    file = tmp_path / "proof.json"
    proof(axis, envelope, file, "--as", SENDER)
    profile = axis.home / "agencies" / SENDER
    for name in ("axis.pem", "log.vkey"):
        shutil.copy(profile / name, tmp_path)
    keys = ("--axis-certificate", "axis.pem", "--log-key", "log.vkey")
    kept = str(tmp_path / "received" / envelope / "envelope.json")
    told = offline(tmp_path, "receipt", "verify", "proof.json", *keys, "--envelope", kept)
    assert f"it took document {envelope} of {SENDER}" in told
    assert "its digests are those of" in told
    assert "not proven: the time" in told
    vietnamese = offline(tmp_path, "receipt", "verify", "proof.json", *keys, language="vi_VN.UTF-8")
    assert "đã chứng minh: trục liên thông đã ký biên nhận này" in vietnamese
    assert "chưa chứng minh: bên nhận đã đọc văn bản" in vietnamese
    no_time = offline(
        tmp_path, "receipt", "verify", "proof.json", *keys, "--tsa-root", str(stamps.authority.root), code=65
    )
    assert "log/timestamp" in no_time
    # Everything else that is not so is said, with the code that says which part of it.
    other = send(axis, tmp_path, "văn bản khác")
    axis.run("inbox", "--as", RECEIVER, "--save", str(tmp_path / "received"))
    wrong = str(tmp_path / "received" / other / "envelope.json")
    assert "about another message" in offline(
        tmp_path, "receipt", "verify", "proof.json", *keys, "--envelope", wrong, code=65
    )
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    forged = content["receipt"].replace('"routed"', '"refused"')
    (tmp_path / "forged.json").write_text(json.dumps({**content, "receipt": forged}), encoding="utf-8")
    assert "signature/invalid" in offline(tmp_path, "receipt", "verify", "forged.json", *keys, code=65)
    strange = "axis.example/nhật-ký+00000000+AAAA"
    assert "axis/misconfigured" in offline(
        tmp_path, "receipt", "verify", "proof.json", "--axis-certificate", "axis.pem", "--log-key", strange, code=78
    )
    assert "--log-key" in offline(tmp_path, "receipt", "verify", "proof.json", code=78)


def test_a_time_is_proven_once_the_authority_answers(axis: Axis, stamps: Stamps, tmp_path: Path) -> None:
    stamps.away = True
    envelope = send(axis, tmp_path, "có dấu thời gian")
    proof(axis, envelope, tmp_path / "without.json")
    assert "timestamp" not in json.loads((tmp_path / "without.json").read_text())
    stamps.away = False
    profile = str(axis.home / "agencies" / SENDER)
    deadline = time.monotonic() + SECONDS
    while True:
        proof(axis, envelope, tmp_path / "with.json")
        if "timestamp" in json.loads((tmp_path / "with.json").read_text()):
            break
        assert time.monotonic() < deadline
    arguments = ("receipt", "verify", "with.json", "--as", SENDER, "--profile", profile)
    told = offline(tmp_path, *arguments, "--tsa-root", str(stamps.authority.root))
    assert "a timestamp authority saw that checkpoint" in told
    assert "not proven: the time" not in told


def test_a_log_is_checked_from_files_and_a_rewritten_one_is_caught(axis: Axis, stamps: Stamps, tmp_path: Path) -> None:
    stamps.away = False
    log = axis.home / "blobs" / "log"
    proof(axis, send(axis, tmp_path, "trước"), tmp_path / "first.json")
    old = tmp_path / "old.checkpoint"
    axis.run("log", "checkpoint", "--as", SENDER, "--out", str(old))
    proof(axis, send(axis, tmp_path, "sau"), tmp_path / "second.json")
    told = axis.json("log", "check", str(old), "--as", SENDER)
    assert told["old"]["size"] < told["new"]["size"]
    assert told["new"]["origin"] == "axis.example/nhật-ký"
    assert axis.json("log", "check", str(old))["old"] == told["old"]
    mirror = tmp_path / "mirror"
    shutil.copytree(log, mirror)
    new = mirror / "checkpoint"
    key = axis.run("log", "keys").stdout.strip()
    check = ("log", "check", str(old), str(new), "--from", str(mirror), "--log-key", key)
    assert "has only grown" in offline(tmp_path, *check)
    assert "log/consistency" in offline(tmp_path, "log", "check", str(new), str(old), *check[4:], code=65)
    for tile in mirror.glob("tile/0/**/*"):
        if tile.is_file():
            tile.write_bytes(bytes([tile.read_bytes()[0] ^ 1]) + tile.read_bytes()[1:])
    assert "log/consistency" in offline(tmp_path, *check, code=65)
    shutil.rmtree(mirror / "tile")
    assert "log/not-found" in offline(tmp_path, *check, code=66)
    new.write_text(new.read_text().replace("\n—", "\n—", 1).replace("axis.example/nhật-ký\n", "axis.example/khác\n", 1))
    assert "log/signature" in offline(tmp_path, *check, code=65)


def test_a_notary_that_is_killed_goes_on_with_the_same_log(axis: Axis, tmp_path: Path) -> None:
    proof(axis, send(axis, tmp_path, "trước khi bị dừng"), tmp_path / "before.json")
    old = tmp_path / "old.checkpoint"
    axis.run("log", "checkpoint", "--as", SENDER, "--out", str(old))
    before = notary(axis)
    assert before.pid is not None
    envelopes = [send(axis, tmp_path, "ngay trước")]
    os.kill(before.pid, signal.SIGKILL)
    envelopes.append(send(axis, tmp_path, "ngay sau"))
    for each in envelopes:
        proof(axis, each, tmp_path / f"{each}.json")
        told = axis.json("receipt", "verify", str(tmp_path / f"{each}.json"), "--as", SENDER)
        assert (told["receipt"]["message_id"], told["receipt"]["outcome"]) == (each, "accepted")
    told = axis.json("log", "check", str(old), "--as", SENDER)
    assert told["new"]["size"] >= told["old"]["size"] + len(envelopes)
    assert notary(axis).restarts == before.restarts + 1
