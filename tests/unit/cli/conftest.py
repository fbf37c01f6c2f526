"""The command line on a fake store: what a command prints and how it ends."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from axis import cli
from axis.store import FakeStore, Store


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeStore:
    """The store that every command finds."""
    fake = FakeStore()

    @contextlib.asynccontextmanager
    async def connect(dsn: str, **_: object) -> AsyncIterator[Store]:
        yield fake

    monkeypatch.setattr(Store, "connect", staticmethod(connect))
    monkeypatch.setenv("AXIS_HOME", str(tmp_path / ".axis"))
    monkeypatch.setenv("AXIS_AMQP_URL", "amqp://guest:guest@127.0.0.1:1/")
    monkeypatch.setenv("AXIS_RABBITMQ_API_URL", "http://guest:guest@127.0.0.1:1")
    monkeypatch.setenv("AXIS_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    return fake


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program as a shell does, but in this process."""

    def invoke(*arguments: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["axis", *arguments])
        code = cli.run()
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return invoke
