"""`axis pki`: a whole certification authority for the TLS of tests and trial sites."""

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.console import JsonOption, local_time, print_json, print_table, say
from axis.cli.moments import now
from axis.cli.profiles import home_folder
from axis.local.certified import PKI
from axis.trust import Authority
from axis.trust.authority import CRL_DAYS, DAYS, Entry, Issued

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="An authority for the TLS of tests and trial sites."
)


FolderOption = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="The authority's folder; default: .axis/pki.", show_default=False),
]


class Kind(StrEnum):
    """Kinds of certificates."""

    SERVER = "server"
    CLIENT = "client"


@app.callback()
def _group() -> None:
    """An authority for the TLS of tests and trial sites: root, intermediate, servers, clients, revocation list.

    Every certificate is marked as a demonstration: `axis certificate enrol` takes none of them to sign documents. A
    real axis has its certificates from a real authority, in the same files.
    """


@app.command()
def init(
    *,
    folder: FolderOption = None,
    title: Annotated[str, typer.Option("--title", help="What the root is called.")] = "Axis",
    as_json: JsonOption = False,
) -> None:
    """Make a root and an intermediate authority; a folder that holds one is left alone.

    For example:

      axis pki init

      axis pki init --folder /srv/trial/pki --title "Trục liên thông thử nghiệm"

    Exit code 78 when there is an authority already.
    """
    authority = Authority.create(_folder(folder), now(), title=title)
    if as_json:
        print_json({"folder": _folder(folder), "ca": authority.ca, "crl": authority.crl})
    else:
        say(f"{authority.ca}: what every client and server has to trust; keep the rest of the folder to yourself")


@app.command()
def issue(
    kind: Annotated[Kind, typer.Argument(help="server, or client.", show_default=False)],
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A client's is its account: H37.05, axis-worker.", show_default=False),
    ],
    *,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="HOST", help="A server's DNS name or address; repeat it.", show_default=False),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=398, help="How long it is valid.")] = DAYS,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue a certificate; issued again, a name keeps its key and hosts, and the one before stays valid to its end.

    The files lie in FOLDER/issued/KIND/NAME: key.pem, certificate.pem with its chain, ca.pem.

    For example:

      axis pki issue server broker --host broker.truc.gov.vn --host 10.0.0.5

      axis pki issue client H37.05

      axis pki issue client axis_router --days 30 --json

    Exit code 65 for a name or host that cannot be in a certificate; 66 when there is no authority yet.
    """
    issued = Authority.open(_folder(folder), now()).issue(
        kind.value, name, hosts=tuple(host or ()), now=now(), days=days
    )
    if as_json:
        print_json(_plain(issued))
    else:
        say(f"{issued.certificate.parent}: valid until {local_time(issued.entry.not_after)}")


@app.command()
def revoke(
    what: Annotated[
        str, typer.Argument(metavar="SERIAL|NAME", help="As `axis pki list` shows it.", show_default=False)
    ],
    *,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke one certificate, or all of a name, and write the revocation list anew.

    Servers know it once they have read the list again (`pg_ctl reload`); the broker's account of an agency is closed by
    `axis agency`, which ends its access whatever certificates it holds.

    For example:

      axis pki revoke H37.05

      axis pki revoke 5f3c…

    Exit code 66 when no such certificate was issued.
    """
    authority = Authority.open(_folder(folder), now())
    revoked = authority.revoke(what, now())
    if as_json:
        print_json({"revoked": [entry.serial for entry in revoked], "crl": authority.crl})
    else:
        say(f"{len(revoked)} revoked now; {authority.crl} says so")


@app.command()
def crl(
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How long it is good for.")] = CRL_DAYS,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the revocation list anew: one that is too old is refused by those who check it, and everybody with it.

    For example:

      axis pki crl --days 30
    """
    path = Authority.open(_folder(folder), now()).write_crl(now(), days)
    if as_json:
        print_json({"crl": path, "next_update": now() + dt.timedelta(days=days)})
    else:
        say(f"{path}: good for {days} days")


@app.command("list")
def list_command(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """List every certificate that was issued, and its state.

    For example:

      axis pki list --json
    """
    at = now()
    entries = Authority.open(_folder(folder), at).register
    if as_json:
        print_json({"certificates": [{**_fields(entry), "state": _state(entry, at)} for entry in entries]})
        return
    print_table(
        ("kind", "name", "state", "until", "hosts", "serial"),
        [(e.kind, e.name, _state(e, at), e.not_after, " ".join(e.hosts), e.serial) for e in entries],
    )


def _plain(issued: Issued) -> dict[str, object]:
    return {**_fields(issued.entry), "key": issued.key, "certificate": issued.certificate, "ca": issued.ca}


def _fields(entry: Entry) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "serial": entry.serial,
        "hosts": entry.hosts,
        "not_before": entry.not_before,
        "not_after": entry.not_after,
        "revoked_at": entry.revoked_at,
    }


def _state(entry: Entry, at: dt.datetime) -> str:
    if entry.revoked_at is not None:
        return "revoked"
    return "expired" if at >= entry.not_after else "valid"


def _folder(given: Path | None) -> Path:
    return given or home_folder() / PKI
