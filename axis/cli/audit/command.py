"""The commands `axis audit plan` and `axis audit apply`."""

import asyncio
import getpass
from typing import Annotated, Any

import typer

from axis.cli.audit.carrying import Carrier
from axis.cli.audit.looking import Asked, Looked, look, opened, unique
from axis.cli.console import JsonOption, local_time, print_json, progress, say
from axis.cli.moments import moment
from axis.core.audit import Plan, Side, counted
from axis.errors import AxisError
from axis.settings import Settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Bring store and broker together after a restore.")

_TO_DO = 3
_TOLD = 50
_KEPT = 1000  # gaps in the audit table's entry; all of them are in the answer

_Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="What was delivered from then on may be lost with the broker; default: AXIS_ID_PAST_DAYS before --until.",
        show_default=False,
    ),
]
_Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        help="When the broker came back: what it confirmed since is not lost; default: when it was started.",
        show_default=False,
    ),
]
_Restored = Annotated[
    Side | None,
    typer.Option(
        "--restored",
        help="What was brought back from a copy. With database nothing is taken for lost with the broker.",
        show_default=False,
    ),
]


class WorkersRunning(AxisError):
    """Report that workers change both sides while they are compared."""

    code = "audit/workers-running"
    exit_code = 69


@app.callback()
def _group() -> None:
    """Bring store and broker together after one of them was brought back from a copy."""


@app.command()
def plan(
    *, since: _Since = None, until: _Until = None, restored: _Restored = None, as_json: JsonOption = False
) -> None:
    """Compare what the store knows with what is in the queues, and show what `apply` would do; changes nothing.

    Stop the workers before, and the agencies' programs where you can: only what is ready in a queue is seen, not what
    somebody holds unacked. Looking takes nothing: every message is in its place afterwards.

    For example, after the database was brought back:

      axis audit plan --restored database

    after the broker's data was brought back from a copy of 08:00:

      axis audit plan --restored broker --since 2026-11-24T08:00+07:00

    Exit code 0: nothing to do; 3: there is, and all of it can be done; 1: something cannot be brought together, or
    there is a time that neither side may know all about.
    """
    asked = Asked(_moment(since), _moment(until), restored)
    looked = asyncio.run(_plan(asked))
    _show(looked, None, as_json=as_json)
    _exit(looked.plan, to_do=not looked.plan.empty)


@app.command()
def apply(
    *, since: _Since = None, until: _Until = None, restored: _Restored = None, as_json: JsonOption = False
) -> None:
    """Compare, and bring together what can be. Refuses while workers run. Doing it twice does nothing more.

    Recipients drop what they had already, by its id. An entry of the audit table says what was done.

    For example:

      axis audit apply --restored database

      axis audit apply --restored broker --since 2026-11-24T08:00+07:00 --json

    Exit code 0: all is brought together; 1: something could not be, or there is a time that neither side may know all
    about: it is named, with whom to ask; 69: workers are running.
    """
    asked = Asked(_moment(since), _moment(until), restored)
    looked, done = asyncio.run(_apply(asked))
    _show(looked, done, as_json=as_json)
    _exit(looked.plan, to_do=False)


async def _plan(asked: Asked) -> Looked:
    async with opened(Settings.load()) as sides:
        looked = await look(sides, asked, progress)
    if looked.working:
        progress(f"workers are running ({', '.join(looked.working)}): this is not the whole picture")
    return looked


async def _apply(asked: Asked) -> tuple[Looked, dict[str, int]]:
    async with opened(Settings.load()) as sides:
        looked = await look(sides, asked, progress)
        if looked.working:
            raise WorkersRunning(f"stop the workers first: {', '.join(looked.working)} are consumed from")
        carrier = Carrier(sides, looked.plan, progress)
        finished = False
        try:
            await carrier.run()
            finished = True
        finally:
            detail = {**_plain(looked, gaps=_KEPT), "done": carrier.done, "finished": finished}
            await sides.store.audit(getpass.getuser(), "audit.apply", asked.restored or "unknown", detail)
    return looked, carrier.done


def _plain(looked: Looked, *, gaps: int | None = None) -> dict[str, Any]:
    """Say what was found as values for JSON."""
    plan, found = looked.plan, unique(looked.plan.gaps)
    return {
        "since": looked.window.since.isoformat(),
        "until": looked.window.until.isoformat(),
        "newest_in_store": None if looked.newest is None else looked.newest.isoformat(),
        "queues": looked.queues,
        "messages": looked.messages,
        "workers_running": list(looked.working),
        "planned": dict(counted(plan)),
        "gaps": [
            {"problem": g.problem.value, "id": g.id, "mailbox": g.mailbox, "detail": g.detail, "remedy": g.remedy}
            for g in found[:gaps]
        ],
        "at_risk": [
            {
                "side": risk.side.value,
                "since": risk.since.isoformat(),
                "first_unknown": None if risk.first_unknown is None else risk.first_unknown.isoformat(),
                "last_unknown": None if risk.last_unknown is None else risk.last_unknown.isoformat(),
                "ask": list(risk.ask),
            }
            for risk in plan.risks
        ],
    }


def _show(looked: Looked, done: dict[str, int] | None, *, as_json: bool) -> None:
    plan = looked.plan
    if as_json:
        print_json({**_plain(looked), "steps": list(plan.steps()), **({} if done is None else {"done": done})})
        return
    say(f"{looked.messages} messages seen in {looked.queues} queues; the store's newest: {local_time(looked.newest)}")
    steps = list(plan.steps())
    for step in steps[:_TOLD]:
        say(f"{step.action.value} {step.id} ({', '.join(step.mailboxes)}): {step.reason}")
    _more(len(steps), "steps")
    gaps = unique(plan.gaps)
    for gap in gaps[:_TOLD]:
        say(f"cannot be brought together: {gap.problem.value} {gap.id} ({gap.mailbox}): {gap.detail}. {gap.remedy}")
    _more(len(gaps), "gaps")
    for risk in plan.risks:
        say(f"the {risk.side.value} was an old one: nobody may know all that happened since {local_time(risk.since)}")
        if risk.first_unknown is not None:
            say(f"  seen of that time: {local_time(risk.first_unknown)} to {local_time(risk.last_unknown)}")
        for ask in risk.ask:
            say(f"  ask {ask}")
    counts = [f"{count} × {name}" for name, count in (counted(plan) if done is None else done).items() if count]
    verb = "to do" if done is None else "done"
    say(f"{verb}: {', '.join(counts)}" if counts else "store and broker know the same: nothing to do")


def _more(count: int, what: str) -> None:
    if count > _TOLD:
        say(f"… {count} {what} in all; --json lists them")


def _exit(plan: Plan, *, to_do: bool) -> None:
    if not plan.complete:
        raise typer.Exit(1)
    if to_do:
        raise typer.Exit(_TO_DO)


def _moment(text: str | None) -> Any:
    return None if text is None else moment(text)
