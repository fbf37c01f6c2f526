"""docs/four-facts.md says what the matrix and the table of attempts say."""

from tests.four_facts_page import PAGE, page


def test_the_page_is_written_from_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.four_facts_page"
