"""`axis changes`: what changed for an agency, as the gateway tells it."""

import asyncio
from contextlib import aclosing
from typing import Annotated

import orjson
import typer

from axis.cli import moments
from axis.cli.console import JsonOption, local_time, say
from axis.cli.profiles import AsOption, ProfileOption, load_profile
from axis.client import AgencySettings
from axis.client.asking import Change
from axis.client.asking import changes as asked
from axis.client.gateway import Gateway


def changes(
    agency: AsOption,
    *,
    after: Annotated[
        int | None,
        typer.Option(min=0, help="Behind this number; default: all that is kept.", show_default=False),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for what comes, until Ctrl-C.")] = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changed for an agency: accepted, delivered, held, statuses, conversations, what is late.

    Each has a number: go on behind the last one the next time. With --json each is one line.

    For example:

      axis changes --as H37

      axis changes --as H37 --after 1250 --follow --json

    Exit code 0: that was all; 65: what came behind the number is not kept any more; 69: the gateway is away.
    """
    asyncio.run(_show(load_profile(agency, profile), after, follow=follow, as_json=as_json))


async def _show(settings: AgencySettings, after: int | None, *, follow: bool, as_json: bool) -> None:
    async with (
        Gateway(
            settings.gateway_url,
            code=settings.code,
            key=settings.key,
            now=moments.now,
            deadline=settings.deadline,
            verify=settings.tls.context(),
        ) as gateway,
        aclosing(asked(gateway, after, follow=follow)) as found,
    ):
        count = 0
        async for each in found:
            count += 1
            _tell(each, as_json=as_json)
        if not count and not as_json:
            say("nothing changed")


def _tell(change: Change, *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(change).decode())  # one line each, as it comes
        return
    at_whom = "" if change.recipient is None else f" {change.recipient}"
    code = "" if change.code is None else f" {change.code}"
    say(f"{change.seq} {local_time(change.at)} {change.envelope}{at_whom}: {change.kind}{code}")
