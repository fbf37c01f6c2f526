"""`axis key`: keys and certificates."""

import asyncio
import datetime as dt
import getpass
import os
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.console import JsonOption, print_json, print_table, say
from axis.cli.key_check import check
from axis.core.codes import canonical
from axis.errors import AxisError, NotFound
from axis.settings import Settings
from axis.store import Store
from axis.trust import enrol as enrolled
from axis.trust import new_key
from axis.trust.sealing_usage import check_apart
from schemas import Certificate, CertificateRole

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys, and the certificates enrolled for them.")

_CANNOT_CREATE = 73  # EX_CANTCREAT


class Kind(StrEnum):
    """Kinds of keys."""

    ED25519 = "ed25519"
    P256 = "p256"
    RSA = "rsa"


app.command()(check)


@app.callback()
def _group() -> None:
    """Keys, and the certificates enrolled for them."""


@app.command()
def new(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the key; never overwrites.")],
    *,
    kind: Annotated[Kind, typer.Option(help="Ed25519 signs EdDSA, P-256 ES256, RSA PS256.")] = Kind.P256,
    as_json: JsonOption = False,
) -> None:
    """Make a private key (PKCS #8, PEM), readable by its owner only. It is never printed.

    For example:

      axis key new --kind ed25519 --out h37.key.pem

    Have a certificate for it issued by your authority, then: axis key enrol CERTIFICATE --for H37
    """
    # Made before the file: Ctrl-C while an RSA key is sought must not leave an empty file, which nothing overwrites.
    pem = new_key(kind.value)
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        failure = AxisError(f"cannot write {out}: {error.strerror}", code="file/not-created")
        failure.exit_code = _CANNOT_CREATE
        raise failure from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    if as_json:
        print_json({"file": out, "kind": kind.value})
    else:
        say(f"{out}: a new {kind.value} key")


@app.command()
def enrol(
    certificate: Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="X.509, PEM.", show_default=False)],
    organisation: Annotated[
        str, typer.Option("--for", metavar="CODE", help="Whom it may sign for.", show_default=False)
    ],
    *,
    gateway: Annotated[bool, typer.Option("--gateway", help="A gateway that signs for the organisation.")] = False,
    sealing: Annotated[
        bool, typer.Option("--sealing", help="For sealing: documents are encrypted for it, and it signs nothing.")
    ] = False,
    demonstration: Annotated[
        bool, typer.Option("--demonstration", help="Allow certificates of a demonstration CA: never on a real axis.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Enrol a certificate: from now on its key may sign for the organisation and every unit below it.

    With --sealing documents may be sealed for it instead, from the moment it is enrolled: put its private key into the
    folder `sealing` of the agency's profile before. Such a key is one of its own, P-256 or RSA, and its certificate's
    key usage is keyAgreement or keyEncipherment without signatures.

    For example:

      axis key enrol h37.certificate.pem --for H37

      axis key enrol h37.sealing.certificate.pem --for H37 --sealing

    Exit code 65 when the certificate cannot be used, with its code and why.
    """
    if not certificate.is_file():
        raise NotFound(f"no such file: {certificate}")
    now = dt.datetime.now(dt.UTC)
    if gateway and sealing:
        raise typer.BadParameter("either --gateway or --sealing")
    role: CertificateRole = "gateway" if gateway else "sealing" if sealing else "agency"
    record = enrolled(certificate.read_bytes(), canonical(organisation), role, now, allow_demonstration=demonstration)
    asyncio.run(_put(record))
    if as_json:
        print_json(_plain(record))
    else:
        say(f"{record.organisation}: {record.subject} enrolled until {record.not_after:%Y-%m-%d}, {record.thumbprint}")


@app.command("list")
def list_command(
    *,
    organisation: Annotated[
        str | None, typer.Option("--for", metavar="CODE", help="Only of this organisation.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the certificates, those that end first on top; role `sealing` are those that documents are sealed for.

    For example:

      axis key list --for H37

      axis key list --json
    """
    code = None if organisation is None else canonical(organisation)
    records = [each for each in asyncio.run(_all()) if code in {None, each.organisation}]
    records.sort(key=lambda record: record.not_after)
    if as_json:
        print_json({"certificates": [_plain(record) for record in records]})
        return
    now = dt.datetime.now(dt.UTC)
    print_table(
        ("organisation", "role", "state", "until", "thumbprint", "subject"),
        [(r.organisation, r.role, _state(r, now), r.not_after, r.thumbprint, r.subject) for r in records],
    )


@app.command()
def revoke(
    thumbprint: Annotated[str, typer.Argument(help="As `axis key list` shows it.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Revoke a certificate: nothing it signs is taken from now on, within a second on every worker.

    For example:

      axis key revoke 3q2-7w…

    Exit code 66 when there is no such certificate.
    """
    at = dt.datetime.now(dt.UTC)
    asyncio.run(_revoke(thumbprint, at))
    if as_json:
        print_json({"thumbprint": thumbprint, "revoked_at": at})
    else:
        say(f"{thumbprint} revoked")


def _state(record: Certificate, now: dt.datetime) -> str:
    if record.revoked_at is not None and record.revoked_at <= now:
        return "revoked"
    if now >= record.not_after:
        return "expired"
    return "valid" if now >= record.not_before else "not yet valid"


def _plain(record: Certificate) -> dict[str, object]:
    return record.model_dump(mode="json", exclude={"der"}, exclude_none=True)


async def _put(record: Certificate) -> None:
    async with _store() as store:
        _, _, others = await store.directory.load()
        check_apart(record, others)
        await store.directory.put_certificate(record)
        await store.audit(getpass.getuser(), "key.enrol", record.organisation, {"thumbprint": record.thumbprint})


async def _all() -> list[Certificate]:
    async with _store() as store:
        _, _, certificates = await store.directory.load()
        return certificates


async def _revoke(thumbprint: str, at: dt.datetime) -> None:
    async with _store() as store:
        await store.directory.revoke(thumbprint, at)
        await store.audit(getpass.getuser(), "key.revoke", thumbprint)


def _store() -> AbstractAsyncContextManager[Store]:
    return Store.connect(Settings.load().operator_database, name="axis key")
