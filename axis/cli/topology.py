"""`axis topology`: what the broker has to hold, and the way there."""

import asyncio
from typing import Annotated

import typer

from axis.cli.accounts import ensure_worker_account, management, wanted_topology
from axis.cli.console import JsonOption, print_json, progress, say
from axis.core.topology import Change, Verb, difference
from axis.settings import Settings
from axis.store import Store

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What the broker has to hold, and the way there.")

_CHANGES = 2


@app.callback()
def _group() -> None:
    """What the broker has to hold, and the way there."""


@app.command()
def plan(
    *,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 2 when there is something to do.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what `apply` would change; changes nothing.

    For example:

      axis topology plan

      axis topology plan --json --exit-code
    """
    changes = asyncio.run(_run(Settings.load(), apply=False))
    _show(changes, as_json=as_json, done=False)
    if exit_code and changes:
        raise typer.Exit(_CHANGES)


@app.command()
def apply(*, as_json: JsonOption = False) -> None:
    """Bring exchanges, queues, accounts and rights to what the directory demands; queues are never deleted.

    For example:

      axis topology apply
    """
    _show(asyncio.run(_run(Settings.load(), apply=True)), as_json=as_json, done=True)


async def _run(settings: Settings, *, apply: bool) -> tuple[Change, ...]:
    settings = ensure_worker_account(settings)
    async with Store.connect(settings.operator_database, name="axis topology") as store:
        wanted = await wanted_topology(settings, store)
    async with management(settings) as api:
        changes = difference(wanted, await api.actual())
        if apply:
            await api.apply(changes, progress)
    return changes


def _show(changes: tuple[Change, ...], *, as_json: bool, done: bool) -> None:
    if as_json:
        plain = [{"verb": c.verb.value, "kind": c.kind, "name": c.name, "text": c.text} for c in changes]
        print_json({"applied": done, "changes": plain})
        return
    conflicts = [change for change in changes if change.verb is Verb.CONFLICT]
    if not done:
        for change in changes:
            say(change.text)
    else:
        for change in conflicts:
            say(f"left alone: {change.text}")
    count = len(changes) - len(conflicts)
    if not changes:
        say("the broker is as it has to be")
    else:
        say(
            f"{count} {'done' if done else 'to do'}"
            + (f", {len(conflicts)} for a person to decide" if conflicts else "")
        )
