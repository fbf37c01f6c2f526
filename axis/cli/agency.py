"""`axis agency`: who is connected, and connecting them."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.admitting import ConfirmIssuer, ConfirmOrganisation
from axis.cli.closing import close
from axis.cli.console import JsonOption, local_time, print_json, print_table, progress, say
from axis.cli.directory_view import Shown, listed, yes_or_dash
from axis.cli.importing import CatalogueOption, import_organisations
from axis.cli.limiting import limit
from axis.cli.moments import moment
from axis.cli.onboarding import KeyKind, Newcomer, Profile, connect_all
from axis.core.codes import canonical, lineage
from axis.core.directory import Directory
from axis.core.enrolment import Enrolment
from axis.errors import Malformed, NotFound
from axis.settings import Settings
from axis.store import Store
from axis.trust.enrolling import Confirmation
from schemas import UnknownBelow

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Who is connected, and connecting them.")

app.command("limit")(limit)
app.command("close")(close)

CodeArgument = Annotated[
    str, typer.Argument(help="Identifier code, either form: H37.05 or 000.00.05.H37.", show_default=False)
]


@app.callback()
def _group() -> None:
    """Who is connected, and connecting them."""


@app.command("add")
def add_command(
    code: CodeArgument,
    *,
    name: Annotated[str | None, typer.Option(help="Needed unless the directory has it.", show_default=False)] = None,
    mailbox: Annotated[
        bool, typer.Option("--mailbox/--no-mailbox", help="Give it queues, a broker account and a profile folder.")
    ] = True,
    demonstration_key: Annotated[
        bool, typer.Option("--demonstration-key", help="Make a key with a demonstration certificate. Not for real use.")
    ] = False,
    key_kind: Annotated[str, typer.Option(help="ed25519, p256 or rsa; with --demonstration-key.")] = "ed25519",
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Its own certificate (PEM); the private key stays with it.", show_default=False
        ),
    ] = None,
    confirm_issuer: ConfirmIssuer = None,
    confirm_organisation: ConfirmOrganisation = None,
    open_below: Annotated[
        bool, typer.Option("--open-below", help="Take documents for units that are not registered below it.")
    ] = False,
    new_password: Annotated[
        bool, typer.Option("--new-password", help="Give its account another password; the old one ends.")
    ] = False,
    valid_from: Annotated[
        str | None, typer.Option(metavar="DATE", help="In force from; default: now.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Connect an agency: directory record, mailbox, certificate, and its queues and account at the broker at once.

    What it needs to send and receive is written to .axis/agencies/CODE/: hand that folder over safely, it holds the
    password. Repeating the command keeps what is there and makes what is missing.

    For example:

      axis agency add G22 --demonstration-key

      axis agency add H37.05 --name "Sở Tài chính tỉnh Lạng Sơn" --certificate stc.pem

      axis agency add H37.02 --name "Ban Quản lý Khu kinh tế cửa khẩu" --no-mailbox
    """
    if certificate is not None and demonstration_key:
        raise typer.BadParameter("either --certificate or --demonstration-key")
    newcomer = Newcomer(
        code=canonical(code),
        name=name,
        mailbox=mailbox,
        certificate=None if certificate is None else _read(certificate),
        confirmed=Confirmation(confirm_issuer, confirm_organisation),
        demonstration_key=_key_kind(key_kind) if demonstration_key else None,
        new_password=new_password,
        unknown_below=UnknownBelow.OPEN if open_below else None,
        valid_from=None if valid_from is None else moment(valid_from),
    )
    profile = asyncio.run(_add(newcomer))
    if as_json:
        print_json(profile)
    else:
        _tell(profile, newcomer)


@app.command("list")
def list_command(
    *,
    under: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only this organisation and those below it.", show_default=False)
    ] = None,
    mailboxes: Annotated[bool, typer.Option("--mailboxes", help="Only those that hold a mailbox.")] = False,
    closed: Annotated[bool, typer.Option("--closed", help="Also those that are closed or not in force yet.")] = False,
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="As of this date; default: now.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the organisations of the directory, and who holds a mailbox.

    For example:

      axis agency list --mailboxes

      axis agency list --under H37 --json

      axis agency list --at 2025-06-30
    """
    when = dt.datetime.now(dt.UTC) if at is None else moment(at)
    directory, certificates = asyncio.run(_directory())
    top = None if under is None else canonical(under)
    rows = [
        row
        for row in listed(directory, certificates, when)
        if (top is None or top in lineage(row["code"]))
        and (closed or row["state"] == "in force")
        and (not mailboxes or row["mailbox"])
    ]
    if as_json:
        print_json({"at": when, "organisations": rows})
        return
    columns = ("code", "name", "mailbox", "certificates", "state", "successor")
    print_table(columns, [[yes_or_dash(row[column]) for column in columns] for row in rows])
    say(f"{len(rows)} organisations as of {local_time(when)}")


@app.command("show")
def show_command(code: CodeArgument, *, as_json: JsonOption = False) -> None:
    """Show everything about one organisation: its periods, mailbox, queues, certificates, and through whom it receives.

    For example:

      axis agency show H37.05

      axis agency show 000.00.05.H37 --json
    """
    directory, certificates = asyncio.run(_directory())
    known = directory.code_of_102(code) or canonical(code)
    if not directory.history(known):
        raise NotFound(f"{known} is not in the directory", code="recipient/unknown")
    shown = Shown.of(known, directory, certificates, dt.datetime.now(dt.UTC))
    if as_json:
        print_json(shown.plain())
    else:
        shown.tell()


@app.command("import")
def import_command(
    file: Annotated[
        Path | None, typer.Argument(help="A list of organisations: .csv (UTF-8) or .xlsx.", show_default=False)
    ] = None,
    *,
    catalogue: CatalogueOption = False,
    valid_from: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="For rows without a date; default: 2016-04-01.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Import organisations from a list, cleaned; every row that is refused is named with the reason.

    Columns are found by their headings (mã định danh, tên cơ quan, code, name, valid_from, valid_to, successor …).
    Importing the same list again changes nothing.

    For example:

      axis agency import --catalogue

      axis agency import danh-muc.xlsx --dry-run

      axis agency import units.csv --valid-from 2026-01-01 --json

    Exit code 0: imported, whatever was refused is listed; 65: nothing could be taken, or the file cannot be read.
    """
    if (file is None) != catalogue:
        raise typer.BadParameter("name a file, or --catalogue")
    import_organisations(
        file, valid_from=None if valid_from is None else moment(valid_from), dry_run=dry_run, as_json=as_json
    )


async def _add(newcomer: Newcomer) -> Profile:
    settings = Settings.load()
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        return (await connect_all(settings, store, [newcomer], progress=progress))[newcomer.code]


async def _directory() -> tuple[Directory, Sequence[Enrolment]]:
    async with Store.connect(Settings.load().operator_database, name="axis cli") as store:
        organisations, mailboxes, certificates = await store.directory.load()
    return Directory.build(organisations, mailboxes), certificates


def _tell(profile: Profile, newcomer: Newcomer) -> None:
    say(f"{profile.code}  {profile.name}: {', '.join(profile.done) or 'was connected already'}")
    if profile.folder is None:
        return
    say(f"profile: {profile.folder}")
    if newcomer.certificate is not None and not (profile.folder / "key.pem").is_file():
        say("its private key is not here: the agency puts key.pem beside the profile")
    elif profile.thumbprint is None:
        say("it has no certificate yet, so it cannot send: --demonstration-key, or `axis certificate enrol`")
    else:
        say(f"try:  axis send FILE --as {profile.code} --to CODE    axis inbox --as {profile.code}")


def _key_kind(text: str) -> KeyKind:
    kinds: dict[str, KeyKind] = {"ed25519": "ed25519", "p256": "p256", "rsa": "rsa"}
    if text not in kinds:
        raise typer.BadParameter(f"--key-kind is one of {', '.join(kinds)}")
    return kinds[text]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Malformed(f"{path}: {error.strerror}", code="file/unreadable") from error
