"""Tables in a terminal: whole words where they fit, paragraphs where they do not."""

import datetime as dt
import re
import sys

import pytest

from axis.cli.console import print_table

IDENTIFIER = "01a228d3-192c-7183-9b34-85e8aa96f730"
MOMENT = dt.datetime(2026, 11, 29, 19, 40, 52, tzinfo=dt.UTC)
COLUMNS = ("id", "last seen", "account", "source", "reason", "detail")
ROW = (IDENTIFIER, MOMENT, None, "axis.route.urgent", "abuse/account", "account G09 does not hold G22 [bold]")

STYLE = re.compile("\x1b\\[[0-9;]*m")


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int) -> list[str]:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(COLUMNS, [ROW, ROW])
    return [line.rstrip() for line in STYLE.sub("", capsys.readouterr().out).splitlines()]


@pytest.mark.parametrize("columns", [120, 160])
def test_a_wide_terminal_shows_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    heading, *rows = printed(capsys, monkeypatch, columns)
    assert heading.split() == ["id", "last", "seen", "(+07)", "account", "source", "reason", "detail"]
    assert [row[:36] for row in rows].count(IDENTIFIER) == 2
    assert sum("2026-11-30 02:40:52" in row for row in rows) == 2


@pytest.mark.parametrize("columns", [40, 80, 100])
def test_a_narrow_one_breaks_no_identifier_and_no_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    lines = printed(capsys, monkeypatch, columns)
    assert lines.count(IDENTIFIER) == 2
    assert all(len(line) <= columns for line in lines)
    text = " ".join(line.strip() for line in lines)
    assert text.count("last seen: 2026-11-30 02:40:52 +07") == 2
    assert "account: –" not in text  # what is not there is not told
    assert text.count("detail: account G09 does not hold G22 [bold]") == 2


def test_a_file_gets_one_line_for_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [ROW])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_no_rows_are_a_heading(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [])
    assert capsys.readouterr().out.split() == ["id", "last", "seen", "account", "source", "reason", "detail"]


WHY = "waiting: H37 is handling it since 05:29, and has not reported its end (06)"


@pytest.mark.parametrize("columns", range(60, 130, 3))
def test_nothing_is_cut_off_at_any_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    names = ("recipient", "mailbox", "transport", "business", "since", "deadline", "waits for, or why")
    print_table(
        names, [("H37", "H37", "taken", "03", MOMENT, None, WHY), ("G22", "G22", "held", None, MOMENT, "–", "")]
    )
    text = STYLE.sub("", capsys.readouterr().out)
    assert all(len(line.rstrip()) <= columns for line in text.splitlines())
    words = text.split()
    assert all(word in words for word in WHY.split()[1:])
    assert {"waits", "for,"} <= set(words)
