"""Which reasons came to life in a run of the tests, and the first test that saw each.

A reason counts when the product itself gives it, in this process: an error is raised with its code, or a delivery, a
hold or a row gets it. An error that a test makes does not count, nor one that is only passed on.
"""

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from axis.catalogue.cleaning import RefusedRow
from axis.core.quotas import OverLimit
from axis.core.records import DeliveryRow, Hold
from axis.core.resolving import Resolution
from axis.core.routing import Obstacle
from axis.errors import AxisError
from schemas.reasons import REASONS
from tests.reasons import PRODUCT, ROOT

_SEEN: dict[str, str] = {}
# Who hands on a code that somebody else gave, by file and function.
_HANDING_ON = frozenset({("axis/client/gateway.py", "_check"), ("axis/core/decisions.py", "refuse")})
_CARRIERS: Mapping[type, str] = {
    DeliveryRow: "reason",
    Hold: "reason",
    Obstacle: "reason",
    OverLimit: "code",
    RefusedRow: "code",
    Resolution: "reason",
}
_KEY = pytest.StashKey[dict[str, str]]()


def pytest_configure() -> None:
    """Note from now on every reason that comes to life in this process."""
    AxisError.__init__ = _noting(AxisError.__init__, "code")  # type: ignore[method-assign]
    for kind, member in _CARRIERS.items():
        kind.__init__ = _noting(kind.__init__, member)  # type: ignore[misc]


def _noting(make: Callable[..., None], member: str) -> Callable[..., None]:
    @functools.wraps(make)
    def noting(self: object, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        code = getattr(self, member)
        if code is not None and code not in _SEEN and _is_given(sys._getframe(1), self):
            _SEEN[code] = os.environ.get("PYTEST_CURRENT_TEST", "between tests").rpartition(" (")[0]

    return noting


def _is_given(frame: FrameType | None, made: object) -> bool:
    """Say whether the product gives the code: the first frame of ours, past the constructors of what is made."""
    while frame is not None:
        path, name = Path(frame.f_code.co_filename), frame.f_code.co_name
        constructing = name in {"__init__", "noting"} and frame.f_locals.get("self") is made
        if not constructing and path.is_relative_to(ROOT):
            place = path.relative_to(ROOT)
            return place.parts[0] in PRODUCT and (place.as_posix(), name) not in _HANDING_ON
        frame = frame.f_back
    return False


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run write down what it reached."""
    parser.addoption(
        "--reasons",
        metavar="FILE",
        help="write every reason and the first test that reached it, also when some are not",
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand on what a worker saw; at the end of a whole run that succeeded, fail when a reason was never reached."""
    config = session.config
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output["reasons"] = _SEEN
        return
    seen = config.stash.setdefault(_KEY, {}) | _SEEN
    config.stash[_KEY] = seen
    if (file := config.getoption("--reasons")) is not None:
        place = Path(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(log(seen), encoding="utf-8")
    if is_whole(config) and session.exitstatus == pytest.ExitCode.OK and unreached(seen):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a worker process saw (pytest-xdist)."""
    seen = node.config.stash.setdefault(_KEY, {})
    for code, test in getattr(node, "workeroutput", {}).get("reasons", {}).items():
        seen.setdefault(code, test)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many reasons were reached, and name those that a whole run did not."""
    seen = config.stash.get(_KEY, {})
    if is_whole(config):
        terminalreporter.write_line(f"reasons: {len(REASONS.keys() & seen.keys())} of {len(REASONS)} reached")
        for code in unreached(seen):
            terminalreporter.write_line(f"reasons: no test reaches {code}", red=True)


def is_whole(config: pytest.Config) -> bool:
    """Say whether every test was asked for."""
    chosen = ("keyword", "markexpr", "deselect", "lf", "collectonly", "ignore", "ignore_glob")
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not any(
        config.getoption(name, None) for name in chosen
    )


def unreached(seen: Mapping[str, str]) -> list[str]:
    """Name the reasons of the catalogue that were not seen."""
    return sorted(REASONS.keys() - seen.keys())


def log(seen: Mapping[str, str]) -> str:
    """Write every reason and the first test that reached it, one a line."""
    return "".join(f"{code}\t{seen.get(code, '-')}\n" for code in sorted(REASONS))
