"""`axis quarantine check|requeue|drop`: what would happen to a message now, and what is done with it."""

import asyncio
import datetime as dt
import getpass
import signal
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer

from axis.cli.console import JsonOption, print_json, progress, say, say_reasons
from axis.cli.moments import now
from axis.errors import Unavailable
from axis.evidence.quarantined import AT_ONCE, Done, Examiner, Outcome, asked, drop, one, requeue
from axis.settings import Settings
from axis.store import Store

_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="From `axis quarantine list`.", show_default=False)]
_Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; it is audited.", show_default=False)]

_A_LINE_EVERY = 5  # of a group: one a second
_INTERRUPTED = 128 + signal.SIGINT


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


def requeue_command(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="From `axis quarantine list`.", show_default=False)
    ] = None,
    *,
    why: _Why,
    reason: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Instead of ids: the 50 last seen of this reason.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Hand messages to the routers of their queues once more, at most 50, five a second.

    Each is decided like any other, with the account that was proved when it came; see `axis quarantine check`. Ctrl-C
    ends it between two of them: what it has not come to stays in quarantine, and may be asked for again.

    For example:

      axis quarantine requeue ID --why "mended in 2026.11.3"

      axis quarantine requeue --reason message/poison --why "mended in 2026.11.3"

    Exit code 0: all of them; 1: some stayed; 130: ended by Ctrl-C.
    """
    if bool(ids) == (reason is not None):
        raise typer.BadParameter("give ids or --reason CODE")
    done, more = asyncio.run(_requeue(_named(ids or ()), reason, why))
    _tell(done, "requeued", as_json)
    if more and not as_json:
        say(f"there are more of {reason}: ask again for the next {AT_ONCE}")
    if done.untouched:
        raise typer.Exit(_INTERRUPTED)
    if done.stayed:
        raise typer.Exit(1)


def drop_command(ids: _Ids, *, why: _Why, as_json: JsonOption = False) -> None:
    """Take messages out of quarantine for good; their bytes are kept as evidence. One that comes again is in again.

    For example:

      axis quarantine drop ID ID --why "tests of the agency"

    Exit code 0: all of them; 1: some were not in quarantine.
    """
    done = asyncio.run(_drop(_named(ids), why))
    _tell(done, "dropped", as_json)
    if done.stayed:
        raise typer.Exit(1)


def _named(ids: Iterable[str]) -> list[str]:
    return [each.strip().lower() for each in ids]


def _tell(done: Done, word: str, as_json: bool) -> None:
    stayed = {identifier: f"{error.code}: {error.detail}" for identifier, error in done.stayed}
    if as_json:
        print_json({word: done.done, "stayed": stayed, "untouched": done.untouched})
        return
    say(f"{done.done} {word}")
    for identifier, told in stayed.items():
        say(f"{identifier} stayed: {told}")
    for identifier in done.untouched:
        say(f"{identifier} was not come to, and is in quarantine")
    say_reasons(error.code for _, error in done.stayed)


async def _requeue(ids: list[str], reason: str | None, why: str) -> tuple[Done, bool]:
    """Return what was done, and whether there are more of that reason."""
    asked(ids, why)  # before anything is connected to
    stop, loop, last = asyncio.Event(), asyncio.get_running_loop(), Done(0)

    def seen(far: Done) -> None:
        nonlocal last
        last = far
        if far.asked > 1 and (not far.untouched or not (far.asked - len(far.untouched)) % _A_LINE_EVERY):
            stayed = f", {len(far.stayed)} stayed" if far.stayed else ""
            progress(f"{far.done} of {far.asked} requeued{stayed}")

    async with _store() as store:
        found = () if reason is None else await store.quarantined(AT_ONCE + 1, reason=reason)
        ids = ids or [each.id for each in found[:AT_ONCE]]
        # Not the usual end of a coroutine: the one that is under way is handed over or not, and that is told.
        loop.add_signal_handler(signal.SIGINT, stop.set)
        try:
            done = await requeue(store, ids, now(), by=getpass.getuser(), why=why, seen=seen, stop=stop)
            return done, len(found) > AT_ONCE
        except Unavailable:
            progress(
                f"{last.done} of {len(set(ids))} requeued; the one that was under way may have been: ask for all again"
            )
            raise
        finally:
            loop.remove_signal_handler(signal.SIGINT)


async def _drop(ids: list[str], why: str) -> Done:
    async with _store() as store:
        return await drop(store, ids, by=getpass.getuser(), why=why)


def _store() -> AbstractAsyncContextManager[Store]:
    return Store.connect(Settings.load().operator_database, name="axis cli", connections=2)


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
