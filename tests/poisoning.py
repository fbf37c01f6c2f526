"""Run a worker in which one message fails: the one whose subject or reason is POISON, at the point named by POISON_AT.

What fails is a fault of ours that nobody foresaw; the production code knows nothing of this.
"""

import os
from collections.abc import Callable
from typing import Any

import typer

import workers.__main__ as program
from axis.core import examining
from axis.core.decisions import Desk
from axis.store.transaction import PostgresTransaction
from workers import router, tracker

POISON = "POISON"
MARK = POISON.encode()


def _break(owner: Any, name: str, is_bad: Callable[..., bool]) -> None:
    original = getattr(owner, name)

    def broken(*arguments: Any, **named: Any) -> Any:
        if is_bad(*arguments, **named):
            raise ZeroDivisionError("a fault of ours")
        return original(*arguments, **named)

    setattr(owner, name, broken)


def _arrange(point: str) -> None:
    match point:
        case "reading":
            _break(examining, "read_envelope", lambda submission: MARK in submission.body)
            _break(tracker, "read_status", lambda submission: MARK in submission.body)
        case "resolving":
            _break(router, "resolve_recipients", lambda envelope, *_: envelope.document.subject == POISON)
        case "looking up":
            _break(router.Router, "_decide", lambda _, part, *__: any(MARK in each.body for each, _ in part))
        case "placing":
            _break(Desk, "accept", lambda _, candidate, *__: candidate.envelope.document.subject == POISON)
        case "judging":
            _break(tracker, "judge", lambda status, *_, **__: status.reason == POISON)
        case "committing":
            _break(PostgresTransaction, "accept", lambda _, rows: any(MARK in row.envelope.body for row in rows))
            _break(PostgresTransaction, "statuses", lambda _, rows, *__: any(MARK in row.body for row in rows))
        case other:
            raise ValueError(other)


_arrange(os.environ["POISON_AT"])
typer.run(program.main)
