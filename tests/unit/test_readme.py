"""What the README shows is what is there."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from axis.cli import application
from axis.cli.demo.command import EXPECTED

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["send", "receive"])
def test_the_snippets_are_the_examples(name: str) -> None:
    source = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)\n```", README, flags=re.DOTALL)
    body = next(snippet for snippet in snippets if f"async def {name}(" in snippet)
    function = body[body.index("async def") :]
    assert function in source
    assert len(function.splitlines()) <= 15


def test_the_demo_ends_as_shown() -> None:
    assert str(EXPECTED) in README


def test_every_command_named_exists() -> None:
    commands = get_command(application()).commands  # type: ignore[attr-defined]  # the app is a group
    named = set(re.findall(r"\.venv/bin/axis ([a-z]+)", README))
    assert named
    assert named <= set(commands)


def test_every_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z0-9]+)", README, flags=re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_every_folder_on_the_map_exists() -> None:
    for path in re.findall(r"`([a-z]+/[a-z/.]*)`", README):
        assert (ROOT / path).exists(), path


def test_every_link_leads_somewhere() -> None:
    links = set(re.findall(r"\]\(([^)#:]+)\)", README))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
