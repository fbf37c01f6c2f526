"""The demo's story over TLS and client certificates, at debug level: the same counts, and no secret anywhere.

Secrets are looked for in logs, in what is printed, and in the arguments of every process while the story is played.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
from asyncio.subprocess import STDOUT, Process
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axis.cli.demo import cast
from tests.acceptance.clones import COUNTS, MARKS, SECONDS, clone, environment, playing, state_of
from tests.programs import AXIS, outcome, ran, started

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


async def seeing(process: Process) -> tuple[int, bytes, bytes, bytes]:
    """Return a command's exit code, its output, its errors, and the arguments of all processes meanwhile."""
    seen: list[bytes] = []

    async def look() -> None:
        while True:
            seen.append(await asyncio.to_thread(arguments_of_all))
            await asyncio.sleep(0.5)

    looking = asyncio.create_task(look())
    try:
        code, out, err = await outcome(process, seconds=SECONDS)
    finally:
        looking.cancel()
    return code, out, err, b"\n".join(seen)


async def test_the_story_over_tls_has_the_same_counts_and_gives_no_secret_away(root: Path) -> None:
    async with playing(root, "--tls", AXIS_LOG_LEVEL="debug") as process:
        code, out, err, seen = await seeing(process)
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
        async with started(*AXIS, *command.split(), env=environment(AXIS_LOG_LEVEL="debug"), cwd=root) as process:
            _, out, err, seen = await seeing(process)
        leaks |= {(command, name) for name, secret in secrets.items() if secret in out + err + seen}
    for worker in ("router", "tracker", "relay"):
        env = {**os.environ, "AXIS_HOME": str(root / ".axis"), "AXIS_LOG_LEVEL": "debug"}
        code, out, _ = await ran("-m", "workers", worker, env=env, stderr=STDOUT)
        assert code == 69, out.decode()  # nothing of it runs any more
        leaks |= {(worker, name) for name, secret in secrets.items() if secret in out}
    assert leaks == set()


async def test_a_clone_goes_back_to_plain_and_tells_the_same_story_whatever_a_killed_demo_left(root: Path) -> None:
    async with playing(root) as process:
        assert process.stderr is not None
        async with asyncio.timeout(SECONDS):
            while b"sent an urgent" not in (line := await process.stderr.readline()):
                assert line, "the demo ended before its story began"
    assert process.returncode == -signal.SIGKILL
    async with playing(root) as process:
        code, out, err = await outcome(process, seconds=SECONDS)
    assert code == 0, err.decode()
    told = json.loads(out)
    assert (told["counts"], told["ok"]) == (COUNTS, True)
    rows = {(row["document"].rpartition("/")[2], row["recipient"]): row for row in told["rows"]}
    assert len(rows) == 16
    document = {recipient: row for (name, recipient), row in rows.items() if name == "VPCP-KSTT"}
    assert document.keys() == set(cast.RECIPIENTS)
    assert document["H37.02"]["mailbox"] == "H37"
    assert document[cast.CLOSED]["mailbox"] == cast.SUCCESSOR
    assert document[cast.UNKNOWN]["reason"] == "recipient/unknown"
    assert document[cast.REFUSER]["statuses"] == ["01", "02"]
    for recipient, row in document.items():
        if recipient not in {cast.UNKNOWN, cast.REFUSER}:
            assert row["statuses"] == ["01", "03", "05", "06"], recipient
    assert rows["forged", "H26"]["reason"] == "abuse/account"
    profile = json.loads((root / ".axis" / "agencies" / "H37.05" / "profile.json").read_text(encoding="utf-8"))
    assert profile["amqp_url"].startswith("amqp://H37.05:")
    assert state_of(root).phase == "stopped"
