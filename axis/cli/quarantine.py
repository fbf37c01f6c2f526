"""`axis quarantine`: messages that could not be read or attributed."""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from axis.cli.console import JsonOption, local_time, print_json, print_table, printable, say, say_reasons, utc_time
from axis.cli.moments import moment
from axis.cli.quarantine_acting import check, drop_command, requeue_command
from axis.core.ids import is_id
from axis.errors import AxisError
from axis.evidence.quarantined import one
from axis.settings import Settings
from axis.store import Departure, Quarantined, Store

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Messages that could not be read or attributed.")

_SHOWN_CHARACTERS = 4_000
_CANNOT_CREATE = 73  # EX_CANTCREAT


@app.callback()
def _group() -> None:
    """Messages that could not be read or attributed."""


@app.command("list")
def list_command(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    reason: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Only for this reason, such as signature/invalid.", show_default=False),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="TIME[,ID]",
            help="Only what was last seen before; with the id of a line it goes on behind that one.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is in quarantine, last seen first. The same bytes of one account for one reason are one line.

    For example:

      axis quarantine list

      axis quarantine list --reason signature/invalid --json

    What was set aside at one moment is told apart by the id, so a list that goes on where the last one ended (it says
    how; "next" in JSON, null at the end) leaves nothing out and shows nothing twice.

    Exit code 0, also when there is nothing.
    """
    listed = asyncio.run(_list(limit + 1, reason, *(None, None) if before is None else _place(before)))
    found = listed[:limit]
    following = f"{utc_time(found[-1].last_seen_at)},{found[-1].id}" if len(listed) > limit else None
    if as_json:
        print_json({"quarantined": [_plain(each) for each in found], "next": following})
        return
    columns = ("id", "last seen", "times", "account", "source", "bytes", "reason", "detail")
    rows = [(q.id, q.last_seen_at, q.count, q.account, q.source, q.size, q.reason, q.detail[:100]) for q in found]
    if rows:
        print_table(columns, rows)
    if following is None:
        say(f"{len(found) or 'nothing'} {'in quarantine' if before is None else 'more'}")
    else:
        say(f"{len(found)} in quarantine, and there are more: --before {following}")


@app.command("show")
def show_command(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="From the list.", show_default=False)],
    *,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the exact bytes to a new file.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one message in quarantine: why it is there, its headers, and its bytes as far as they can be printed.

    For example:

      axis quarantine show 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11

      axis quarantine show ID --save suspicious.bin

    Exit code 0; 66: there is no such message; 73: the file exists or cannot be made.
    """
    found, departures = asyncio.run(_one(identifier.strip().lower()))
    if save is not None:
        _save(found.body, save)
    if as_json:
        body = found.body.decode(errors="replace")
        told = {"headers": found.headers, "departures": departures, "body": body, "saved": save}
        print_json({**_plain(found), "is_in": found.is_in, **told})
        return
    _tell(found, departures)
    if save is not None:
        say(f"saved {save}: do not open it with the program it was made for")


app.command("check")(check)
app.command("requeue")(requeue_command)
app.command("drop")(drop_command)


def _place(before: str) -> tuple[dt.datetime, str | None]:
    time, comma, identifier = before.partition(",")
    behind = identifier.strip().lower()
    if comma and not is_id(behind):
        raise typer.BadParameter(f"{identifier!r} is no id of a message: write TIME,ID as the list says")
    return moment(time), behind or None


async def _list(
    limit: int, reason: str | None, before: dt.datetime | None, behind: str | None
) -> tuple[Quarantined, ...]:
    async with Store.connect(Settings.load().operator_database, name="axis cli") as store:
        return await store.quarantined(limit, reason=reason, before=before, behind=behind)


async def _one(identifier: str) -> tuple[Quarantined, tuple[Departure, ...]]:
    async with Store.connect(Settings.load().operator_database, name="axis cli") as store:
        found = await one(store, identifier)
        return found, await store.quarantines.departures(found.id)


def _tell(found: Quarantined, departures: Iterable[Departure]) -> None:
    lines = [
        ("id", found.id),
        ("reason", found.reason),
        ("detail", found.detail),
        ("account", found.account or "none proved"),
        ("came to", found.source),
        ("message id", found.message_id or ""),
        ("first seen", local_time(found.received_at)),
        ("last seen", f"{local_time(found.last_seen_at)}, {found.count} times in all"),
        ("size", f"{found.size} bytes" + ("" if len(found.body) == found.size else f", {len(found.body)} kept")),
        ("sha256", found.sha256),
        *((f"header {name}", value) for name, value in found.headers.items()),
        *((each.how, f"{local_time(each.at)} by {each.actor}: {each.why}") for each in departures),
        (
            "",
            ""
            if found.is_in
            else "it is not in quarantine any more; what would happen to it now: axis quarantine check",
        ),
    ]
    for label, value in lines:
        if value:
            say(f"{label:<11} {value}")
    say_reasons([found.reason])
    text = found.body[: _SHOWN_CHARACTERS * 4].decode(errors="replace")
    say("")
    say(printable(text[:_SHOWN_CHARACTERS]) + (" …" if len(text) > _SHOWN_CHARACTERS else ""))


def _plain(found: Quarantined) -> dict[str, Any]:
    plain = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return {name: value for name, value in plain.items() if name not in {"body", "headers"}}


def _save(body: bytes, path: Path) -> None:
    try:
        with path.open("xb") as file:
            file.write(body)
    except OSError as error:
        failure = AxisError(f"{path}: {error.strerror}", code="file/not-created")
        failure.exit_code = _CANNOT_CREATE
        raise failure from error
