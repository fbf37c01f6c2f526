"""`axis certificate suspects`: what has to be looked at again when a key was in other hands."""

import asyncio
import datetime as dt
from typing import Annotated

import typer

from axis.cli.certificate.opening import ThumbprintArgument, find, opened
from axis.cli.console import JsonOption, local_time, print_json, print_table, say
from axis.cli.moments import moment
from axis.core.enrolment import Enrolment
from axis.settings import Settings
from axis.store import Signed
from axis.trust import is_second


def suspects(
    thumbprint: ThumbprintArgument,
    *,
    since: Annotated[
        dt.datetime | None,
        typer.Option(
            "--since",
            parser=moment,
            metavar="WHEN",
            help="Default: since when the revocation says its signatures are in doubt.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the envelopes and statuses taken under a certificate since its signatures are in doubt.

    By the axis's own clock, not by what the messages say: whoever has the key writes any time into them. Each envelope
    shows on what evidence its signer was believed, and how old that was.

    For example:

      axis certificate suspects 3q2-7w…

      axis certificate suspects 3q2-7w… --since 2026-11-01 --json

    Exit code 66 when there is no such certificate. The list may be empty.
    """
    certificate, doubt, found = asyncio.run(_find(thumbprint, since))
    rows = [_row(each, certificate) for each in found]
    # Messages are kept under the first certificate, and nobody speaks with the second key alone.
    note = (
        f"it makes second signatures: what {certificate.organisation} said stands by its first key; list that one's"
        if is_second(certificate)
        else None
    )
    if as_json:
        told = {"thumbprint": thumbprint, "organisation": certificate.organisation, "since": doubt, "suspects": rows}
        print_json(told if note is None else told | {"note": note})
        return
    if note is not None:
        say(note)
        return
    if not found:
        say(f"nothing was taken under {thumbprint} since {local_time(doubt)}")
        return
    print_table(
        ("kind", "id", "taken", "said by", "about", "evidence"),
        [(each.kind, each.id, each.at, each.said_by, each.about, _evidence(each)) for each in found],
    )
    envelopes = sum(each.kind == "envelope" for each in found)
    say(f"{envelopes} envelopes and {len(found) - envelopes} statuses since {local_time(doubt)}")


async def _find(thumbprint: str, since: dt.datetime | None) -> tuple[Enrolment, dt.datetime, list[Signed]]:
    settings = Settings.load()
    async with opened(settings) as store:
        certificate = await find(store, thumbprint)
        doubt = since or certificate.invalid_since or certificate.revoked_at
        if doubt is None:
            raise typer.BadParameter(f"{thumbprint} is not revoked: say --since when it is in doubt")
        # An id may have been made so long before it was taken.
        made_since = doubt - dt.timedelta(days=settings.id_past_days)
        found = [
            each
            async for page in store.proofs.signed(thumbprint, made_since=made_since)
            for each in page
            if each.at >= doubt
        ]
    return certificate, doubt, sorted(found, key=lambda each: (each.at, each.id))


def _row(each: Signed, certificate: Enrolment) -> dict[str, object]:
    row: dict[str, object] = {
        "kind": each.kind,
        "id": each.id,
        "at": each.at,
        "said_by": each.said_by,
        "account": each.account,
        "document_id" if each.kind == "envelope" else "envelope": each.about,
    }
    if certificate.revoked_at is not None:
        row["after_revocation"] = each.at >= certificate.revoked_at
    if each.proof is not None:
        row["evidence"] = {
            "id": each.proof.id,
            "as_of": each.proof.as_of,
            "age_seconds": round((each.at - each.proof.as_of).total_seconds()),
            "standing": each.proof.standing(each.at),
        }
    return row


def _evidence(each: Signed) -> str | None:
    if each.proof is None:
        return None
    hours = (each.at - each.proof.as_of).total_seconds() / 3600
    return f"{each.proof.standing(each.at).value}, {hours:.1f} h old"
