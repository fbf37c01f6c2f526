"""The commands `axis audit plan` and `axis audit apply`."""

import asyncio
import getpass
from typing import Annotated, Any

import typer

from axis.cli.audit.carrying import Carrier
from axis.cli.audit.looking import Asked, Looked, look, opened
from axis.cli.audit.telling import KEPT, end, plain, show
from axis.cli.console import JsonOption, progress
from axis.cli.moments import moment
from axis.core.audit import Side
from axis.errors import AxisError
from axis.settings import Settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Bring store and broker together after a restore.")

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
    show(looked, None, as_json=as_json)
    end(looked.plan, to_do=not looked.plan.empty)


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
    show(looked, done, as_json=as_json)
    end(looked.plan, to_do=False)


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
            detail = {**plain(looked, gaps=KEPT), "done": carrier.done, "finished": finished}
            await sides.store.audit(getpass.getuser(), "audit.apply", asked.restored or "unknown", detail)
    return looked, carrier.done


def _moment(text: str | None) -> Any:
    return None if text is None else moment(text)
