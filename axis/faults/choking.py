"""`python -m axis.faults.choking router|tracker`: a worker that chokes on what is marked, as over a fault of ours.

What is marked with RAISES raises, with SPINS is read for ever without letting Python run, with KILLS ends the process
as a crash in a library does. The production code knows nothing of this; it is put around what reads a message.
"""

import importlib
import os
import re
import signal
import sys
from collections.abc import Callable
from typing import Any

RAISES, SPINS, KILLS = "choke-raises", "choke-spins", "choke-kills"

# Where each worker takes what it reads a message with.
READERS = (("axis.core.examining", "read_envelope"), ("workers.tracker", "read_status"))


def _choke(body: bytes) -> None:
    if RAISES.encode() in body:
        raise ZeroDivisionError("a fault of ours")
    if SPINS.encode() in body:
        re.match("(a+)+$", "a" * 80 + "b")
    if KILLS.encode() in body:
        os.kill(os.getpid(), signal.SIGSEGV)


def _make_choke(module: str, name: str) -> None:
    owner = importlib.import_module(module)  # not an import: this package stands below the workers
    original: Callable[..., Any] = getattr(owner, name)

    def choking(submission: Any, *arguments: Any, **named: Any) -> Any:
        _choke(submission.body)
        return original(submission, *arguments, **named)

    setattr(owner, name, choking)


def main() -> None:
    """Run the worker named on the command line."""
    program = importlib.import_module("workers.__main__")
    for module, name in READERS:
        _make_choke(module, name)
    program.main(program.Worker(sys.argv[1]))


if __name__ == "__main__":
    main()
