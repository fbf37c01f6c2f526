"""`axis agency limit`: how much of what all agencies share one of them may take."""

import asyncio
import datetime as dt
import getpass
from typing import Annotated

import typer

from axis.cli.accounts import apply_topology
from axis.cli.console import JsonOption, print_json, print_table, say
from axis.core.codes import canonical
from axis.core.directory import Directory
from axis.errors import NotFound
from axis.settings import Settings
from axis.store import Store
from schemas import Mailbox, Quota

DEFAULT = "default"
_MOST = 2**62  # as schemas.Quota has it
_AT_THE_BROKER = frozenset({"connections", "channels"})


def limit(
    code: Annotated[str, typer.Argument(help="Identifier code, either form: H37.05 or 000.00.05.H37.")],
    *,
    messages_per_minute: Annotated[
        str | None, typer.Option(metavar="N", help="For each lane, and for statuses.", show_default=False)
    ] = None,
    bytes_per_minute: Annotated[
        str | None, typer.Option(metavar="N", help="Of their bodies, likewise.", show_default=False)
    ] = None,
    uploads_per_day: Annotated[
        str | None, typer.Option(metavar="N", help="Files brought to the gateway.", show_default=False)
    ] = None,
    upload_bytes_per_day: Annotated[
        str | None, typer.Option(metavar="N", help="Bytes of them.", show_default=False)
    ] = None,
    connections: Annotated[
        str | None, typer.Option(metavar="N", help="At the broker, at once.", show_default=False)
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="N", help="Of all its connections, at once.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show or set the limits of an agency that has a mailbox.

    A number is its own limit, 0 is no limit, “default” is what AXIS_QUOTA says for all. What is over a limit is refused
    at once, with the time to send it again; the SDK does that by itself. Workers and gateway heed a change within a
    second, the broker at once.

    For example:

      axis agency limit H37

      axis agency limit H37 --messages-per-minute 600 --connections 20

      axis agency limit H37 --messages-per-minute default --json
    """
    given = {
        "messages_per_minute": messages_per_minute,
        "bytes_per_minute": bytes_per_minute,
        "uploads_per_day": uploads_per_day,
        "upload_bytes_per_day": upload_bytes_per_day,
        "connections": connections,
        "channels": channels,
    }
    changes = {name: _number(name, text) for name, text in given.items() if text is not None}
    settings = Settings.load()
    own = asyncio.run(_limit(settings, canonical(code), changes))
    held = own.or_else(settings.quota)
    if as_json:
        print_json({"code": canonical(code), "own": own.model_dump(), "holds": held.model_dump()})
        return
    rows = [(name, _told(own.model_dump()[name]), held.model_dump()[name] or "no limit") for name in Quota.model_fields]
    print_table(("limit", "its own", "holds"), rows)
    if changes:
        say(f"{canonical(code)}: {', '.join(changes)} changed")
    kept = [name for name, number in changes.items() if number is None and name in _AT_THE_BROKER]
    if kept and "quota" not in settings.model_fields_set:
        say(f"the broker keeps its limit of {' and '.join(kept)}: AXIS_QUOTA is not set here (0 takes it away)")


async def _limit(settings: Settings, code: str, changes: dict[str, int | None]) -> Quota:
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        mailbox = await _mailbox(store, code)
        quota = Quota(**{**mailbox.quota.model_dump(), **changes})
        if quota != mailbox.quota:
            await store.directory.put_mailbox(mailbox.model_copy(update={"quota": quota}))
            await store.audit(getpass.getuser(), "agency.limit", code, quota.model_dump())
        # Also when nothing was done: an earlier run may have ended between the store and the broker.
        if not _AT_THE_BROKER.isdisjoint(changes):
            await apply_topology(settings, store, progress=lambda _: None)
        return quota


async def _mailbox(store: Store, code: str) -> Mailbox:
    organisations, mailboxes, _ = await store.directory.load()
    found = Directory.build(organisations, mailboxes).mailbox(code, dt.datetime.now(dt.UTC))
    if found is None:
        raise NotFound(f"{code} has no mailbox, so it has no account to limit", code="recipient/no-mailbox")
    return found


def _number(name: str, text: str) -> int | None:
    if text == DEFAULT:
        return None
    if not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"--{name.replace('_', '-')} is a whole number, 0 for no limit, or “{DEFAULT}”")
    if len(text) > len(str(_MOST)) or int(text) > _MOST:
        raise typer.BadParameter(f"--{name.replace('_', '-')} is at most {_MOST}; 0 is no limit")
    return int(text)


def _told(own: int | None) -> str:
    return "no limit" if own == 0 else DEFAULT if own is None else str(own)
