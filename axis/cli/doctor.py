"""`axis doctor`: is all well, and what to do where it is not."""

import asyncio

import typer
from rich.markup import escape

from axis.cli.checks import look_at_all
from axis.cli.console import JsonOption, out, print_json, printable
from axis.cli.findings import Check, Level
from axis.errors import Misconfigured
from axis.settings import Settings

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(*, as_json: JsonOption = False) -> None:
    """Look whether all is well, and say what to do.

    Settings, broker, database, topology, workers, gateway, console, keys, certificates, clocks, disk. Workers are
    looked for from the broker's side, as consumers of their queues. Nothing is changed.

    For example:

      axis doctor

      axis doctor --json

    Exit code 0: all well, perhaps with warnings; 1: something failed, and its line says what to do.
    """
    checks = _checks()
    worst = max((check.level for check in checks), key=list(Level).index)
    if as_json:
        print_json({"level": worst, "checks": checks})
    else:
        for check in checks:
            style = _STYLES[check.level]
            out.print(f"[{style}]{check.level.value:<4}[/{style}] {check.name:<13} {escape(printable(check.found))}")
            if check.remedy and check.level is not Level.OK:
                out.print(f"     {'':<13} → {escape(printable(check.remedy))}")
    if worst is Level.FAIL:
        raise typer.Exit(1)


def _checks() -> list[Check]:
    try:
        settings = Settings.load()
    except Misconfigured as error:
        return [Check("settings", Level.FAIL, error.detail, "`axis up` starts everything and writes them")]
    return [Check("settings", Level.OK, f"complete, data in {settings.home}"), *asyncio.run(look_at_all(settings))]
