"""The audit of dependencies: a known vulnerability fails, a network that is away does not, and both are said."""

import json
import sys
from pathlib import Path

import pytest

from release import audit
from release.audit import NotDoneError, Vulnerability

FAKE = """
import json, sys, time
answer = json.loads({answer!r})
if answer.get("sleep"):
    time.sleep(60)
if "report" in answer:
    with open(sys.argv[sys.argv.index("--output") + 1], "w") as report:
        json.dump(answer["report"], report)
print(answer.get("says", ""), file=sys.stderr)
sys.exit(answer.get("code", 0))
"""
CLEAN = {"name": "httpx", "version": "0.28.1", "vulns": []}
FOUND = {"id": "PYSEC-2099-1", "fix_versions": ["0.28.2"], "aliases": ["CVE-2099-1"], "description": "…"}


def fake(tmp_path: Path, **answer: object) -> list[str]:
    """Make a program that answers as pip-audit does."""
    path = tmp_path / "fake.py"
    path.write_text(FAKE.format(answer=json.dumps(answer)))
    return [sys.executable, str(path)]


def asked(program: list[str], seconds: float = 30) -> list[Vulnerability]:
    return audit.audit(program, Path("requirements.lock"), database=None, seconds=seconds)


def test_nothing_known_is_nothing_found(tmp_path: Path) -> None:
    assert asked(fake(tmp_path, report={"dependencies": [CLEAN], "fixes": []})) == []


def test_a_known_vulnerability_is_found_with_what_to_do(tmp_path: Path) -> None:
    report = {"dependencies": [CLEAN, {**CLEAN, "vulns": [FOUND, {**FOUND, "fix_versions": []}]}]}
    found = asked(fake(tmp_path, report=report, code=1, says="Found 2 known vulnerabilities in 1 package"))
    assert [str(each) for each in found] == [
        "httpx 0.28.1: PYSEC-2099-1: raise it to 0.28.2 (make lock)",
        "httpx 0.28.1: PYSEC-2099-1: no release mends it yet",
    ]


def test_a_network_that_is_away_is_no_vulnerability(tmp_path: Path) -> None:
    says = "Traceback …\nrequests.exceptions.ConnectionError: Failed to resolve the database"
    with pytest.raises(NotDoneError, match="Failed to resolve"):
        asked(fake(tmp_path, code=1, says=says))


@pytest.mark.parametrize("report", [{}, [], {"dependencies": [{**CLEAN, "vulns": None}]}, {"dependencies": ["httpx"]}])
def test_a_report_that_is_none_is_no_word_that_all_is_well(tmp_path: Path, report: object) -> None:
    with pytest.raises(NotDoneError):
        asked(fake(tmp_path, report=report))


def test_a_pin_that_was_passed_over_is_no_word_that_all_is_well(tmp_path: Path) -> None:
    passed_over = {"name": "httpx", "skip_reason": "not found"}
    with pytest.raises(NotDoneError):
        asked(fake(tmp_path, report={"dependencies": [passed_over]}))


def test_a_database_that_keeps_us_waiting_is_left(tmp_path: Path) -> None:
    with pytest.raises(NotDoneError, match="no answer within 1 s"):
        asked(fake(tmp_path, sleep=True), seconds=1)


def test_the_command_fails_for_a_vulnerability_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = [Vulnerability("httpx", "0.28.1", "PYSEC-2099-1", ())]
    monkeypatch.setattr(audit, "audit", lambda *_, **__: found)
    assert audit.main([]) == 1
    assert "audit: httpx 0.28.1: PYSEC-2099-1" in capsys.readouterr().err
    # What was found stays found when the next lock file cannot be asked about.
    answers = iter([found])

    def one_answer(*_: object, **__: object) -> list[Vulnerability]:
        for answer in answers:
            return answer
        raise NotDoneError("the network went away")

    monkeypatch.setattr(audit, "audit", one_answer)
    assert audit.main([]) == 1
    assert "audit: not done: requirements-audit.lock: the network went away" in capsys.readouterr().err
    monkeypatch.undo()
    assert audit.main(["--tools", str(tmp_path)]) == 0
    assert "audit: not done: " in capsys.readouterr().err


def test_every_lock_file_is_asked_about() -> None:
    assert {path.name for path in audit.ROOT.glob("requirements*.lock")} == set(audit.LOCKS)
