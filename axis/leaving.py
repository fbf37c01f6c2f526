"""How a process of the axis ends once its work is done."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from axis.errors import AxisError, only_error

# What brings threads of its own (tokio's, by pyo3-async-runtimes) that take the interpreter to hand a result over.
_THREADED = "obstore"


def outcome(name: str, work: Callable[[], object]) -> int:
    """Do the work of a service and return its exit code: 0, or of the error of ours that ended it, told by name."""
    try:
        work()
    except AxisError as error:
        return _told(name, error)
    except BaseExceptionGroup as group:
        wrapped = only_error(group)
        if wrapped is None:
            raise
        return _told(name, wrapped)
    return 0


def _told(name: str, error: AxisError) -> int:
    sys.stderr.write(f"{name}: {error}\n")
    return error.exit_code


def leave(code: int) -> NoReturn:
    """End the process with an exit code; what was written is on its way to whoever reads it.

    A thread of the object store's library may still let go of what it handed over while the interpreter is taken down;
    Python then ends that thread where it stands, and the library answers by aborting the process: everything was done
    and written, and the exit code says -6 (pyo3-async-runtimes issue 40; seen once in a thousand commands on a busy
    machine). So once that library is loaded nothing is taken down: by now every file is closed and every thread of ours
    has ended, which is what taking down would see to.
    """
    if _THREADED not in sys.modules:
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            code = code or 1  # whoever read it has stopped
    os._exit(code)
