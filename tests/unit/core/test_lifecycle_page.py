"""docs/statuses.md shows the tables as they are."""

from pathlib import Path

from axis.core import conversation, fate
from axis.core.lifecycle import diagram

PAGE = Path(__file__).parents[3] / "docs" / "statuses.md"


def test_the_diagram_of_the_page_is_drawn_from_the_table() -> None:
    assert f"```mermaid\n{diagram()}```\n" in PAGE.read_text(encoding="utf-8")


def test_so_is_that_of_a_conversation() -> None:
    assert f"```mermaid\n{conversation.diagram()}```\n" in PAGE.read_text(encoding="utf-8")


def test_so_is_that_of_the_way_to_the_recipient() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"```mermaid\n{fate.diagram()}```\n" in page
    assert [f"| {each} |" for each in fate.Transport if f"| {each} |" not in page] == []
