"""Fuzz the parsers: make fuzz [MINUTES=10] [TARGET=edxml]; see docs/fuzzing.md."""

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import corpus
from tests.fuzz.oracle import bounded
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
_MEGABYTES = 1_024  # the interpreter with everything loaded needs 150
_SECONDS_EACH = 30  # of the clock, on a machine that may be busy; the oracle counts processor time
_UNAVAILABLE = 69
_ABSENT = "The fuzzer (atheris) is not installed: make fuzz installs it on Linux with Python 3.11, 3.12 or 3.13."


@dataclass(frozen=True, slots=True)
class Run:
    """What came of fuzzing one target."""

    name: str
    executions: int
    findings: tuple[Path, ...]
    failed: bool


def main(arguments: list[str] | None = None) -> int:
    """Fuzz; return 0 when every promise held, 1 when one was broken, 69 without a fuzzer."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"which: {', '.join(TARGETS)}; all of them unless said")
    parser.add_argument("--minutes", type=float, default=10, help="how long for each target")
    parser.add_argument("--folder", type=Path, default=ROOT / ".axis" / "fuzz", help="where what is found goes")
    parser.add_argument("--again", type=Path, metavar="FILE", help="play one input of the target, with the traceback")
    parser.add_argument("--seeds", action="store_true", help="write the seeds of tests/fuzz/corpus anew, and stop")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.target) - TARGETS.keys():
        parser.error(f"no target {', '.join(sorted(unknown))}: take {', '.join(TARGETS)}")
    if chosen.seeds:
        print(f"{corpus.write_seeds()} seeds written or taken away")
        return 0
    if chosen.again is not None:
        if len(chosen.target) != 1:
            parser.error("say which target the input is for")
        bounded(TARGETS[chosen.target[0]].check, chosen.again.read_bytes())
        print("every promise holds")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print(_ABSENT, file=sys.stderr)
        return _UNAVAILABLE
    failed = False
    for name in chosen.target or TARGETS:
        run = _fuzz(name, chosen.minutes, chosen.folder)
        print(_told(run), flush=True)
        failed |= run.failed
    return int(failed)


def _fuzz(name: str, minutes: float, folder: Path) -> Run:
    grown, findings = folder / name / "corpus", folder / name / "findings"
    for each in (grown, findings):
        each.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as words:
        words.write(corpus.dictionary(name))
        words.flush()
        options = {
            "max_total_time": round(minutes * 60),
            "max_len": TARGETS[name].max_bytes,
            "timeout": _SECONDS_EACH,
            "rss_limit_mb": _MEGABYTES,
            "malloc_limit_mb": _MEGABYTES // 2,
            "dict": words.name,
            "artifact_prefix": f"{findings}/",
            "print_final_stats": 1,
            "verbosity": 0,
        }
        command = [sys.executable, "-m", "tests.fuzz.running", name]
        command += [f"-{option}={value}" for option, value in options.items()]
        # What is new goes into the first folder; the committed corpus is only read.
        command += [str(grown), str(corpus.CORPUS / name)]
        with (folder / name / "log").open("w") as log:
            done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False)
    text = (folder / name / "log").read_text(errors="replace")
    counted = re.search(r"number_of_executed_units: *([0-9]+)", text)
    if done.returncode:
        print(text[-4_000:], file=sys.stderr)
    found = tuple(sorted(set(findings.iterdir()) - before))
    return Run(name, int(counted[1]) if counted else 0, found, done.returncode != 0)


def _told(run: Run) -> str:
    told = f"{run.name:10} {run.executions:>10,} inputs, {len(run.findings)} findings"
    for path in run.findings:
        told += f"\n  {path}\n  play it again: .venv/bin/python -m tests.fuzz {run.name} --again {path}"
        told += f"\n  keep it:       cp {path} tests/fuzz/corpus/{run.name}/{corpus.FOUND}<what-it-was>"
    return told + ("" if run.findings or not run.failed else "\n  the fuzzer itself failed: see its log")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
