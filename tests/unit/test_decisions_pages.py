"""Decision pages: each number is one page's, and links between pages lead somewhere."""

import re
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
_LINK = re.compile(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)")


def test_each_number_is_one_pages_and_stands_in_its_heading() -> None:
    numbers = Counter(page.name[:4] for page in DECISIONS)
    assert [number for number, pages in numbers.items() if pages > 1] == []
    assert [page.name for page in DECISIONS if not page.read_text("utf-8").startswith(f"# {page.name[:4]} ")] == []


def test_links_between_pages_lead_somewhere() -> None:
    links = [(page, link) for page in DOCS.rglob("*.md") for link in _LINK.findall(page.read_text("utf-8"))]
    assert links
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []
