"""Known vulnerabilities among the pinned dependencies: python -m release.audit (make check does it).

pip-audit asks the OSV database about every pin of the lock files. A vulnerability fails the check. Where nobody
answers, the check says so and goes on: a network that is away is no fault of the code, and a build machine without one
must be able to build. What was not done is said in one line that begins with `audit: not done`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-audit.lock", "requirements-fuzz.lock", "requirements-e2e.lock")
SECONDS = 120  # for a lock file: one short question for each of its pins
_SECONDS_EACH = 10
_TOLD = 200


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One known vulnerability of one pin; `fixed_in` is empty when no release mends it."""

    package: str
    version: str
    name: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        mended = f"raise it to {self.fixed_in[0]} (make lock)" if self.fixed_in else "no release mends it yet"
        return f"{self.package} {self.version}: {self.name}: {mended}"


class NotDoneError(Exception):
    """Report that nothing is known about the dependencies, and why."""


def audit(program: Sequence[str], lock: Path, *, database: str | None, seconds: float) -> list[Vulnerability]:
    """Ask the database about the pins of a lock file; raise NotDoneError when it cannot be asked in time.

    `program` runs pip-audit. Only what it wrote counts: it ends with 1 for a vulnerability and for a network that is
    away, and writes its findings in the first case alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [*program, "--disable-pip", "--require-hashes", "--format", "json", "--output", str(report)]
        command += ["--progress-spinner", "off", "--vulnerability-service", "osv", "--timeout", str(_SECONDS_EACH)]
        command += [] if database is None else ["--osv-url", database]
        command += ["--requirement", str(lock)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise NotDoneError(f"no answer within {seconds:.0f} s") from error
        except OSError as error:
            raise NotDoneError(f"{command[0]}: {error.strerror}") from error
        try:
            return list(_read(report.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            last = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
            raise NotDoneError(last[0][:_TOLD]) from error


def _read(report: bytes) -> Iterator[Vulnerability]:
    for package in json.loads(report)["dependencies"]:
        if "skip_reason" in package:
            raise ValueError(f"{package['name']} was passed over: {package['skip_reason']}")
        for found in package["vulns"]:
            yield Vulnerability(package["name"], package["version"], found["id"], tuple(found["fix_versions"]))


def main(arguments: list[str] | None = None) -> int:
    """Audit; return 1 when there is a known vulnerability, 0 when there is none or nobody could be asked."""
    parser = argparse.ArgumentParser(prog="python -m release.audit", description=__doc__)
    parser.add_argument("--tools", type=Path, default=ROOT / ".axis" / "tools", help="the environment of pip-audit")
    parser.add_argument("--database", help="another address of an OSV database than the public one")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long one lock file may take")
    chosen = parser.parse_args(arguments)
    program = [str(chosen.tools / "bin" / "python"), "-m", "pip_audit"]
    found: dict[Vulnerability, None] = {}  # a pin of two lock files is told once
    for lock in LOCKS:
        try:
            found |= dict.fromkeys(audit(program, ROOT / lock, database=chosen.database, seconds=chosen.seconds))
        except NotDoneError as error:
            print(f"audit: not done: {lock}: {error}. Run make check again where the network is.", file=sys.stderr)
            break
    for each in found:
        print(f"audit: {each}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
