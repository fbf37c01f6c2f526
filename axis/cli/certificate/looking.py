"""`axis certificate list|check|refresh`: how certificates stand."""

import asyncio
import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.admitting import ConfirmIssuer, ConfirmOrganisation, admission
from axis.cli.certificate.opening import (
    Demonstration,
    content,
    find,
    opened,
    plain,
    role_of,
)
from axis.cli.console import JsonOption, local_time, print_json, print_table, say
from axis.cli.moments import now
from axis.core.codes import canonical
from axis.core.enrolment import Enrolment
from axis.core.evidence import Answer, Proof, Standing
from axis.evidence import Admitted, Refresher, Swept, fetching
from axis.settings import Settings
from axis.trust.chains import Authorities
from axis.trust.enrolling import Confirmation
from schemas import CertificateRole


def list_command(
    *,
    organisation: Annotated[
        str | None, typer.Option("--for", metavar="CODE", help="Only of this organisation.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the certificates, those that end first on top.

    For example:

      axis certificate list --for H37

      axis certificate list --json
    """
    code = None if organisation is None else canonical(organisation)
    enrolled, proofs = asyncio.run(_all())
    records = sorted((each for each in enrolled if code in {None, each.organisation}), key=lambda each: each.until)
    at = now()
    if as_json:
        print_json({"certificates": [_shown(record, _proof(record, proofs), at) for record in records]})
        return
    print_table(
        ("organisation", "role", "state", "until", "evidence", "thumbprint", "subject"),
        [
            (r.organisation, r.role, r.state(at).value, r.until, _age(_proof(r, proofs), at), r.thumbprint, r.subject)
            for r in records
        ],
    )


def check(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CERTIFICATE|THUMBPRINT", help="A file, or an enrolled certificate.", show_default=False
        ),
    ],
    *,
    organisation: Annotated[
        str | None, typer.Option("--for", metavar="CODE", help="Of a file: whose it is to be.", show_default=False)
    ] = None,
    gateway: Annotated[bool, typer.Option("--gateway", help="Of a file: as one of a gateway.")] = False,
    sealing: Annotated[bool, typer.Option("--sealing", help="Of a file: as one for sealing.")] = False,
    confirm_issuer: ConfirmIssuer = None,
    confirm_organisation: ConfirmOrganisation = None,
    demonstration: Demonstration = False,
    as_json: JsonOption = False,
) -> None:
    """Look at a certificate without changing anything.

    A file: would it be enrolled? An enrolled one: where it is in its life, and what shows that it is not revoked.

    For example:

      axis certificate check h37.certificate.pem --for H37

      axis certificate check h37.sealing.certificate.pem --for H37 --sealing

      axis certificate check 3q2-7w… --json

    Exit code 65 when a file would be refused, with the code and why; 66 when there is no such file or certificate.
    """
    if organisation is not None:
        confirmed = Confirmation(confirm_issuer, confirm_organisation)
        admitted = asyncio.run(
            _would(
                content(Path(what)),
                canonical(organisation),
                role_of(gateway=gateway, sealing=sealing),
                confirmed,
                demonstration=demonstration,
            )
        )
        _tell_would(admitted, as_json=as_json)
        return
    if Path(what).is_file():
        raise typer.BadParameter("say whose it is to be: --for CODE")
    record, proof, answers = asyncio.run(_look(what))
    at = now()
    if as_json:
        shown = [{**_answer(each), "source": each.source} for each in answers]
        print_json({**_shown(record, proof, at), "answers": shown})
        return
    say(f"{record.organisation}: {record.subject}, {record.state(at).value}, until {local_time(record.until)}")
    chain = "not checked" if record.anchor is None else f"to root {record.anchor}"
    say(f"chain: {chain}; whose it is: {record.matched or 'not checked'}")
    if record.revocation is not None:
        say(f"revoked: {record.revocation}")
    if proof is None:
        say("nothing shows that it is not revoked: nobody is asked, or nobody has answered yet")
    else:
        say(f"not revoked: {_age(proof, at)}, good until {local_time(proof.good_until)}")
        print_table(("what", "from", "made", "good until"), [tuple(_answer(each).values()) for each in answers])


def refresh(*, as_json: JsonOption = False) -> None:
    """Ask now whether the enrolled certificates are revoked, as the relay does every AXIS_EVIDENCE_MINUTES.

    For example:

      axis certificate refresh

      axis certificate refresh --json

    Exit code 0: everything that can be asked about was answered; 1: something was not, and each says why.
    """
    swept = asyncio.run(_refresh())
    if as_json:
        print_json(swept)
    else:
        for thumbprint in swept.revoked:
            say(f"{thumbprint} is revoked: axis certificate suspects {thumbprint}")
        for thumbprint, why in swept.unproven.items():
            say(f"{thumbprint}: {why}")
        say(
            f"{len(swept.proved)} are shown not to be revoked, {len(swept.revoked)} are revoked, {len(swept.unproven)} "
            f"could not be asked about, of {len(swept.not_asked)} nobody is asked"
        )
    if swept.unproven:
        raise typer.Exit(1)


async def _all() -> tuple[list[Enrolment], dict[int, Proof]]:
    async with opened(Settings.load()) as store:
        _, _, enrolled = await store.directory.load()
        return enrolled, await store.proofs.proofs([each.evidence for each in enrolled if each.evidence is not None])


async def _would(
    pem: bytes, code: str, role: CertificateRole, confirmed: Confirmation, *, demonstration: bool
) -> Admitted:
    settings = Settings.load()
    async with opened(settings) as store, admission(settings, store) as desk:
        return await desk.admit(pem, code, role, now(), confirmed=confirmed, demonstration=demonstration)


async def _look(thumbprint: str) -> tuple[Enrolment, Proof | None, list[Answer]]:
    async with opened(Settings.load()) as store:
        record = await find(store, thumbprint)
        if record.evidence is None:
            return record, None, []
        proofs = await store.proofs.proofs([record.evidence])
        return record, proofs.get(record.evidence), await store.proofs.answers(record.evidence)


async def _refresh() -> Swept:
    settings = Settings.load()
    async with opened(settings) as store, fetching(settings.evidence_hosts) as fetch:
        refresher = Refresher(
            store=store,
            authorities=lambda: Authorities.load(settings.trusted),
            fetch=fetch,
            policy=settings.grace,
            now=now,
            actor=getpass.getuser(),
        )
        return await refresher.sweep()


def _tell_would(admitted: Admitted, *, as_json: bool) -> None:
    record = admitted.enrolment
    if as_json:
        print_json({**plain(record), "doubt": admitted.doubt, "not_revoked": admitted.evidence is not None})
        return
    say(f"{record.organisation}: {record.subject} would be enrolled until {record.not_after:%Y-%m-%d}")
    chain = "none" if record.anchor is None else f"to root {record.anchor}"
    say(f"chain: {chain}; whose it is: {record.matched}")
    if admitted.doubt is not None:
        say(f"nobody shows now that it is not revoked: {admitted.doubt}")


def _shown(record: Enrolment, proof: Proof | None, at: dt.datetime) -> dict[str, object]:
    shown = {**plain(record), "state": record.state(at), "until": record.until, "standing": Standing.NONE}
    if proof is not None:
        age = round((at - proof.as_of).total_seconds())
        told = {"id": proof.id, "as_of": proof.as_of, "good_until": proof.good_until, "age_seconds": age}
        shown |= {"standing": proof.standing(at), "evidence": told}
    return shown


def _proof(record: Enrolment, proofs: dict[int, Proof]) -> Proof | None:
    return None if record.evidence is None else proofs.get(record.evidence)


def _age(proof: Proof | None, at: dt.datetime) -> str | None:
    if proof is None:
        return None
    return f"{proof.standing(at).value}, {(at - proof.as_of).total_seconds() / 3600:.1f} h old"


def _answer(answer: Answer) -> dict[str, object]:
    address = answer.source.partition(" ")[0]
    return {"kind": answer.kind, "url": address, "made": answer.this_update, "good_until": answer.next_update}
