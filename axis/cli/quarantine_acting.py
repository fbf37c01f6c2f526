"""`axis quarantine check|requeue|drop`: what would happen to a message now, and what is done with it."""

import asyncio
import datetime as dt
import getpass
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from axis.cli.console import JsonOption, print_json, say, say_reasons
from axis.cli.moments import now
from axis.evidence.quarantined import Done, Examiner, Outcome, drop, one, requeue
from axis.settings import Settings
from axis.store import Store

_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="From `axis quarantine list`.", show_default=False)]
_Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; it is audited.", show_default=False)]


def check(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="From the list.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Say what would happen to a message if the routers decided it now. Nothing is changed.

    For example:

      axis quarantine check 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11

    Exit code 0: it would be accepted; 1: it would not; 66: there is no such message.
    """
    outcome = asyncio.run(_check(identifier.strip().lower()))
    if as_json:
        print_json(outcome)
    elif outcome.code is not None:
        say(f"it would be refused: {outcome.code}: {outcome.detail}")
        say_reasons([outcome.code])
    else:
        say("it was accepted before, and would only be receipted again" if outcome.known else "it would be accepted")
        for each in outcome.resolutions:
            say(f"  {each.recipient}: " + (f"mailbox {each.mailbox}" if each.ok else f"refused, {each.reason}"))
    if outcome.code is not None:
        raise typer.Exit(1)


def requeue_command(ids: _Ids, *, why: _Why, as_json: JsonOption = False) -> None:
    """Hand messages to the routers of their queues once more, at most 50, five a second.

    Each is decided like any other, with the account that was proved when it came; see `axis quarantine check`.

    For example:

      axis quarantine requeue ID --why "mended in 2026.11.3"

    Exit code 0: all of them; 1: some stayed.
    """
    _done(
        asyncio.run(_with(lambda store: requeue(store, ids, now(), by=getpass.getuser(), why=why))), "requeued", as_json
    )


def drop_command(ids: _Ids, *, why: _Why, as_json: JsonOption = False) -> None:
    """Take messages out of quarantine for good; their bytes are kept as evidence. One that comes again is in again.

    For example:

      axis quarantine drop ID ID --why "tests of the agency"

    Exit code 0.
    """
    _done(asyncio.run(_with(lambda store: drop(store, ids, by=getpass.getuser(), why=why))), "dropped", as_json)


def _done(done: Done, word: str, as_json: bool) -> None:
    stayed = {identifier: f"{error.code}: {error.detail}" for identifier, error in done.stayed}
    if as_json:
        print_json({word: done.done, "stayed": stayed})
    else:
        say(f"{done.done} {word}")
        for identifier, told in stayed.items():
            say(f"{identifier} stayed: {told}")
        say_reasons({error.code for _, error in done.stayed})
    if stayed:
        raise typer.Exit(1)


async def _with(act: Callable[[Store], Awaitable[Done]]) -> Done:
    async with Store.connect(Settings.load().operator_database, name="axis cli", connections=2) as store:
        return await act(store)


async def _check(identifier: str) -> Outcome:
    settings = Settings.load()
    async with Store.connect(settings.operator_database, name="axis cli", connections=2) as store:
        kept = await one(store, identifier)
        examiner = await Examiner.of(
            store,
            now(),
            past=dt.timedelta(days=settings.id_past_days),
            future=dt.timedelta(minutes=settings.id_future_minutes),
            hybrid=settings.hybrid_required,
        )
        return await examiner.check(kept)
