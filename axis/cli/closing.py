"""`axis agency close`: take an agency's mailbox and account away."""

import asyncio
import getpass
from typing import Annotated, Any

import typer

from axis.broker import Link
from axis.cli.accounts import apply_topology
from axis.cli.console import JsonOption, print_json, say
from axis.cli.moments import now
from axis.core.codes import canonical
from axis.core.directory import Directory
from axis.core.lanes import LANES, mailbox_queue, notices_queue
from axis.core.resolving import resolve
from axis.errors import Malformed, NotFound
from axis.settings import Settings
from axis.store import Store


def close(
    code: Annotated[
        str, typer.Argument(help="Identifier code, either form: H37.05 or 000.00.05.H37.", show_default=False)
    ],
    *,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept for the auditor.", show_default=False)],
    yes: Annotated[
        bool, typer.Option("--yes", help="Even if documents wait in its mailbox, or nobody above it has one.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Close an agency's mailbox: its account at the broker ends at once, and with it every connection it has.

    The organisation stays in the directory. Documents for it go to the nearest mailbox above it from now on; without
    one they are refused. What waits in its queues stays there for when it comes back (`axis agency add CODE
    --new-password`), and the store has all of it. Its certificates for signing are another matter: `axis certificate
    revoke`.

    For example:

      axis agency close H37.05 --why "sáp nhập vào H37.02"

      axis agency close G17 --why "tài khoản bị lộ" --yes --json

    Exit code 65: documents wait, or nobody would get its documents, and --yes was not given; 66: it has no mailbox.
    """
    known = canonical(code)
    if not why.strip():
        raise typer.BadParameter("--why says nothing")
    told = asyncio.run(_close(Settings.load(), known, why, sure=yes))
    if as_json:
        print_json(told)
        return
    say(f"{known} is closed: its account is gone")
    say(f"documents for it go to {told['mailbox']} now" if told["mailbox"] else "documents for it are refused now")
    if told["waiting"]:
        say(f"{told['waiting']} messages wait in its queues, and stay there")


async def _close(settings: Settings, code: str, why: str, *, sure: bool) -> dict[str, Any]:
    at = now()
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        organisations, mailboxes, _ = await store.directory.load()
        open_now = Directory.build(organisations, mailboxes).mailbox(code, at)
        if open_now is None:
            # An earlier run may have ended between the store and the broker.
            await apply_topology(settings, store, progress=lambda _: None)
            raise NotFound(f"{code} has no mailbox", code="recipient/no-mailbox")
        # Every period that is in force ends, or the one before would open again under its old password.
        ended = [
            each.model_copy(update={"valid_to": at})
            if each.code == code and each.valid_from <= at and (each.valid_to is None or at < each.valid_to)
            else each
            for each in mailboxes
        ]
        without = Directory.build(organisations, ended)
        successor = resolve(without, code, at).mailbox
        waiting = await _waiting(settings, code)
        if not sure:
            _ask(code, successor, waiting)
        for each, before in zip(ended, mailboxes, strict=True):
            if each != before:
                await store.directory.put_mailbox(each)
        await store.audit(getpass.getuser(), "agency.close", code, {"why": why, "waiting": waiting})
        await apply_topology(settings, store, progress=lambda _: None)
    return {"code": code, "closed_at": at, "mailbox": successor, "waiting": waiting}


def _ask(code: str, successor: str | None, waiting: int) -> None:
    if waiting:
        raise Malformed(
            f"{waiting} messages wait in the queues of {code}: let it take them first, or --yes", code="agency/waiting"
        )
    if successor is None:
        raise Malformed(
            f"nobody above {code} has a mailbox: documents for it would be refused; --yes if so", code="agency/last"
        )


async def _waiting(settings: Settings, code: str) -> int:
    queues = [*(mailbox_queue(lane, code) for lane in LANES), notices_queue(code)]
    async with Link(settings.worker_url, "axis cli") as link:
        states = await link.queue_states(queues)
    return sum(state.messages for state in states.values() if state is not None)
