"""`axis certificate retire|revoke`: the end of a certificate."""

import asyncio
import datetime as dt
import getpass
from typing import Annotated

import typer

from axis.cli.certificate.opening import ThumbprintArgument, find, opened
from axis.cli.console import JsonOption, local_time, print_json, say
from axis.cli.moments import moment, now
from axis.core.enrolment import Enrolment
from axis.errors import Malformed
from axis.settings import Settings
from axis.trust import is_second


def retire(
    thumbprint: ThumbprintArgument,
    *,
    at: Annotated[
        dt.datetime | None,
        typer.Option("--at", parser=moment, metavar="WHEN", help="From when on; default: now.", show_default=False),
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="Even if its organisation can sign with no other then.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="It counts again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Retire a certificate: nothing more that it signs is taken, and nothing it has signed is in doubt.

    A key that is lost or stolen is revoked instead.

    For example:

      axis certificate retire 3q2-7w…

      axis certificate retire 3q2-7w… --at 2027-01-01

    Exit code 65 when its organisation could not sign any more; 66 when there is no such certificate.
    """
    if undo and at is not None:
        raise typer.BadParameter("either --at or --undo")
    when = None if undo else at or now()
    asyncio.run(_retire(thumbprint, when, last=last))
    if as_json:
        print_json({"thumbprint": thumbprint, "retired_at": when})
    else:
        say(f"{thumbprint} counts again" if when is None else f"{thumbprint} retired from {local_time(when)} on")


def revoke(
    thumbprint: ThumbprintArgument,
    *,
    since: Annotated[
        dt.datetime | None,
        typer.Option(
            "--since",
            parser=moment,
            metavar="WHEN",
            help="Since when its key may be in other hands; default: now.",
            show_default=False,
        ),
    ] = None,
    why: Annotated[
        str | None, typer.Option("--why", metavar="TEXT", help="Kept for the auditor.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a certificate: nothing it signs is taken from now on, within a second on every worker.

    What it signed since then is listed by `axis certificate suspects`. A revocation is not taken back.

    For example:

      axis certificate revoke 3q2-7w…

      axis certificate revoke 3q2-7w… --since "2026-11-20T08:00+07:00" --why "mất thiết bị lưu khóa"

    Exit code 66 when there is no such certificate.
    """
    at = now()
    if since is not None and since > at:
        raise typer.BadParameter("--since lies in the future")
    asyncio.run(_revoke(thumbprint, at, since or at, why))
    if as_json:
        print_json({"thumbprint": thumbprint, "revoked_at": at, "invalid_since": since or at})
    else:
        say(f"{thumbprint} revoked")
        if since is not None:
            say(f"what it signed since {local_time(since)}: axis certificate suspects {thumbprint}")


async def _retire(thumbprint: str, at: dt.datetime | None, *, last: bool) -> None:
    async with opened(Settings.load()) as store:
        certificate = await find(store, thumbprint)
        _, _, enrolled = await store.directory.load()
        if at is not None and not last and not any(_stands_in(each, certificate, at) for each in enrolled):
            told = f"{certificate.organisation} would have no certificate to sign with at {local_time(at)}"
            raise Malformed(told, code="certificate/last")
        await store.directory.retire(thumbprint, at)
        detail = {"organisation": certificate.organisation, "at": None if at is None else at.isoformat()}
        await store.audit(getpass.getuser(), "certificate.retire", thumbprint, detail)


async def _revoke(thumbprint: str, at: dt.datetime, since: dt.datetime, why: str | None) -> None:
    async with opened(Settings.load()) as store:
        await store.directory.revoke(thumbprint, at, invalid_since=since, why=why)
        detail = {"at": at.isoformat(), "invalid_since": since.isoformat(), "why": why}
        await store.audit(getpass.getuser(), "certificate.revoke", thumbprint, detail)


def _stands_in(other: Enrolment, certificate: Enrolment, at: dt.datetime) -> bool:
    same = (other.organisation, other.role) == (certificate.organisation, certificate.role)
    same = same and is_second(other) == is_second(certificate)  # neither key of a hybrid replaces the other
    return same and other.thumbprint != certificate.thumbprint and other.not_before <= at < other.until
