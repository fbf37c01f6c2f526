"""`axis partner add`: have a document system served."""

import asyncio
import datetime as dt
import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from axis.cli import moments
from axis.cli.console import JsonOption, print_json, progress, say
from axis.cli.onboarding import Newcomer, Profile, connect_all
from axis.cli.partner.system import SystemArgument
from axis.core.codes import canonical
from axis.core.directory import Directory
from axis.core.partners import CodeForm, Partner
from axis.core.partners import Profile as Interface
from axis.errors import Malformed, Refused
from axis.gateway.desk import Secrets, check_system_id, desk_folder
from axis.settings import Settings
from axis.store import Store

_Choice = TypeVar("_Choice", Interface, CodeForm)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; `certificates`: agency -> PEM of the desk's certificate for it."""

    partner: Partner
    certificates: Mapping[str, bytes]
    demonstration: bool


@dataclass(frozen=True, slots=True)
class Added:
    """What was made; `secret` is None where there was one."""

    partner: Partner
    secret: str | None
    profiles: Sequence[Profile]


def add_command(
    system: SystemArgument,
    *,
    profile: Annotated[str, typer.Option(metavar="vxp|lgsp", help="The HTTP interface it speaks.")],
    serves: Annotated[
        list[str],
        typer.Option(metavar="CODE", help="A code it fetches and sends for; all of them, repeat.", show_default=False),
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse packages that depart from edXML in any way.")
    ] = False,
    code_form: Annotated[
        str, typer.Option(metavar="qcvn102|qd20", help="How codes are written for it; both are read.")
    ] = "qcvn102",
    clock_minutes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How old its requests may be (vxp); default: the client's clock is not looked at.",
            show_default=False,
        ),
    ] = None,
    certificate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE=FILE",
            help="The gateway's certificate for an agency (PEM); its key is put beside.",
            show_default=False,
        ),
    ] = None,
    demonstration_key: Annotated[
        bool, typer.Option("--demonstration-key", help="Make keys with demonstration certificates. Not for real use.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Have an existing document system served by the gateway, or change how it is.

    Run it on the gateway's machine. For every agency among the codes it makes a profile of the gateway's own, with a
    key whose certificate says “gateway”, and it prints the system's secret: once. A gateway that runs takes it up
    within seconds. Codes that are not named any more are served no more.

    For example:

      axis partner add 00.37.W00 --profile vxp --serves H37 --demonstration-key

      axis partner add 00.53.W00 --profile lgsp --serves H53 --serves H53.13 --strict --certificate H53=h53-gateway.pem

    Exit code 0: done; 65: a code cannot be served, or another partner serves it.
    """
    system_id = check_system_id(system)
    now = moments.now()
    partner = Partner(
        system_id=system_id,
        profile=_choice(Interface, profile, "--profile"),
        codes={canonical(code): "" for code in serves},
        added_at=now,
        strict=strict,
        code_form=_choice(CodeForm, code_form, "--code-form"),
        clock_minutes=clock_minutes,
    )
    wanted = Wanted(partner, _certificates(certificate or []), demonstration_key)
    added = asyncio.run(add_partner(Settings.load(), wanted, now))
    if as_json:
        print_json(
            {
                "system": system_id,
                "profile": added.partner.profile,
                "codes": added.partner.codes,
                "secret": added.secret,
                "profiles": {each.code: each.folder for each in added.profiles},
            }
        )
        return
    _tell(added)


def _tell(added: Added) -> None:
    served = ", ".join(added.partner.codes)
    say(f"{added.partner.system_id} ({added.partner.profile.value}) serves {served}")
    for each in added.profiles:
        say(f"{each.code}: {', '.join(each.done) or 'was ready'}; the gateway's profile is {each.folder}")
        if each.folder is not None and not (each.folder / "key.pem").is_file():
            say(f"  its key is not here: put key.pem into {each.folder}")
    if added.secret is None:
        say("its secret is the one it has; `axis partner rotate` makes another")
    else:
        say(f"secret: {added.secret}")
        say("it is not shown again: give it to the system's operator now")


async def add_partner(settings: Settings, wanted: Wanted, now: dt.datetime) -> Added:
    """Make what a partner needs, and have it served; raise Refused, Misconfigured, Unavailable."""
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        organisations, mailboxes, _ = await store.directory.load()
        directory = Directory.build(organisations, mailboxes)
        codes = _reached(directory, list(wanted.partner.codes), now)
        known = {each.system_id: each for each in await store.partners.partners()}
        before = known.get(wanted.partner.system_id)
        partner = Partner(
            system_id=wanted.partner.system_id,
            profile=wanted.partner.profile,
            codes=codes,
            added_at=wanted.partner.added_at if before is None else before.added_at,
            strict=wanted.partner.strict,
            code_form=wanted.partner.code_form,
            clock_minutes=wanted.partner.clock_minutes,
        )
        profiles = await connect_all(
            settings, store, [_newcomer(settings, wanted, code) for code in sorted(partner.agencies)], progress=progress
        )
        secrets = Secrets(settings.home, settings.partner_secrets)
        secret = None if secrets.has(partner.system_id) else secrets.make(partner.system_id, now)
        # Last: from here on it is served. A crash before leaves a secret that nobody was told; `rotate` makes another.
        await store.partners.put(partner)
        await store.audit(
            getpass.getuser(),
            "partner.add" if before is None else "partner.change",
            partner.system_id,
            {"profile": partner.profile.value, "codes": dict(partner.codes), "strict": partner.strict},
        )
    return Added(partner, secret, list(profiles.values()))


def _newcomer(settings: Settings, wanted: Wanted, code: str) -> Newcomer:
    return Newcomer(
        code,
        certificate=wanted.certificates.get(code),
        demonstration_key="ed25519" if wanted.demonstration else None,
        role="gateway",
        folder=desk_folder(settings.home, code),
    )


def _reached(directory: Directory, codes: Sequence[str], now: dt.datetime) -> dict[str, str]:
    """Say for each code through which mailbox it is reached; each of these has to be served too."""
    found: dict[str, str] = {}
    for code in codes:
        mailbox = directory.mailbox_of(code, now)
        if mailbox is None or mailbox not in codes:
            told = f"{code} has no mailbox, nor has any code above it"
            if mailbox is not None:
                told = f"{code} is reached through the mailbox of {mailbox}, which is not among the codes to serve"
            raise Refused("partner/no-mailbox", told)
        found[code] = mailbox
    return found


def _certificates(named: Sequence[str]) -> dict[str, bytes]:
    found = {}
    for each in named:
        code, equals, path = each.partition("=")
        if not equals:
            raise typer.BadParameter("--certificate is CODE=FILE")
        try:
            found[canonical(code)] = Path(path).read_bytes()
        except OSError as error:
            raise Malformed(f"{path}: {error.strerror}", code="file/unreadable") from error
    return found


def _choice(kind: type[_Choice], text: str, option: str) -> _Choice:
    try:
        return kind(text.lower())
    except ValueError as error:
        raise typer.BadParameter(f"{option} is {' or '.join(kind)}") from error
