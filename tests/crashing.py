"""Run a worker that kills itself (SIGKILL) at the point named by CRASH_AT, the first time it gets there.

The points are those of the commit order in workers/router.py. The production code knows nothing of this.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import typer

import workers.__main__ as program
from workers.router import Router
from workers.tracker import Tracker

_POINT = os.environ["CRASH_AT"]
_MARK = Path(os.environ["CRASH_MARK"])  # so that a second process goes on where the first one died


def _die() -> None:
    if not _MARK.exists():
        _MARK.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: type, name: str) -> None:
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def wrapped(self: object, *arguments: Any, **named: Any) -> Any:
        _die()
        return await original(self, *arguments, **named)

    setattr(owner, name, wrapped)


def _after(owner: type, name: str) -> None:
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def wrapped(self: object, *arguments: Any, **named: Any) -> Any:
        result = await original(self, *arguments, **named)
        _die()
        return result

    setattr(owner, name, wrapped)


def _arrange() -> None:
    from axis.broker.consumer import Batch
    from axis.store.postgres import PostgresStore

    match _POINT:
        case "before commit":
            _before(Router, "_commit")
            _before(Router, "_act")
            _before(Tracker, "_commit")
        case "after commit":
            _after(Router, "_commit")
            _after(Router, "_act")
            _after(Tracker, "_commit")
        case "after publish":
            _before(PostgresStore, "mark_published")
        case "after mark":
            _after(PostgresStore, "mark_published")
        case "after ack":
            _after(Batch, "ack")
        case other:
            raise ValueError(other)


_arrange()
typer.run(program.main)
