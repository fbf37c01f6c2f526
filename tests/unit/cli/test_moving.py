"""Bars for files that move: at a terminal, and nowhere else."""

import io
import sys

import pytest
from rich.console import Console

from axis.cli.moving import transfers_shown

MIB = 1024 * 1024


def shown(*told: tuple[str, int, int], terminal: bool) -> str | None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, highlight=False)
    with transfers_shown(console) as moved:
        if moved is None:
            return None
        for each in told:
            moved(*each)
    return out.getvalue()


def test_a_bar_for_each_file_at_a_terminal() -> None:
    told = shown(
        ("báo cáo.pdf", MIB, 4 * MIB), ("báo cáo.pdf", 4 * MIB, 4 * MIB), ("[b]\x1b.pdf", MIB, MIB), terminal=True
    )
    assert told is not None
    assert "báo cáo.pdf" in told
    assert "4.2/4.2 MB" in told
    assert "[b]\N{REPLACEMENT CHARACTER}.pdf" in told


def test_small_files_have_none() -> None:
    assert "thư.pdf" not in (shown(("thư.pdf", 10, 10), terminal=True) or "")


def test_nothing_where_nobody_watches() -> None:
    assert shown(("a.pdf", MIB, MIB), terminal=False) is None


def test_the_answer_stays_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    with transfers_shown(Console(file=out, force_terminal=True, width=80)) as moved:
        assert moved is not None
        moved("a.pdf", MIB, 2 * MIB)
        sys.stdout.write("the answer\n")
    assert capsys.readouterr().out == "the answer\n"
    assert "the answer" not in out.getvalue()
