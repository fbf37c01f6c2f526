"""docs/threat-model.md names tests that are there, and a test for each control."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`:]+\.py)::([a-z0-9_]+)`", PAGE)))


@functools.cache
def _tests_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    defined = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in defined if node.name.startswith("test_"))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[f"{path}::{name}" for path, name in NAMED])
def test_every_test_named_is_there(path: str, name: str) -> None:
    assert name in _tests_of(path)


def test_every_control_has_a_test() -> None:
    controls = PAGE.partition("\n## Controls\n")[2].partition("\n## ")[0]
    rows = [line for line in controls.splitlines() if line.startswith("| ") and not line.startswith("| control ")]
    assert len(rows) > 20
    assert [row for row in rows if "::test_" not in row] == []
    stolen = PAGE.partition("\n## A stolen key, exactly\n")[2].partition("\n## ")[0]
    rows = [line for line in stolen.splitlines() if line.startswith("| ") and not line.startswith("| the thief has ")]
    assert len(rows) > 5
    assert [row for row in rows if "::test_" not in row] == []


def test_every_file_named_is_there() -> None:
    named = re.findall(r"`((?:tests|docs|axis|schemas|workers|release)/[^`:]+)`", PAGE)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_pin_has_its_hashes() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        pins = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
        assert pins
        assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []
