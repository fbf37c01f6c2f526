"""`axis audit apply` while workers run."""

import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from axis.cli.audit import command
from axis.store import FakeStore
from tests.unit.cli.conftest import Run


def test_nothing_is_applied_while_workers_run(run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.asynccontextmanager
    async def opened(_: object) -> AsyncIterator[None]:
        yield None

    async def look(*_: object) -> SimpleNamespace:
        return SimpleNamespace(working=["axis.route.normal"])

    monkeypatch.setattr(command, "opened", opened)
    monkeypatch.setattr(command, "look", look)
    ran = run("audit", "apply", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (69, "audit/workers-running")
    assert "axis.route.normal" in ran.err
