"""docs/statuses.md shows the table as it is."""

from pathlib import Path

from axis.core.lifecycle import diagram

PAGE = Path(__file__).parents[3] / "docs" / "statuses.md"


def test_the_diagram_of_the_page_is_drawn_from_the_table() -> None:
    assert f"```mermaid\n{diagram()}```\n" in PAGE.read_text(encoding="utf-8")
