"""Every command line that README and docs show exists as it stands there, and every command is named somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from axis.cli import application

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SPAN = re.compile(r"`(?:\.venv/bin/)?axis ([a-z][^`\n]*)`")
LINE = re.compile(r"^[ \t]*(?:\$ |\*/5 (?:\* ){4})?(?:\.venv/bin/)?axis ([a-z].*)$", re.MULTILINE)
_TOP = get_command(application())
INDENTED = re.compile(r"^ {4}axis ([a-z].*)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def lines(text: str) -> Iterator[str]:
    """Yield the command lines of a page, without `axis`: those in sentences, and those in blocks of code."""
    yield from SPAN.findall(text)
    yield from INDENTED.findall(text)
    for block in (content for language, content in BLOCK.findall(text) if language in {"", "sh", "bash", "console"}):
        yield from LINE.findall(block)


def problem(line: str, named: dict[str, None] | None = None) -> str | None:
    """Say what of a command line is not there: a command or an option. `a|b` names both."""
    command = top = _TOP
    words = shlex.split(re.split(r"\s(?:#|>|>>|\||&&)\s", line)[0])
    while (known := getattr(command, "commands", None)) is not None and words and not words[0].startswith("-"):
        names = words.pop(0).split("|")
        if missing := [name for name in names if name not in known]:
            return f"axis has no {missing[0]}: {line}"
        if named is not None and command is top:
            named.update(dict.fromkeys(names))
        command = known[names[0]]
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)} | {"--help", "-h"}
    asked = [word.strip("[]").partition("=")[0] for word in words]
    unknown = [word for word in asked if re.fullmatch(r"--[a-z][a-z-]*", word) and word not in options]
    return f"{command.name} has no {unknown[0]}: {line}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_is_one_that_exists(page: Path) -> None:
    found = [problem(line) for line in lines(page.read_text(encoding="utf-8"))]
    assert [each for each in found if each is not None] == []


def test_every_command_is_named() -> None:
    named: dict[str, None] = {}
    shown = [line for page in PAGES for line in lines(page.read_text(encoding="utf-8"))]
    assert len(shown) > 150  # or nothing is looked at
    for line in shown:
        problem(line, named)
    assert set(_TOP.commands) - named.keys() == set()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("trak 0199", "axis has no trak"),
        ("webhook list|ad", "axis has no ad"),
        ("report --perod 2026-Q4", "report has no --perod"),
        ("folder --as G12 --out a --inn b >> folder.log", "folder has no --inn"),
        ("report --period 2026-Q4 | less --no-init", None),
        ("watch [--every SECONDS]", None),
    ],
)
def test_what_is_not_there_is_noticed(line: str, missing: str | None) -> None:
    found = problem(line)
    assert found is None if missing is None else found is not None and found.startswith(missing)
