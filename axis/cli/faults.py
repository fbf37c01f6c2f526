"""`axis faults`: break a private axis on purpose, and account for every document."""

import asyncio
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.console import JsonOption, print_json, print_table, progress, say
from axis.faults import report
from axis.faults.playing import Played, play
from axis.faults.scenario import Budget, Scenario
from axis.faults.scenarios import SCENARIOS

app = typer.Typer(no_args_is_help=True, help="Break a private axis on purpose, and account for every document.")

_TERMINATED = 128 + signal.SIGTERM  # as a shell says it
_MINUTES = 1.0


@app.command("list")
def list_scenarios(*, as_json: JsonOption = False) -> None:
    """List the scenarios, and why one cannot be played here."""
    rows = [(each.number, each.name, each.title, each.impossible()) for each in SCENARIOS.values()]
    if as_json:
        print_json([dict(zip(("number", "name", "title", "impossible"), row, strict=True)) for row in rows])
    else:
        print_table(("#", "name", "what is broken", "not here, because"), rows)


@app.command("run")
def run(
    *,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Only this one (several: say it again); default: all.", metavar="NAME")
    ] = None,
    seed: Annotated[int, typer.Option(help="What is broken, and in what order, follows from it.")] = 1,
    minutes: Annotated[float | None, typer.Option(help=f"How long each scenario breaks things [{_MINUTES:g}].")] = None,
    total: Annotated[
        float | None,
        typer.Option(help="Minutes of all scenarios together, shared out by their weight, instead of --minutes."),
    ] = None,
    events: Annotated[int | None, typer.Option(help="End each scenario after so many fault events.")] = None,
    page: Annotated[Path | None, typer.Option("--report", help="Write the page (Markdown) to this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Start a private axis, drive it with traffic, break it, heal it, and account from the outside.

    Each scenario has an axis of its own: broker, database, workers, agencies, in a temporary folder that is removed
    unless something was found. One line for each scenario, and a last line for all of them. The same seed breaks the
    same things in the same order.

    For example:

      axis faults run

      axis faults run --scenario workers --seed 7 --minutes 5

      axis faults run --total 45 --report docs/faults.md

    Exit code 0: nothing was lost, doubled or misordered, and nothing is unexplained; 1: something was.
    """
    chosen = _chosen(scenario)
    if minutes is None and events is None and total is None:
        minutes = _MINUTES
    command = _command(scenario, seed=seed, minutes=minutes, total=total, events=events)
    shares = {each.name: minutes if total is None else total * _part(each, chosen) for each in chosen}
    try:
        played = asyncio.run(_play(chosen, seed=seed, shares=shares, events=events, quiet=as_json))
    except asyncio.CancelledError:
        raise typer.Exit(_TERMINATED) from None
    if page is not None:
        page.write_text(report.page(played, command=command, seed=seed), encoding="utf-8")
    if as_json:
        print_json(report.as_json(played, command=command, seed=seed))
    else:
        say(report.last_line(played))
    if not report.total(played).clean:
        raise typer.Exit(1)


async def _play(
    chosen: list[Scenario], *, seed: int, shares: Mapping[str, float | None], events: int | None, quiet: bool
) -> list[Played]:
    # What ends us in order ends everything we started, and removes its folder, as Ctrl-C does.
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    played = []
    for scenario in chosen:
        progress(f"{scenario.number} {scenario.name}: {scenario.title} …")
        found = await play(scenario, Budget(minutes=shares[scenario.name], events=events), seed=seed)
        played.append(found)
        for finding in found.account.findings:
            progress(finding)
        if found.kept is not None:
            progress(f"logs and data: {found.kept}")
        (progress if quiet else say)(report.line(found))
    return played


def _part(scenario: Scenario, chosen: list[Scenario]) -> float:
    return scenario.weight / sum(each.weight for each in chosen)


def _chosen(names: list[str] | None) -> list[Scenario]:
    if unknown := sorted(set(names or ()) - set(SCENARIOS)):
        raise typer.BadParameter(f"no such scenario: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    return [scenario for name, scenario in SCENARIOS.items() if not names or name in names]


def _command(
    names: list[str] | None, *, seed: int, minutes: float | None, total: float | None, events: int | None
) -> str:
    """Write the command that says the same again."""
    words = ["axis", "faults", "run"]
    for name in names or ():
        words += ["--scenario", name]
    words += ["--seed", str(seed)]
    for option, value in (("--minutes", minutes), ("--total", total), ("--events", events)):
        words += [] if value is None else [option, f"{value:g}"]
    return shlex.join(words)
