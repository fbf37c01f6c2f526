"""The program as such: version, help, and how errors end it."""

from typing import Any

import pytest
import typer
from typer.main import get_command

from axis import cli
from axis.errors import AxisError, Malformed, NotFound, Refused, Unavailable
from tests.unit.cli.conftest import Run

COMMANDS = (
    ["agency"],
    ["agency", "add"],
    ["agency", "list"],
    ["agency", "show"],
    ["agency", "import"],
    ["explain"],
    ["send"],
    ["recall"],
    ["inbox"],
    ["status", "send"],
    ["track"],
    ["watch"],
    ["calendar", "list"],
    ["calendar", "set"],
    ["calendar", "unset"],
    ["quarantine", "list"],
    ["quarantine", "show"],
    ["doctor"],
    ["findings"],
    ["mailbox", "rebuild"],
    ["replay"],
    ["topology"],
    ["key"],
    ["local"],
    ["edxml", "read"],
    ["up"],
    ["down"],
    ["demo"],
)


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def command() -> None:
        raise error

    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(command)
    monkeypatch.setattr(cli, "application", lambda _: app)


def test_version(run: Run) -> None:
    ran = run("--version")
    assert ran.code == 0
    assert ran.out.startswith("axis 20")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(run: Run, command: list[str]) -> None:
    ran = run(*command, "--help")
    assert ran.code == 0
    assert "Usage: axis" in ran.out


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if each[-1] not in {"agency", "topology", "key", "local"}]
)
def test_help_shows_examples(run: Run, command: list[str]) -> None:
    assert f"  axis {' '.join(command)}" in run(*command, "--help").out.partition("For example")[2]


def test_a_part_by_itself_is_what_it_is_in_the_whole() -> None:
    for name, part in commands_of().items():
        alone = commands_of([name])
        assert alone.keys() == {name}
        assert told_of(alone[name]) == told_of(part)


def commands_of(*names: list[str]) -> dict[str, Any]:
    return dict(get_command(cli.application(*names)).commands)  # type: ignore[attr-defined]  # the command is a group


def told_of(part: Any) -> tuple[str, list[str], list[str]]:
    return part.help, [each.name for each in part.params], sorted(getattr(part, "commands", ()))


def test_no_such_part_is_said(run: Run) -> None:
    ran = run("tracks")
    assert (ran.code, "No such command 'tracks'" in ran.err) == (2, True)


def test_wrong_usage_ends_with_2(run: Run) -> None:
    ran = run("track")
    assert ran.code == 2
    assert "Missing argument" in ran.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("blob/missing"), 65),
        (Malformed("torn", code="file/unreadable"), 65),
        (NotFound("gone"), 66),
        (Unavailable("away"), 69),
        (AxisError("broken"), 70),
    ],
)
def test_an_error_is_told_once_and_ends_with_its_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: AxisError, code: int
) -> None:
    raising(monkeypatch, error)
    ran = run()
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.count(error.detail) == 1
    assert error.code in ran.err


def test_an_error_wrapped_by_a_task_group_is_told_alike(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ExceptionGroup("tasks", [ExceptionGroup("inner", [Unavailable("the broker is away")])]))
    ran = run()
    assert ran.code == 69
    assert "the broker is away" in ran.err


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ExceptionGroup("tasks", [Unavailable("away"), ZeroDivisionError()]))
    monkeypatch.setattr("sys.argv", ["axis"])
    with pytest.raises(ExceptionGroup):
        cli.run()


def test_an_error_in_a_file_says_where(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, Malformed("mismatched tag", code="edxml/not-well-formed", line=3, column=7))
    assert "mismatched tag, line 3, column 7" in run().err


def test_an_error_in_json(run: Run, store: object) -> None:
    ran = run("track", "nothing-such", "--json")
    assert ran.code == 66
    assert ran.json["error"]["code"] == "track/unknown"


def test_ctrl_c_ends_quietly(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    assert run() == (130, "", "")
