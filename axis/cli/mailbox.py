"""`axis mailbox rebuild`: make a mailbox at the broker equal to what the store knows of it."""

import asyncio
import datetime as dt
import getpass
from typing import Annotated

import typer

from axis.cli.audit.carrying import Carrier
from axis.cli.audit.looking import Looked, Sides, look_into, opened, queues_of
from axis.cli.audit.telling import KEPT, end, plain, show
from axis.cli.console import JsonOption, progress
from axis.cli.moments import moment
from axis.core.codes import canonical
from axis.errors import AxisError, NotFound
from axis.settings import Settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="One mailbox: what is in it, and what should be.")


class InUse(AxisError):
    """Report that somebody has messages of the mailbox in hand, which nobody else can see."""

    code = "mailbox/in-use"
    exit_code = 69


@app.callback()
def _group() -> None:
    """One mailbox: what is in it, and what should be."""


@app.command()
def rebuild(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Whose mailbox.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; changes nothing.")] = False,
    notices_since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Also put receipts and statuses again that were delivered from then on and are not in the queue.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put again what the store calls delivered to a mailbox, nobody answered, and is not in its queues.

    What is in the queues and not in the store is proved and adopted, or named, as `axis audit` does. Workers may run.
    The agency's own program may not: what it holds unacknowledged cannot be seen and would be put again. Recipients
    drop a document they have by its id, so nothing is lost or handled twice by doing this once too often.

    For example:

      axis mailbox rebuild H37 --dry-run

      axis mailbox rebuild H37

      axis mailbox rebuild H37 --notices-since 2026-11-24T08:00+07:00 --json

    Exit code 0: done, or nothing to do; 3: with --dry-run, there is something to do; 1: something could not be brought
    together, and is named; 66: no such mailbox; 69: the agency's program is connected.
    """
    mailbox = canonical(code)
    since = None if notices_since is None else moment(notices_since)
    looked, done = asyncio.run(_rebuild(Settings.load(), mailbox, since, dry_run=dry_run))
    show(looked, done, as_json=as_json)
    end(looked.plan, to_do=dry_run and not looked.plan.empty)


async def _rebuild(
    settings: Settings, mailbox: str, notices_since: dt.datetime | None, *, dry_run: bool
) -> tuple[Looked, dict[str, int] | None]:
    async with opened(settings) as sides:
        await _check(sides, mailbox)
        looked = await look_into(sides, mailbox, notices_since, progress)
        if dry_run:
            return looked, None
        carrier = Carrier(sides, looked.plan, progress)
        finished = False
        try:
            await carrier.run()
            finished = True
        finally:
            detail = {**plain(looked, gaps=KEPT), "done": carrier.done, "finished": finished}
            await sides.store.audit(getpass.getuser(), "mailbox.rebuild", mailbox, detail)
    return looked, carrier.done


async def _check(sides: Sides, mailbox: str) -> None:
    if not sides.directory.has_mailbox(mailbox, sides.desk.now()):
        raise NotFound(f"{mailbox} has no mailbox", code="recipient/no-mailbox")
    states = await sides.link.queue_states(queues_of(mailbox))
    if used := sorted(queue for queue, state in states.items() if state is not None and state.consumers):
        raise InUse(f"somebody consumes {', '.join(used)}: what is in hand there cannot be seen")
