"""`axis partner rotate`, `close` and `remove`."""

import asyncio
import datetime as dt
import getpass
from dataclasses import replace
from typing import Annotated

import typer

from axis.cli import moments
from axis.cli.console import JsonOption, print_json, say
from axis.cli.partner.looking import one_of
from axis.cli.partner.system import SystemArgument
from axis.errors import NotFound
from axis.gateway.desk import Secrets, check_system_id
from axis.settings import Settings
from axis.store import Store


def rotate_command(
    system: SystemArgument,
    *,
    overlap: Annotated[float, typer.Option(min=0, metavar="HOURS", help="How long the old one counts yet.")] = 24.0,
    as_json: JsonOption = False,
) -> None:
    """Give a system another secret; it is printed once. Run it on the gateway's machine.

    For example:

      axis partner rotate 00.37.W00

      axis partner rotate 00.37.W00 --overlap 0

    Exit code 0: done; 66: there is no such partner; 78: its secret is provided from elsewhere.
    """
    system_id, now = check_system_id(system), moments.now()
    secret = asyncio.run(_rotate(Settings.load(), system_id, dt.timedelta(hours=overlap), now))
    if as_json:
        print_json({"system": system_id, "secret": secret})
        return
    say(f"secret: {secret}")
    say(f"it is not shown again; the old one {f'counts for {overlap:g} hours yet' if overlap else 'has ended'}")


def remove_command(system: SystemArgument, *, as_json: JsonOption = False) -> None:
    """Serve a system no more. What lies ready for it stays in the store, and so does what it sent.

    Its agencies' mailboxes are read no more by the gateway; revoke the gateway's certificates for them
    (`axis certificate revoke`) where it is not to sign for them again.

    For example:

      axis partner remove 00.37.W00

    Exit code 0: done; 66: there is no such partner.
    """
    system_id, now = check_system_id(system), moments.now()
    asyncio.run(_remove(Settings.load(), system_id, now))
    if as_json:
        print_json({"system": system_id, "ended_at": now})
    else:
        say(f"{system_id} is served no more")


def close_command(
    wish: Annotated[str, typer.Argument(metavar="WISH", help="Its id, from `axis partner show`.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Close a wish that a system made (registerAgency, deleteAgency), granted or not.

    Granting it is `axis agency add` or `axis partner add` with the new codes.

    For example:

      axis partner close 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11

    Exit code 0: closed; 66: no such wish is open.
    """
    asyncio.run(_close(Settings.load(), wish.strip().lower(), moments.now()))
    if as_json:
        print_json({"closed": wish})
    else:
        say("closed")


async def _rotate(settings: Settings, system_id: str, overlap: dt.timedelta, now: dt.datetime) -> str:
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        await one_of(store, system_id)
        secret = Secrets(settings.home, settings.partner_secrets).make(system_id, now, overlap=overlap)
        await store.audit(
            getpass.getuser(), "partner.rotate", system_id, {"overlap_hours": overlap / dt.timedelta(hours=1)}
        )
    return secret


async def _remove(settings: Settings, system_id: str, now: dt.datetime) -> None:
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        partner = await one_of(store, system_id)
        await store.partners.put(replace(partner, ended_at=now))
        Secrets(settings.home, settings.partner_secrets).remove(system_id)
        await store.audit(getpass.getuser(), "partner.remove", system_id, {"codes": dict(partner.codes)})


async def _close(settings: Settings, wish: str, now: dt.datetime) -> None:
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        found = [each for each in await store.partners.applications(None, 10_000) if each.id == wish]
        if not found or not await store.partners.close_application(wish, now):
            raise NotFound(f"no wish {wish} is open", code="partner/unknown")
        await store.audit(getpass.getuser(), "partner.close", wish, {"wish": found[0].wish, "code": found[0].code})
