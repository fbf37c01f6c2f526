"""A whole certification authority in one folder, for the TLS of tests and trial sites: root, intermediate, CRL.

    ca.pem                    the root: what everybody trusts
    root.key.pem              signs nothing but the intermediate and its own revocation list
    intermediate.{key,certificate}.pem
    crl.pem                   both revocation lists, for whoever checks whole chains
    crl/<hash>.r0             the same lists one by one, named as RabbitMQ (Erlang) and OpenSSL look for them
    register.json             every certificate ever issued, and which are revoked
    issued/<kind>/<name>/     key.pem, certificate.pem (with the intermediate behind it), ca.pem

A real axis takes its certificates from a real authority; `axis.trust.issuing` says how these are marked. The files are
the same in both cases, so nothing but their content changes when a trial site becomes a real one.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from axis.errors import Malformed, Misconfigured, NotFound, Refused
from axis.trust import issuing
from axis.trust.certificates import load_pem
from axis.trust.files import PRIVATE, PUBLIC, authority_key, locked, write
from axis.trust.hashed import file_names
from axis.trust.issuing import MAX_NAME, WARNING, Issuer, Purpose

Kind = Literal["server", "client"]

DAYS = 90
LONGEST_DAYS = 398
CRL_DAYS = 30
_ROOT_DAYS, _INTERMEDIATE_DAYS = 5 * 366, 2 * 366
# A name is a folder and, of a client, its account: nothing that a path or a pattern could misread.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate in the register; `serial` is hexadecimal, as OpenSSL shows it. Times are UTC."""

    serial: str
    kind: Kind
    name: str
    hosts: tuple[str, ...]
    not_before: dt.datetime
    not_after: dt.datetime
    revoked_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its files; `certificate` holds the intermediate's too, as servers and clients send it."""

    entry: Entry
    key: Path
    certificate: Path
    ca: Path


class Authority:
    """Issue, renew and revoke TLS certificates."""

    def __init__(self, folder: Path, intermediate: Issuer, chain: bytes) -> None:
        self._folder = folder
        self._intermediate = intermediate
        self._chain = chain

    @classmethod
    def create(cls, folder: Path, now: dt.datetime, *, title: str = "Axis") -> Self:
        """Make an authority; raise Misconfigured `pki/exists` where there is one."""
        if (folder / "ca.pem").exists():
            raise Misconfigured(f"{folder} holds an authority already: it is kept", code="pki/exists")
        return cls.open_or_create(folder, now, title=title)

    @classmethod
    def open(cls, folder: Path, now: dt.datetime) -> Self:
        """Open an authority; raise NotFound `pki/none` where there is none."""
        if not (folder / "ca.pem").exists():
            raise NotFound(f"there is no authority in {folder}: `axis pki init` makes one", code="pki/none")
        return cls.open_or_create(folder, now)

    @classmethod
    def open_or_create(cls, folder: Path, now: dt.datetime, *, title: str = "Axis") -> Self:
        """Open an authority, made if need be; raise Misconfigured when its files cannot be used."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(folder):
                root_key = authority_key(folder / "root.key.pem")
                key = authority_key(folder / "intermediate.key.pem")
                root = _kept(folder / "ca.pem", lambda: _root(root_key, title, now))
                signer = Issuer.of(root_key, root)
                below = _kept(folder / "intermediate.certificate.pem", lambda: _below(key, signer, title, now))
                authority = cls(folder, Issuer.of(key, below), below.public_bytes(Encoding.PEM))
                if not (folder / "crl.pem").exists():
                    authority._write_crl(now, CRL_DAYS)
        except OSError as error:
            raise Misconfigured(f"{error.filename}: {error.strerror}", code="pki/files") from error
        except Refused as refused:
            raise Misconfigured(f"{folder}: {refused.detail}", code="pki/files") from refused
        return authority

    @property
    def ca(self) -> Path:
        """The root's certificate: what everybody trusts."""
        return self._folder / "ca.pem"

    @property
    def crl(self) -> Path:
        """The revocation lists of root and intermediate, PEM, one behind the other."""
        return self._folder / "crl.pem"

    @property
    def register(self) -> tuple[Entry, ...]:
        """Every certificate issued, the first first."""
        try:
            raw = json.loads((self._folder / "register.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        return tuple(map(_entry, raw))

    @property
    def crl_folder(self) -> Path:
        """The same lists, each in a file named by its issuer's hash."""
        return self._folder / "crl"

    def issue(self, kind: Kind, name: str, *, hosts: Sequence[str] = (), now: dt.datetime, days: int = DAYS) -> Issued:
        """Issue a certificate, or a successor of the one of that name: it keeps the key and, unless given, the hosts.

        After a revocation the key is a new one: the old may be somebody else's by now.

        A successor is one file put in place of another: whoever reads it meanwhile has the old pair or the new one.
        The one before stays valid until its end; revoke it if it must not.

        Raises:
            Malformed: `pki/name`, `pki/host`.
        """
        if not _NAME.fullmatch(name) or len(name) > MAX_NAME or ".." in name:
            raise Malformed(
                f"“{name}” cannot be a name: up to {MAX_NAME} letters, digits, dots, hyphens, underscores",
                code="pki/name",
            )
        place = self._folder / "issued" / kind / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._folder):
            before = [entry for entry in self.register if (entry.kind, entry.name) == (kind, name)]
            hosts = tuple(hosts) or (before[-1].hosts if before else ())
            if kind == "server" and not hosts:
                raise Malformed("a server needs its hosts: clients check the name they asked for", code="pki/host")
            if before and before[-1].revoked_at is not None:
                (place / "key.pem").unlink(missing_ok=True)
            certificate = issuing.certificate(
                authority_key(place / "key.pem"),
                Purpose(kind),
                issuing.name(name, organisation=WARNING),
                self._intermediate,
                now=now,
                days=min(days, LONGEST_DAYS),
                hosts=hosts,
            )
            entry = Entry(
                serial=f"{certificate.serial_number:x}",
                kind=kind,
                name=name,
                hosts=hosts,
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
            )
            # Registered before it exists: one that is in use and in no register could not be revoked.
            self._write_register([*self.register, entry])
            write(place / "ca.pem", self.ca.read_bytes(), PUBLIC)
            write(place / "certificate.pem", certificate.public_bytes(Encoding.PEM) + self._chain, PUBLIC)
        return self._files(entry)

    def ensure(
        self, kind: Kind, name: str, *, hosts: Sequence[str] = (), now: dt.datetime, renew_before: dt.timedelta
    ) -> Issued:
        """Return the certificate of that name, issued if there is none that is good for so long and for these hosts."""
        known = [entry for entry in self.register if (entry.kind, entry.name) == (kind, name)]
        last = known[-1] if known else None
        if last is not None and last.revoked_at is None and last.not_after - now > renew_before:
            files = self._files(last)
            if last.hosts == tuple(hosts) and files.certificate.exists():
                return files
        return self.issue(kind, name, hosts=hosts, now=now)

    def revoke(self, what: str, now: dt.datetime) -> tuple[Entry, ...]:
        """Revoke a serial number, or every certificate of a name, and write the lists; return what was revoked now.

        Raises NotFound `pki/unknown`.
        """
        with locked(self._folder):
            register = self.register
            found = [
                entry for entry in register if what.lower().removeprefix("0x") == entry.serial or what == entry.name
            ]
            if not found:
                raise NotFound(f"no certificate of the serial number or name {what} was issued", code="pki/unknown")
            fresh = {entry.serial for entry in found if entry.revoked_at is None}
            after = [replace(entry, revoked_at=now) if entry.serial in fresh else entry for entry in register]
            self._write_register(after)
            self._write_crl(now, CRL_DAYS)
        return tuple(entry for entry in after if entry.serial in fresh)

    def write_crl(self, now: dt.datetime, days: int = CRL_DAYS) -> Path:
        """Write the revocation lists anew, good for so many days; return their file."""
        with locked(self._folder):
            self._write_crl(now, days)
        return self.crl

    def _files(self, entry: Entry) -> Issued:
        place = self._folder / "issued" / entry.kind / entry.name
        return Issued(entry, place / "key.pem", place / "certificate.pem", place / "ca.pem")

    def _write_register(self, entries: Sequence[Entry]) -> None:
        text = json.dumps([asdict(entry) for entry in entries], default=dt.datetime.isoformat, indent=1)
        write(self._folder / "register.json", text.encode() + b"\n", PRIVATE)

    def _write_crl(self, now: dt.datetime, days: int) -> None:
        revoked = [(int(entry.serial, 16), entry.revoked_at) for entry in self.register if entry.revoked_at is not None]
        root = Issuer.of(authority_key(self._folder / "root.key.pem"), load_pem(self.ca.read_bytes()))
        lists = [issuing.revocation_list(root, (), now=now, days=days)]
        lists.append(issuing.revocation_list(self._intermediate, revoked, now=now, days=days))
        write(self.crl, b"".join(each.public_bytes(Encoding.PEM) for each in lists), PUBLIC)
        self.crl_folder.mkdir(mode=0o755, exist_ok=True)
        for file, each in file_names(lists):
            write(self.crl_folder / file, each.public_bytes(Encoding.PEM), PUBLIC)


def _kept(path: Path, make: Callable[[], x509.Certificate]) -> x509.Certificate:
    if not path.exists():
        write(path, make().public_bytes(Encoding.PEM), PUBLIC)
    return load_pem(path.read_bytes())


def _root(key: EllipticCurvePrivateKey, title: str, now: dt.datetime) -> x509.Certificate:
    name = issuing.name(f"{title} root", organisation=WARNING)
    return issuing.certificate(key, Purpose.AUTHORITY, name, Issuer(key, name), now=now, days=_ROOT_DAYS, path_length=1)


def _below(key: EllipticCurvePrivateKey, root: Issuer, title: str, now: dt.datetime) -> x509.Certificate:
    name = issuing.name(f"{title} TLS", organisation=WARNING)
    return issuing.certificate(key, Purpose.AUTHORITY, name, root, now=now, days=_INTERMEDIATE_DAYS)


def _entry(raw: dict[str, Any]) -> Entry:
    times = {
        name: dt.datetime.fromisoformat(raw[name])
        for name in ("not_before", "not_after", "revoked_at")
        if raw[name] is not None
    }
    return Entry(**{**raw, **times, "hosts": tuple(raw["hosts"])})
