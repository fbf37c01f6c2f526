"""The demo's story over TLS and client certificates, at debug level: the same counts, and no secret anywhere.

Secrets are looked for in logs, in what is printed, and in the arguments of every process while the story is played.
"""

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clones import MARKS, PROGRAM, SECONDS, clone
from tests.acceptance.test_demo import COUNTS

pytestmark = MARKS


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with clone("tls-demo") as folder:
        yield folder


def secrets_of(root: Path) -> dict[str, bytes]:
    """Find every secret of a clone: passwords in its files, and a line from the middle of each private key."""
    found: dict[str, bytes] = {}
    record = json.loads((root / ".axis" / "nodes.json").read_text(encoding="utf-8"))
    found |= {name: record[name].encode() for name in ("cookie", "broker_password", "database_password")}
    for path in (root / ".axis" / "stack.env", *(root / ".axis" / "agencies").glob("*/profile.json")):
        for number, password in enumerate(re.findall(rb"://[^:/@]+:([^@/]+)@", path.read_bytes())):
            found[f"{path.name} of {path.parent.name}, {number}"] = password
    for path in (root / ".axis").rglob("*key.pem"):
        found[str(path)] = path.read_bytes().splitlines()[1]
    return found


def arguments_of_all() -> bytes:
    said = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            said.append(path.read_bytes())
    return b"\n".join(said)


async def axis(root: Path, *arguments: str, **more: str) -> tuple[int, bytes, bytes, bytes]:
    """Run a command; return its exit code, its output, its errors, and every process's arguments meanwhile."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AXIS_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, *arguments),
        env=environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | more,
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    told = asyncio.create_task(process.communicate())
    seen = b""
    async with asyncio.timeout(SECONDS):
        while not told.done():
            seen += await asyncio.to_thread(arguments_of_all)
            await asyncio.wait([told], timeout=0.5)
    out, err = told.result()
    assert process.returncode is not None
    return process.returncode, out, err, seen


async def test_the_story_over_tls_has_the_same_counts_and_gives_no_secret_away(root: Path) -> None:
    code, out, err, seen = await axis(root, "demo", "--tls", "--json", AXIS_LOG_LEVEL="debug")
    assert code == 0, err.decode()
    told: dict[str, Any] = json.loads(out)
    assert (told["counts"], told["ok"]) == (COUNTS, True)
    log = root / ".axis" / "log"
    logs = {path.name: path.read_bytes() for path in log.iterdir() if path.is_file()}
    assert {"router.log", "tracker.log", "relay.log", "gateway.log", "postgres.log", "rabbitmq.log"} <= logs.keys()
    assert not any(b"permission denied" in text for text in logs.values())
    secrets = secrets_of(root)
    assert len(secrets) > 30
    said = {**logs, "output": out, "errors": err, "arguments": seen}
    assert b"workers" in seen
    leaks = {(name, place) for name, secret in secrets.items() for place, text in said.items() if secret in text}
    assert leaks == set()


async def test_what_goes_wrong_gives_no_secret_away_either(root: Path) -> None:
    secrets = secrets_of(root)
    leaks: set[tuple[str, str]] = set()
    for command in ("doctor --json", "track none --json", "local status --json"):
        _, out, err, seen = await axis(root, *command.split(), AXIS_LOG_LEVEL="debug")
        leaks |= {(command, name) for name, secret in secrets.items() if secret in out + err + seen}
    for worker in ("router", "tracker", "relay"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers", worker),
            env={**os.environ, "AXIS_HOME": str(root / ".axis"), "AXIS_LOG_LEVEL": "debug"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            out, _ = await process.communicate()
        assert process.returncode == 69, out.decode()  # nothing of it runs any more
        leaks |= {(worker, name) for name, secret in secrets.items() if secret in out}
    assert leaks == set()


async def test_a_clone_goes_back_to_plain_and_keeps_its_agencies(root: Path) -> None:
    code, out, err, _ = await axis(root, "demo", "--json")
    assert code == 0, err.decode()
    assert json.loads(out)["counts"] == COUNTS
    profile = json.loads((root / ".axis" / "agencies" / "H37.05" / "profile.json").read_text(encoding="utf-8"))
    assert profile["amqp_url"].startswith("amqp://H37.05:")
