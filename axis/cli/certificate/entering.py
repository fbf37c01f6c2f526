"""`axis certificate request|enrol|succeed`: into the life of a certificate."""

import asyncio
import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.admitting import ConfirmIssuer, ConfirmOrganisation, admission
from axis.cli.certificate.opening import (
    Demonstration,
    FileArgument,
    ThumbprintArgument,
    content,
    find,
    opened,
    plain,
    role_of,
)
from axis.cli.console import JsonOption, local_time, print_json, say
from axis.cli.creating import create
from axis.cli.moments import now
from axis.core.codes import canonical
from axis.core.enrolment import Enrolment, State
from axis.errors import Malformed
from axis.evidence import Admitted
from axis.settings import Settings
from axis.trust import is_second
from axis.trust.enrolling import Confirmation
from axis.trust.requesting import request as requested
from schemas import CertificateRole

_STILL_SIGNS = frozenset({State.VALID, State.UNPROVEN})


def request(
    key: Annotated[Path, typer.Argument(metavar="KEY", help="As `axis key new` made it.", show_default=False)],
    organisation: Annotated[str, typer.Option("--for", metavar="CODE", help="Whose key it is.", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="The organisation's name.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="Where to write the request; never overwrites.", show_default=False),
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Write a request (PKCS #10, PEM) for an authority to certify a key; the key itself stays where it is.

    The request names the code as serialNumber: an authority that keeps it makes certificates the axis recognises.
    Nothing is overwritten: FILE must not exist yet.

    For example:

      axis certificate request h37.key.pem --for H37 --name "UBND tỉnh Lạng Sơn" --out h37.csr.pem
    """
    code = canonical(organisation)
    create(out, requested(content(key), code, name), mode=0o644)
    if as_json:
        print_json({"file": out, "organisation": code})
    else:
        say(f"{out}: send it to your authority; then: axis certificate enrol CERTIFICATE --for {code}")


def enrol(
    certificate: FileArgument,
    organisation: Annotated[
        str, typer.Option("--for", metavar="CODE", help="Whom it may sign for.", show_default=False)
    ],
    *,
    gateway: Annotated[bool, typer.Option("--gateway", help="A gateway that signs for the organisation.")] = False,
    sealing: Annotated[
        bool, typer.Option("--sealing", help="For sealing: documents are encrypted for it, and it signs nothing.")
    ] = False,
    axis: Annotated[
        bool, typer.Option("--axis", help="The axis's own: it signs receipts, and no document or status.")
    ] = False,
    confirm_issuer: ConfirmIssuer = None,
    confirm_organisation: ConfirmOrganisation = None,
    demonstration: Demonstration = False,
    as_json: JsonOption = False,
) -> None:
    """Enrol a certificate: from now on its key may sign for the organisation and every unit below it.

    With --sealing documents may be sealed for it instead, from the moment it is enrolled: put its private key into the
    folder `sealing` of the agency's profile before. Such a key is one of its own, P-256 or RSA, and its certificate's
    key usage is keyAgreement or keyEncipherment without signatures.

    It has to lead to a trusted root (AXIS_TRUST_FOLDER), to say the organisation's code in its subject, and not to be
    revoked. An authority that does not answer now is asked again by the relay.

    For example:

      axis certificate enrol h37.certificate.pem --for H37

      axis certificate enrol h37.sealing.certificate.pem --for H37 --sealing

      axis certificate enrol axis-2027.pem --for W00 --axis

      axis certificate enrol stc.pem --for H37.05 --confirm-organisation "công văn 12/STC-VP, đối chiếu 24/11/2026"

    Exit code 65 when it cannot be used, with its code and why.
    """
    pem, code = content(certificate), canonical(organisation)
    confirmed = Confirmation(confirm_issuer, confirm_organisation)
    role = role_of(gateway=gateway, sealing=sealing, axis=axis)
    admitted = asyncio.run(_enrol(pem, code, role, confirmed, demonstration=demonstration))
    _tell(admitted, as_json=as_json)


def succeed(
    certificate: FileArgument,
    predecessor: ThumbprintArgument,
    *,
    overlap_days: Annotated[
        int, typer.Option("--overlap-days", min=0, max=366, help="How long the old one still counts beside it.")
    ] = 30,
    confirm_issuer: ConfirmIssuer = None,
    confirm_organisation: ConfirmOrganisation = None,
    demonstration: Demonstration = False,
    as_json: JsonOption = False,
) -> None:
    """Enrol the successor of a certificate: both count for a while, then the old one is retired by itself.

    So the agency changes its key whenever it likes within that time, and nothing it has on its way is refused.

    For example:

      axis certificate succeed h37-2027.pem 3q2-7w…

      axis certificate succeed h37-2027.pem 3q2-7w… --overlap-days 14 --json

    Exit code 65 when it cannot be used; 66 when there is no such predecessor.
    """
    pem = content(certificate)
    confirmed = Confirmation(confirm_issuer, confirm_organisation)
    overlap = dt.timedelta(days=overlap_days)
    admitted, ends = asyncio.run(_succeed(pem, predecessor, overlap, confirmed, demonstration=demonstration))
    _tell(admitted, as_json=as_json, predecessor_until=ends)


def _tell(admitted: Admitted, *, as_json: bool, predecessor_until: dt.datetime | None = None) -> None:
    record = admitted.enrolment
    if as_json:
        until = {} if predecessor_until is None else {"predecessor_until": predecessor_until.isoformat()}
        doubt = {} if admitted.doubt is None else {"doubt": admitted.doubt}
        print_json({**plain(record), **until, **doubt})
        return
    say(f"{record.organisation}: {record.subject} enrolled until {record.not_after:%Y-%m-%d}, {record.thumbprint}")
    if predecessor_until is not None:
        say(f"its predecessor {record.predecessor} counts until {local_time(predecessor_until)}")
    if admitted.doubt is not None:
        say(f"nobody has shown yet that it is not revoked: {admitted.doubt}")
        say(f"it counts until {local_time(record.trusted_until)} unless somebody does; the relay goes on asking")


async def _enrol(
    pem: bytes, code: str, role: CertificateRole, confirmed: Confirmation, *, demonstration: bool
) -> Admitted:
    settings = Settings.load()
    async with opened(settings) as store, admission(settings, store) as desk:
        admitted = await desk.admit(pem, code, role, now(), confirmed=confirmed, demonstration=demonstration)
        record = await desk.keep(admitted)
        await store.audit(getpass.getuser(), "certificate.enrol", record.organisation, _audited(record))
    return admitted


async def _succeed(
    pem: bytes, predecessor: str, overlap: dt.timedelta, confirmed: Confirmation, *, demonstration: bool
) -> tuple[Admitted, dt.datetime]:
    settings, at = Settings.load(), now()
    async with opened(settings) as store, admission(settings, store) as desk:
        old = await find(store, predecessor)
        if old.role == "axis":
            raise Malformed(
                "agencies pin the axis's own: `axis certificate enrol … --axis`, then docs/runbooks/keys.md",
                code="certificate/successor",
            )
        if old.state(at) not in _STILL_SIGNS:
            raise Malformed(f"{predecessor} is {old.state(at).value}", code="certificate/successor")
        admitted = await desk.admit(
            pem, old.organisation, old.role, at, confirmed=confirmed, demonstration=demonstration
        )
        if admitted.enrolment.thumbprint == old.thumbprint:
            raise Malformed("it is the same certificate", code="certificate/successor")
        if is_second(admitted.enrolment) != is_second(old):
            told = "a key for second signatures (ML-DSA-65) stands beside the other one: `axis certificate enrol`"
            raise Malformed(told, code="certificate/successor")
        ends = min(each for each in (at + overlap, old.not_after, old.retired_at) if each is not None)
        # The new one first: should this end in between, the old one only lasts longer.
        record = await desk.keep(admitted, predecessor=old.thumbprint)
        await store.directory.retire(old.thumbprint, ends)
        detail = {**_audited(record), "predecessor": old.thumbprint, "predecessor_until": ends.isoformat()}
        await store.audit(getpass.getuser(), "certificate.succeed", record.organisation, detail)
    return Admitted(record, admitted.evidence, admitted.doubt), ends


def _audited(record: Enrolment) -> dict[str, object]:
    return {
        "thumbprint": record.thumbprint,
        "role": record.role,
        "subject": record.subject,
        "anchor": record.anchor,
        "matched": record.matched,
    }
