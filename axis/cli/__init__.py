"""The `axis` command: every part of it is a module of its own; errors are reported here, once."""

import os
import sys
from importlib import metadata
from typing import Annotated

import typer

from axis.cli import (
    agency,
    audit,
    certificate,
    console,
    database,
    doctor,
    edxml,
    explain,
    faults,
    inbox,
    key,
    local,
    log,
    pki,
    quarantine,
    receipt,
    send,
    status,
    topology,
    track,
    up,
)
from axis.cli.demo.command import demo
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


app.command("up")(up.up)
app.command("down")(up.down)
app.command("demo")(demo)
app.add_typer(agency.app, name="agency")
app.command("explain")(explain.explain)
app.command("send")(send.send)
app.command("inbox")(inbox.inbox)
app.add_typer(status.app, name="status")
app.command("track")(track.track)
app.add_typer(receipt.app, name="receipt")
app.add_typer(log.app, name="log")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(audit.app, name="audit")
app.command("doctor")(doctor.doctor)
app.add_typer(topology.app, name="topology")
app.add_typer(key.app, name="key")
app.add_typer(database.app, name="database")
app.add_typer(certificate.app, name="certificate")
app.add_typer(pki.app, name="pki")
app.add_typer(local.app, name="local")
app.add_typer(edxml.app, name="edxml")
app.add_typer(faults.app, name="faults")


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
