"""The `axis` command: every part of it is a module of its own; errors are reported here, once."""

import os
import sys
from importlib import import_module, metadata
from typing import Annotated

import typer

from axis.cli import console
from axis.errors import AxisError

__all__ = ["app", "main"]

INTERRUPTED = 130  # 128 + SIGINT, as shells say it

app = typer.Typer(
    name="axis",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"axis {metadata.version('document-axis')}")
        raise typer.Exit


@app.callback()
def _axis(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda value: _version(wanted=value), is_eager=True, help="Say it.")
    ] = False,
) -> None:
    """The axis: signed electronic documents from one agency to many, verified, recorded and answered.

    Every command has --help with examples. Most have --json, which prints one object for machines. Exit codes: 0 done;
    1 the answer is no; 2 wrong usage; 65 bad input; 66 not found; 69 something is away; 75 not known yet; 78 settings.
    """


def _mount(name: str, command: str | None = None) -> None:
    try:
        module = import_module(f"axis.cli.{name}")
    except ImportError:
        return
    if command is None:
        app.add_typer(module.app, name=name)
    else:
        app.command(command)(getattr(module, command))


for _name in ("local", "key", "topology", "agency", "edxml", "status", "quarantine"):
    _mount(_name)
for _name in ("explain", "send", "inbox", "track", "doctor"):
    _mount(_name, _name)
_mount("up", "up")
_mount("up", "down")
_mount("demo.command", "demo")


def main() -> None:
    """Run the command line; what it raises becomes a sentence and an exit code."""
    as_json = "--json" in sys.argv[1:]
    try:
        app(prog_name="axis")
    except AxisError as error:
        sys.exit(console.report(error, as_json=as_json))
    except BaseExceptionGroup as group:
        told = _told_in(group)
        if told is None:
            raise
        sys.exit(console.report(told, as_json=as_json))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has stopped (`axis track … | head`); without this Python complains while closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _told_in(group: BaseExceptionGroup[BaseException]) -> AxisError | None:
    """Return the error that a task group wrapped, if all that went wrong is errors of ours."""
    known, others = group.split(AxisError)
    if known is None or others is not None:
        return None
    first: BaseException = known
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first if isinstance(first, AxisError) else None
