"""An axis of the tests' own with the demo's traffic in it, people who may log in, and one browser for all tests."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from axis.console.access.passwords import Passwords
from axis.core.operators import Operator, Role
from axis.core.records import QuarantineRow
from axis.settings import Settings
from axis.store import Store
from tests.acceptance.clones import SECONDS, clone
from tests.e2e.chromium import FLAGS, ensure
from tests.e2e.visitor import DEADLINE, HOSTILE, Visitor
from tests.programs import AXIS

PASSWORD = "mật khẩu đủ dài 1"
# Whoever sits at the console in these tests; each is named as its role, and the agency user is of H37.
AGENCY = "H37"
PEOPLE = {
    role.value: Operator(role.value, f"Người {role.value}", role, AGENCY if role is Role.AGENCY else None)
    for role in Role
}
PICTURES = Path(__file__).parents[2] / ".axis" / "e2e"
PROJECT = Path(__file__).parents[2]
ABSENT = "H26"  # after the demo nobody takes for it any more


@dataclass(frozen=True, slots=True)
class Running:
    """An axis that runs, and a way to run commands on it as a user does."""

    root: Path
    url: str

    def run(self, *arguments: str, code: int = 0, columns: int = 120) -> str:
        """Run a command; `code` is how it has to end."""
        ran = subprocess.run(
            [sys.executable, *AXIS, *arguments],
            env=_environment() | {"COLUMNS": str(columns)},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with --json."""
        return json.loads(self.run(*arguments, "--json", code=code))

    def send(
        self, subject: str, *recipients: str, sender: str = "G22", number: str | None = None, **options: str
    ) -> str:
        """Send a document with the SDK (through `axis send`); return its envelope."""
        paper = self.root / "cong-van.txt"
        paper.write_text("Kính gửi các cơ quan.", encoding="utf-8")
        named = [part for code in recipients for part in ("--to", code)]
        named += [part for name, value in options.items() for part in (f"--{name}", value)]
        if number is not None:
            digits, _, notation = number.partition("/")
            named += ["--number", digits, "--notation", notation]
        document = f"{sender},2026/11/29,{number or subject[:20].strip()}"
        sent = self.json("send", str(paper), "--as", sender, "--subject", subject, "--document-id", document, *named)
        return str(sent["envelope"])

    def set_aside(self, rows: Sequence[QuarantineRow]) -> None:
        """Have messages in quarantine."""
        # In a thread of its own: Playwright keeps a loop in this one.
        with ThreadPoolExecutor(1) as alone:
            alone.submit(asyncio.run, _set_aside(self.root, rows)).result(SECONDS)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AXIS_")}
    # The auditor looks at the mailboxes as often as it may: what is shown of them is waited for.
    return kept | {"PYTHONPATH": str(PROJECT), "PYTHONUTF8": "1", "AXIS_WATCH_SECONDS": "2"}


@pytest.fixture(scope="session")
def axis() -> Iterator[Running]:
    with clone("e2e") as root:
        here = Running(root, "")
        told = here.json("up")
        here.json("demo")
        asyncio.run(_people(root))
        yield Running(root, str(told["console_url"]))


async def _set_aside(root: Path, rows: Sequence[QuarantineRow]) -> None:
    settings = Settings.load(root / ".axis")
    async with Store.connect(settings.database_url.get_secret_value()) as store, store.transaction() as tx:
        await tx.quarantine(rows)


async def _people(root: Path) -> None:
    settings = Settings.load(root / ".axis")
    cheap = Passwords(memory_kib=8, passes=1, lanes=1)  # what is tested is not how slow it is
    async with Store.connect(settings.operator_database) as store:
        for each in PEOPLE.values():
            assert await store.operators.add(each, cheap.hash(PASSWORD), by="e2e")


@pytest.fixture(scope="session")
def hostile(axis: Running) -> str:
    """Send a document whose subject attacks whoever shows it, to somebody who is away; return its envelope."""
    return axis.send(HOSTILE, ABSENT, "G12", number="7816/VPCP-TTĐT")


@pytest.fixture(scope="session")
def browser(axis: Running) -> Iterator[Browser]:
    # Inside of the axis: Playwright keeps a loop of its own in this thread until it ends.
    expect.set_options(timeout=DEADLINE)
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=ensure(), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(axis: Running, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Open a window as somebody, or as nobody; what its page complained of fails the test."""
    visitors: list[Visitor] = []

    def open_window(login: str | None = None, *, width: int = 1280, language: str = "vi") -> Visitor:
        visitor = Visitor.arrive(browser, axis.url, width=width)
        visitors.append(visitor)
        visitor.go(f"/language/{language}")
        if login is not None:
            visitor.log_in(login, PASSWORD)
        return visitor

    yield open_window
    complaints = []
    for visitor in visitors:
        complaints += visitor.complaints
        try:
            visitor.page.context.close()
        except Error as error:
            complaints.append(str(error))
    assert complaints == []
