"""`axis folder` as processes on a real axis: there and back, killed (kill -9) again and again, and how it ends."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from axis import local
from axis.edxml import EdxmlDocument, EdxmlStatus, read
from tests.programs import AXIS
from tests.unit.folder.desk import package, status_package
from tests.whole_axis import ROUTE, SECONDS, Axis, whole_axis

# Broker accounts are shared by all virtual hosts of a broker, so these codes are this module's own.
ONE, OTHER = "X71", "X72"


@pytest.fixture(scope="module")
def axis(services: local.Services, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Axis]:
    root = tmp_path_factory.mktemp("folder")
    with whole_axis(services, migrated_template, root, worker="axis-worker-of-test-folder", processes=ROUTE) as running:
        for code in (ONE, OTHER):
            running.run("agency", "add", code, "--name", f"Cơ quan {code}", "--demonstration-key")
        yield running


class Watched:
    """An agency's two folders, and the process that watches them."""

    def __init__(self, axis: Axis, code: str, root: Path) -> None:
        self._axis, self._code = axis, code
        self.out, self.incoming = root / code / "out", root / code / "in"
        for each in (self.out, self.incoming):
            each.mkdir(parents=True)
        self.log = root / f"{code}.log"

    @property
    def options(self) -> list[str]:
        return ["folder", "--as", self._code, "--out", str(self.out), "--in", str(self.incoming), "--quiet", "0.1"]

    @contextlib.contextmanager
    def process(self) -> Iterator["subprocess.Popen[bytes]"]:
        environ = {**os.environ, "AXIS_HOME": str(self._axis.home), "PYTHONUTF8": "1"}
        argv = [sys.executable, *AXIS, *self.options, "--poll", "0.1", "--json"]
        with self.log.open("ab") as log:
            running = subprocess.Popen(argv, env=environ, stdout=log, stderr=log)
        try:
            yield running
        finally:
            running.kill()
            running.wait()

    def put(self, name: str, data: bytes) -> None:
        (self.out / f"{name}.tmp").write_bytes(data)
        (self.out / f"{name}.tmp").rename(self.out / name)

    def arrived(self) -> list[Any]:
        return [read(each.read_bytes()) for each in sorted(self.incoming.glob("*.edxml"))]

    def statuses(self) -> list[EdxmlStatus]:
        return [each for each in self.arrived() if isinstance(each, EdxmlStatus)]

    def sent(self) -> list[str]:
        return sorted(each.name for each in (self.out / "sent").glob("*.edxml"))

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


def until(condition: Callable[[], object], *, told: Callable[[], object] = lambda: "") -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.05)


def test_there_and_back_with_both_watchers_killed_again_and_again(axis: Axis, tmp_path: Path) -> None:
    one, other = Watched(axis, ONE, tmp_path), Watched(axis, OTHER, tmp_path)
    key = "000.00.00.X71,2026/11/24,{}/UBND"
    for number in range(6):
        data = package(f"{number}/UBND", sender="000.00.00.X71", to=("000.00.00.X72",))
        one.put(f"{number}.edxml", data)
    steps: list[tuple[Watched, Callable[[], object]]] = [
        (one, lambda: (one.out / "sending").is_dir() and any((one.out / "sending").iterdir())),
        (one, lambda: len(one.sent()) >= 1),
        (other, lambda: len(other.arrived()) >= 1),
    ]
    for watched, reached in steps:
        with watched.process() as running:
            until(reached, told=watched.log.read_text)
            running.send_signal(signal.SIGKILL)
            assert running.wait(SECONDS) == -signal.SIGKILL, watched.log.read_text()
    with one.process() as first, other.process() as second:
        until(lambda: len(one.sent()) == 6, told=one.log.read_text)
        until(lambda: len(other.arrived()) == 6, told=other.log.read_text)
        other.put("tt.edxml", status_package(key.format(3), sender="000.00.00.X72", to="000.00.00.X71"))
        until(lambda: len(one.statuses()) == 7, told=one.log.read_text)

        held = axis.run(*one.options, code=69)
        assert f"process {first.pid} on " in held.stderr
        first.send_signal(signal.SIGTERM)
        second.send_signal(signal.SIGINT)
        assert (first.wait(SECONDS), second.wait(SECONDS)) == (0, 130)
    assert sorted(each.code for each in one.statuses()) == ["01"] * 6 + ["03"]
    documents = [each for each in other.arrived() if isinstance(each, EdxmlDocument)]
    assert sorted(each.document_id.text for each in documents) == [key.format(number) for number in range(6)]
    for number in range(6):
        told = json.loads((one.out / "sent" / f"{number}.edxml.receipt.json").read_bytes())
        assert told["outcome"] == "accepted"
    assert one.events()[-1]["event"] == other.events()[-1]["event"] == "summary"
    assert [*(one.out / "sending").iterdir(), *(one.out / "refused").iterdir()] == []


def test_once_for_cron(axis: Axis, tmp_path: Path) -> None:
    one = Watched(axis, ONE, tmp_path)
    one.put("good.edxml", package("7/X", sender="000.00.00.X71", to=("000.00.00.X72",)))
    told = axis.run(*one.options, "--once", "--idle", "0.5").stdout
    assert "good.edxml" in told
    assert told.splitlines()[-1].startswith("1 picked up, 1 sent")
    one.put("nobody.edxml", package("8/X", sender="000.00.00.X71", to=("000.00.00.X99",)))
    lines = axis.run(*one.options, "--once", "--idle", "0.5", "--json", code=1).stdout.splitlines()
    refused = next(each for each in map(json.loads, lines) if each["event"] == "refused")
    assert refused["code"] == "recipient/unknown"
    report = (one.out / "refused" / "nobody.edxml.report.txt").read_text("utf-8-sig")
    assert "X99" in report
    other = Watched(axis, OTHER, tmp_path)
    axis.run(*other.options, "--once", "--idle", "1")
    assert [each.document_id.notation for each in other.arrived()] == ["7/X"]
