"""Connecting one agency: everything but the broker's part."""

import datetime as dt
import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from axis.cli.accounts import fits, new_password, password_hash, with_account
from axis.cli.admitting import admission
from axis.cli.certified import for_profile
from axis.cli.profiles import keep_profile, password_in, profile_folder
from axis.client.logs import write_keys
from axis.client.settings import CERTIFICATE, KEY, SEALING, write_sealing_key
from axis.core.codes import to_qcvn102
from axis.core.directory import Directory
from axis.core.enrolment import Enrolment, State
from axis.errors import Malformed, Misconfigured, Refused
from axis.evidence import Admitted
from axis.proving import NoteSigner
from axis.proving.notes import KEY_FILES
from axis.settings import Settings
from axis.store import Store
from axis.trust import DemonstrationCA, enrol, load_sealing_keys, new_key
from axis.trust.enrolling import NOTHING_CONFIRMED, Confirmation
from schemas import Mailbox, Organisation, UnknownBelow

KeyKind = Literal["ed25519", "p256", "rsa"]

DEMONSTRATION_CA = "demonstration-ca"
_DAYS = 365
_RENEW_BEFORE = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who is to be connected, and how.

    `name`: None where the directory knows it. `certificate` (PEM): the agency's own; its private key stays with it.
    `confirmed`: what an operator vouches for about that certificate by hand.
    `demonstration_key`: make a key and a certificate of the demonstration CA where it has a mailbox and no
    `certificate`; None: make none. `new_password`: forget the old one. `role` gateway: a profile for the desk of the
    gateway, which serves its document system and signs for it with a key of its own; it lies in `folder`, apart
    from the agency's.
    """

    code: str
    name: str | None = None
    mailbox: bool = True
    certificate: bytes | None = None
    confirmed: Confirmation = NOTHING_CONFIRMED
    demonstration_key: KeyKind | None = "ed25519"
    new_password: bool = False
    unknown_below: UnknownBelow | None = None
    valid_from: dt.datetime | None = None
    role: Literal["agency", "gateway"] = "agency"
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What was connected; `folder` holds the profile, None when there is nothing to put in one."""

    code: str
    name: str
    mailbox: bool
    thumbprint: str | None
    folder: Path | None
    done: tuple[str, ...]  # what was made or changed, in words; empty: everything was there


class Connecting:
    """Connects one agency, noting what it does.

    The profile is written before the store: should this end in between, the next run finds password and key in the
    profile and goes on with them. The other way round the store would hold the hash of a password nobody has.
    """

    def __init__(self, settings: Settings, store: Store, now: dt.datetime, newcomer: Newcomer) -> None:
        self._settings = settings
        self._store = store
        self._now = now
        self._newcomer = newcomer
        self._folder = newcomer.folder or profile_folder(settings.home, newcomer.code)
        self._done: list[str] = []

    async def run(self, directory: Directory, mailbox: Mailbox | None, enrolled: Sequence[Enrolment]) -> Profile:
        """Do everything but the broker's part."""
        code, has_mailbox = self._newcomer.code, self._newcomer.mailbox or mailbox is not None
        axis_certificate = self._axis_certificate() if has_mailbox else b""
        organisation = await self._register(directory)
        key, certificate, admitted = await self._credentials(
            organisation, [each for each in enrolled if each.role == self._newcomer.role]
        )
        record = None if admitted is None else admitted.enrolment
        sealing: Enrolment | None = None
        if has_mailbox:
            password, opened = self._mailbox(mailbox)
            address = with_account(self._settings.amqp_url.get_secret_value(), code, password)
            address, tls = for_profile(self._settings, address, code)
            if keep_profile(
                self._folder,
                code=code,
                amqp_url=address,
                gateway_url=self._settings.gateway_url or "",
                key=key,
                certificate=certificate,
                axis_certificate=axis_certificate,
                tls=tls,
                allow_plaintext=self._settings.allow_plaintext,
                log_keys=self._log_keys(),
            ):
                self._done.append("profile written")
            sealing = self._sealing_certificate(organisation, enrolled)
            if opened != mailbox:
                await self._store.directory.put_mailbox(opened)
        if admitted is not None and admitted.enrolment.thumbprint not in {each.thumbprint for each in enrolled}:
            await self._keep(admitted)
            self._done.append("certificate enrolled")
        if sealing is not None:
            await self._store.directory.put_certificate(sealing)
            self._done.append("sealing certificate enrolled")
        if self._done:
            await self._store.audit(getpass.getuser(), "agency.add", code, {"done": list(self._done)})
        return Profile(
            code=code,
            name=organisation.name,
            mailbox=has_mailbox,
            thumbprint=None if record is None else record.thumbprint,
            folder=self._folder if has_mailbox else None,
            done=tuple(self._done),
        )

    def _axis_certificate(self) -> bytes:
        certificate = _read(self._settings.axis_key / CERTIFICATE)
        if certificate is None or self._settings.gateway_url is None:
            raise Misconfigured(
                f"a profile needs the axis's own certificate ({self._settings.axis_key / CERTIFICATE}) and the "
                "gateway's address (AXIS_GATEWAY_URL); on one machine `axis up` makes both",
                code="agency/profile",
            )
        return certificate

    def _log_keys(self) -> str:
        if not list(self._settings.axis_key.glob(KEY_FILES)):
            return ""
        signers = NoteSigner.load_all(self._settings.axis_key, self._settings.log_origin)
        return write_keys(signer.public for signer in signers)

    async def _register(self, directory: Directory) -> Organisation:
        newcomer = self._newcomer
        known = directory.organisation(newcomer.code, self._now)
        if known is None and newcomer.name is None:
            raise Malformed(f"{newcomer.code} is not in the directory: give its name (--name)", code="agency/name")
        if known is None:
            wanted = Organisation(
                code=newcomer.code,
                name=newcomer.name or newcomer.code,
                valid_from=newcomer.valid_from or self._now,
                unknown_below=newcomer.unknown_below or UnknownBelow.REGISTERED,
                code102=to_qcvn102(newcomer.code),
            )
        else:
            wanted = known.model_copy(
                update={
                    "name": newcomer.name or known.name,
                    "unknown_below": newcomer.unknown_below or known.unknown_below,
                }
            )
        if wanted != known:
            await self._store.directory.put_organisations([wanted])
            self._done.append("organisation registered" if known is None else "organisation changed")
        return wanted

    def _mailbox(self, mailbox: Mailbox | None) -> tuple[str, Mailbox]:
        """Return the password, and the mailbox as it has to be."""
        kept = None if self._newcomer.new_password else self._kept_password()
        if mailbox is None:
            password = kept or new_password()
            self._done.append("mailbox opened")
            since = self._newcomer.valid_from or self._now
            return password, Mailbox(code=self._newcomer.code, valid_from=since, password_hash=password_hash(password))
        if kept is not None and fits(kept, mailbox.password_hash):
            return kept, mailbox
        if not self._newcomer.new_password:
            raise Misconfigured(
                f"{mailbox.code} has a mailbox, and its password is not in a profile on this machine: use the profile "
                "where it was made, or give the mailbox another password (--new-password), which ends the old one",
                code="agency/password",
            )
        password = new_password()
        self._done.append("password changed")
        return password, mailbox.model_copy(update={"password_hash": password_hash(password)})

    def _kept_password(self) -> str | None:
        # Agency and desk log in under one account: what either has on this machine is the other's too.
        return password_in(self._folder) or password_in(profile_folder(self._settings.home, self._newcomer.code))

    async def _credentials(
        self, organisation: Organisation, enrolled: Sequence[Enrolment]
    ) -> tuple[bytes | None, bytes | None, Admitted | None]:
        """Return private key and certificate (PEM) for the profile, and what has to be enrolled."""
        given, kind = self._newcomer.certificate, self._newcomer.demonstration_key
        key, certificate = _read(self._folder / KEY), _read(self._folder / CERTIFICATE)
        if given is not None:
            return key if given == certificate else None, given, await self._admitted(given)
        if kind is None or not self._newcomer.mailbox:
            usable = next((each for each in enrolled if each.state(self._now) is State.VALID), None)
            return key, certificate, None if usable is None else Admitted(usable)
        if key is not None and certificate is not None and (record := self._usable(certificate, enrolled)) is not None:
            return key, certificate, Admitted(record)
        authority = DemonstrationCA.open_or_create(self._settings.home / DEMONSTRATION_CA, self._now)
        key = new_key(kind)
        certificate = authority.issue(organisation.code, key, name=organisation.name, now=self._now, days=_DAYS)
        self._done.append("demonstration key made")
        return key, certificate, Admitted(self._demonstration(certificate))

    def _sealing_certificate(self, organisation: Organisation, enrolled: Sequence[Enrolment]) -> Enrolment | None:
        """Make a demonstration key for sealing unless there is one for some time yet; return what has to be enrolled.

        The key goes into the profile first: documents are sealed for it from the moment it is enrolled.
        """
        if self._newcomer.demonstration_key is None or self._newcomer.certificate is not None:
            return None
        kept = load_sealing_keys(self._folder / SEALING)
        if any(
            each.role == "sealing" and each.thumbprint in kept and each.until > self._now + _RENEW_BEFORE
            for each in enrolled
        ):
            return None
        authority = DemonstrationCA.open_or_create(self._settings.home / DEMONSTRATION_CA, self._now)
        key = new_key("p256")
        certificate = authority.issue(
            organisation.code, key, name=organisation.name, now=self._now, days=_DAYS, sealing=True
        )
        record = enrol(certificate, organisation.code, "sealing", self._now, allow_demonstration=True)
        write_sealing_key(
            self._folder, key=key, certificate=certificate, name=f"{self._now:%Y-%m-%d}-{record.thumbprint[:8]}"
        )
        self._done.append("demonstration sealing key made")
        return record

    def _usable(self, certificate: bytes, enrolled: Sequence[Enrolment]) -> Enrolment | None:
        """Return the record of a certificate that can be used for some time yet."""
        try:
            record = self._demonstration(certificate)
        except Refused:
            return None
        record = next((each for each in enrolled if each.thumbprint == record.thumbprint), record)
        return record if record.until > self._now + _RENEW_BEFORE else None

    def _demonstration(self, certificate: bytes) -> Enrolment:
        return enrol(certificate, self._newcomer.code, self._newcomer.role, self._now, allow_demonstration=True)

    async def _admitted(self, certificate: bytes) -> Admitted:
        async with admission(self._settings, self._store) as desk:
            return await desk.admit(
                certificate, self._newcomer.code, self._newcomer.role, self._now, confirmed=self._newcomer.confirmed
            )

    async def _keep(self, admitted: Admitted) -> None:
        async with admission(self._settings, self._store) as desk:
            await desk.keep(admitted)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
