"""The `axis` command: every part of it is a module of its own; errors are reported here, once.

A part is imported when it is asked for: all of them together take twice as long as one, more than most of them work.
"""

import importlib
import os
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Annotated, NoReturn

import typer

from axis.cli import console
from axis.errors import AxisError, only_error
from axis.leaving import leave

__all__ = ["application", "main", "run"]

INTERRUPTED = 130  # 128 + SIGINT, as shells say it

# Command -> its function, or its group; in the order in which help lists them.
_PARTS: Mapping[str, str] = {
    "up": "up:up",
    "down": "up:down",
    "demo": "demo.command:demo",
    "agency": "agency:app",
    "explain": "explain:explain",
    "send": "send:send",
    "recall": "recall:recall",
    "inbox": "inbox:inbox",
    "folder": "folder:folder",
    "status": "status:app",
    "track": "track:track",
    "changes": "changes:changes",
    "watch": "watch:watch",
    "receipt": "receipt:app",
    "log": "log:app",
    "quarantine": "quarantine:app",
    "calendar": "calendar:app",
    "audit": "audit:app",
    "doctor": "doctor:doctor",
    "console": "web_console:console",
    "operator": "operators:app",
    "report": "reporting:report",
    "findings": "found:findings",
    "mailbox": "mailbox:app",
    "replay": "replay:replay",
    "register": "register:app",
    "topology": "topology:app",
    "key": "key:app",
    "database": "database:app",
    "certificate": "certificate:app",
    "partner": "partner:app",
    "webhook": "webhook:app",
    "pki": "pki:app",
    "local": "local:app",
    "edxml": "edxml:app",
    "faults": "faults:app",
}


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"axis {metadata.version('document-axis')}")
        raise typer.Exit


def _axis(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(wanted=value), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """The axis: signed electronic documents from one agency to many, verified, recorded and answered.

    Every command has --help with examples. Most have --json, which prints one object for machines. Exit codes: 0 done;
    1 the answer is no; 2 wrong usage; 65 bad input; 66 not found; 69 something is away; 75 not known yet; 78 settings.
    """


def application(names: Iterable[str] = tuple(_PARTS)) -> typer.Typer:
    """Make the whole command, or what is needed of it for these parts."""
    made = typer.Typer(
        name="axis",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_axis)
    for name in names:
        module, _, member = _PARTS[name].partition(":")
        part = getattr(importlib.import_module(f"axis.cli.{module}"), member)
        if isinstance(part, typer.Typer):
            made.add_typer(part, name=name)
        else:
            made.command(name)(part)
    return made


def main() -> NoReturn:
    """Run the command line and end the process."""
    leave(run())


def run() -> int:
    """Run the command line and return the exit code; what it raises becomes a sentence."""
    as_json = "--json" in sys.argv[1:]
    asked = sys.argv[1:2]
    try:
        application(asked if asked and asked[0] in _PARTS else _PARTS)(prog_name="axis")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except AxisError as error:
        return console.report(error, as_json=as_json)
    except BaseExceptionGroup as group:
        told = only_error(group)
        if told is None:
            raise
        return console.report(told, as_json=as_json)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has stopped (`axis track … | head`); without this Python complains while closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
