"""`python -m tests.bench [NAME …]`: measure the axis beside what others would write, and say how both did."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axis.errors import AxisError
from tests.bench import catalogue, page
from tests.bench.results import table
from tests.bench.running import Options
from tests.bench.world import BenchFailed, Stage, stage

EXIT_MISSED = 1
EXIT_USAGE = 2
EXIT_FAILED = 70
EXIT_INTERRUPTED = 130
_LONGEST_TEXT = 3_000  # of what a worker logged before it failed


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    unknown = sorted(set(arguments.bench) - set(catalogue.BENCHES))
    if unknown:
        _say(f"no bench {', '.join(unknown)}; there are: {', '.join(catalogue.BENCHES)}")
        return EXIT_USAGE
    if arguments.page_from is not None:
        lines = [json.loads(line) for line in arguments.page_from.read_text(encoding="utf-8").splitlines()]
        _write_page(arguments.page, lines)
        return 0
    # A shell that starts us in the background has SIGINT ignored, and so would every program we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        _say("interrupted; nothing is left running")
        return EXIT_INTERRUPTED
    except AxisError as error:
        _say(error.detail)
        return error.exit_code


def _run(arguments: argparse.Namespace) -> int:
    names = arguments.bench or [name for name, bench in catalogue.BENCHES.items() if bench.default]
    options = Options(arguments.rounds, arguments.count, arguments.minutes)
    lines: list[dict[str, Any]] = []
    failed = False
    with stage(_say) as servers:
        machine = page.machine(servers.versions)
        for name in names:
            _say(f"{name}: {catalogue.BENCHES[name].about}")
            try:
                results = asyncio.run(_measure(servers, name, options))
            except Exception as error:  # noqa: BLE001 - one bench that cannot measure takes no other one with it
                _say(f"{name} failed: {_said(error)}")
                failed = True
                continue
            for result in results:
                line = {**result.as_dict(), "machine": machine}
                lines.append(line)
                shown = {key: value for key, value in line.items() if key not in ("details", "machine")}
                sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")
                sys.stdout.flush()
    if not arguments.json:
        sys.stdout.write("\n" + table(lines) + "\n")
        for detail in (detail for line in lines for detail in line.get("details", ())):
            sys.stdout.write("\n" + page.plain(detail) + "\n")
    if arguments.output is not None:
        arguments.output.write_text(
            "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8"
        )
    if arguments.page is not None:
        _write_page(arguments.page, lines)
    if failed:
        return EXIT_FAILED
    return EXIT_MISSED if arguments.strict and any(line["met"] is False for line in lines) else 0


def _write_page(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(page.page(lines, before), encoding="utf-8")


async def _measure(servers: Stage, name: str, options: Options) -> Any:
    try:
        return await catalogue.BENCHES[name].run(servers, options, _say)
    except BaseExceptionGroup as group:
        # A task group wraps the one thing that went wrong.
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from group


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("bench", nargs="*", help=f"default: all of the default run; {', '.join(catalogue.BENCHES)}")
    parser.add_argument("--rounds", type=int, default=5, help="paired rounds, of which the median counts (5)")
    parser.add_argument("--count", type=int, help="messages in a round (each bench has a default of its own)")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the soak runs (30)")
    parser.add_argument("--json", action="store_true", help="JSON lines only, no table")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--output", type=Path, help="also write the JSON lines, with their details, into this file")
    parser.add_argument(
        "--page", type=Path, help="write the page docs/bench.md into this file; other benches keep their rows"
    )
    parser.add_argument("--page-from", type=Path, help="make the page from such a file instead of running")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1 or (arguments.count is not None and arguments.count < 1):
        parser.error("--rounds and --count are at least 1")
    if arguments.page_from is not None and arguments.page is None:
        parser.error("--page-from needs --page")
    return arguments


def _said(error: Exception) -> str:
    if isinstance(error, BenchFailed | AxisError):
        return str(error)
    text = str(error) or "something was not ready in time"
    return f"{type(error).__name__}: {text[-_LONGEST_TEXT:]}"


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
