"""Who an agency is and where the axis is: a folder written when the agency is connected."""

import datetime as dt
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from axis.broker import split_address, unsafe_hosts
from axis.client.addressing import Pins
from axis.client.certificates import pinned
from axis.core.codes import canonical
from axis.core.ending import WARN_DAYS
from axis.errors import AxisError, Misconfigured
from axis.observe import NO_TRACES, Traces
from axis.signatures.trust import Trust
from axis.tls import Credentials, is_loopback
from axis.trust import SealingKey, SigningKey, load_sealing_keys
from axis.trust.files import write
from axis.trust.sealing_keys import CERTIFICATE_SUFFIX, KEY_SUFFIX
from schemas import Code

log = logging.getLogger("axis.client")

PROFILE = "profile.json"
KEY = "key.pem"
CERTIFICATE = "certificate.pem"
AXIS_CERTIFICATE = "axis.pem"
LOG_KEYS = "log.vkey"  # the log's public keys; absent in profiles from before there was a log
AUTHORITIES = "ca.pem"
SECOND = "second"  # a folder: key.pem (ML-DSA-65) and certificate.pem; where it is, every signature is a hybrid
SEALING = "sealing"  # a folder: NAME.key.pem with NAME.certificate.pem, the one in use and retired ones
RECIPIENTS = "recipients"  # a folder: CODE.pem, the only certificates that documents are sealed for CODE with
TRUSTED = "trusted"  # a folder: roots/*.pem and intermediates/*.pem, whose signatures inside documents count
TLS_KEY = "tls.key.pem"
TLS_CERTIFICATE = "tls.certificate.pem"


class TlsFiles(NamedTuple):
    """Whom an agency trusts on the line, and what it proves itself with there; all PEM."""

    ca: bytes
    key: bytes | None = None
    certificate: bytes | None = None


class _Profile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Code
    amqp_url: Annotated[SecretStr, Field(min_length=1)]
    gateway_url: Annotated[str, Field(min_length=1)]
    allow_plaintext: bool = False
    key: Annotated[str | None, Field(description="Where the private key lives, when not in key.pem.")] = None


@dataclass(frozen=True, slots=True)
class AgencySettings:
    """Everything the SDK needs to act as one agency.

    `code` is the mailbox and the broker account. `axis_certificate` (PEM, one or more) is what receipts are verified
    against. `ca_file` names the authorities of the gateway's TLS certificate where they are not the system's,
    `tls_certificate` and `tls_key` what it is shown; for the broker its address names the same three. Without TLS
    nothing goes to another machine unless `allow_plaintext` says that the network is safe by itself.
    `sealing_keys` (by thumbprint) open what is sealed for this agency; where none does, those in `sealing_folder` are
    read anew. `pinned` are the only certificates that it seals
    for where a mailbox is named there. `deadline` is in seconds, for each thing waited for; transfers of files may take
    longer as long as bytes move. `document_trust` is whose signatures inside documents count; nobody's by default.
    `traces`: where spans are recorded (`axis.observe.open_traces`, or an application's own provider in
    `axis.observe.recording.RecordedTraces`).
    """

    code: str
    amqp_url: SecretStr
    gateway_url: str
    key: SigningKey = field(repr=False)
    axis_certificate: bytes = field(repr=False)
    state_folder: Path
    ca_file: Path | None = None
    sealing_keys: Mapping[str, SealingKey] = field(default_factory=dict, repr=False)
    pinned: Pins = field(default_factory=dict, repr=False)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    allow_plaintext: bool = False
    deadline: float = 10.0
    document_trust: Trust = field(default_factory=Trust, repr=False)
    sealing_folder: Path | None = None
    traces: Traces = field(default=NO_TRACES, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that the account is the agency's own, and that nothing is said in the clear to another machine.

        The broker lets nobody publish under another's name.
        """
        user = unquote(split_address(self.amqp_url.get_secret_value())[0].username or "")
        if user != self.code:
            raise Misconfigured(f"the account in the AMQP address is “{user}”, the agency is {self.code}")
        unsafe = unsafe_hosts(self.amqp_url.get_secret_value())
        gateway = urlsplit(self.gateway_url)
        if gateway.scheme == "http" and not is_loopback(gateway.hostname or ""):
            unsafe.append(f"the gateway at {gateway.hostname}")
        if unsafe and not self.allow_plaintext:
            raise Misconfigured(f"{', '.join(unsafe)}: documents would go there unencrypted", code="tls/plain")

    def warn_of_the_end(self, at: dt.datetime) -> None:
        """Say that the agency's certificate ends soon: the axis has no queue to say it in."""
        end = self.key.not_after
        if end is not None and end - at <= dt.timedelta(days=max(WARN_DAYS)):
            log.warning(
                "the certificate of %s ends at %s: have a successor issued and enrolled before",
                self.code,
                end.isoformat(),
            )

    @property
    def tls(self) -> Credentials:
        """The agency as a client of the gateway."""
        return Credentials(self.ca_file, self.tls_certificate, self.tls_key)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an agency's profile folder; raise Misconfigured naming everything that is missing or wrong."""
        problems = [
            f"{name} is missing"
            for name in (PROFILE, KEY, CERTIFICATE, AXIS_CERTIFICATE)
            if not (folder / name).is_file() and not (name == KEY and _location_in(folder))
        ]
        if problems:
            raise Misconfigured(f"{folder}: {'; '.join(problems)}")
        try:
            profile = _Profile.model_validate_json((folder / PROFILE).read_bytes())
            axis_certificate = (folder / AXIS_CERTIFICATE).read_bytes()
            sealing_keys = load_sealing_keys(folder / SEALING)
            pins = _pins(folder / RECIPIENTS)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, e['loc'])) or PROFILE}: {e['msg']}" for e in error.errors())
            raise Misconfigured(f"{folder / PROFILE}: {told}") from error
        except OSError as error:
            raise Misconfigured(f"{folder}: {error.strerror}: {error.filename}") from error
        except AxisError as error:
            raise Misconfigured(f"{folder}: {error.detail}") from error
        authorities, certificate, tls_key = (
            path if (path := folder / name).is_file() else None for name in (AUTHORITIES, TLS_CERTIFICATE, TLS_KEY)
        )
        files = {"cafile": authorities, "certfile": certificate, "keyfile": tls_key}
        key = SigningKey.load(folder, profile.key)
        if (folder / SECOND).is_dir():
            key = key.with_second(SigningKey.load(folder / SECOND))
        return cls(
            code=profile.code,
            amqp_url=SecretStr(_with_files(profile.amqp_url.get_secret_value(), files)),
            gateway_url=profile.gateway_url,
            key=key,
            axis_certificate=axis_certificate,
            state_folder=folder / "state",
            ca_file=authorities,
            sealing_keys=sealing_keys,
            sealing_folder=folder / SEALING,
            pinned=pins,
            tls_certificate=certificate,
            tls_key=tls_key,
            allow_plaintext=profile.allow_plaintext,
            document_trust=Trust.load(folder / TRUSTED),
        )


def _location_in(folder: Path) -> str | None:
    """Return where the profile says that its private key lives; None when it is in key.pem, or nothing can be read."""
    try:
        return _Profile.model_validate_json((folder / PROFILE).read_bytes()).key
    except (OSError, ValidationError):
        return None


def write_profile(
    folder: Path,
    *,
    code: str,
    amqp_url: str,
    gateway_url: str,
    key: bytes,
    certificate: bytes,
    axis_certificate: bytes,
    tls: TlsFiles | None = None,
    allow_plaintext: bool = False,
    log_keys: str = "",
) -> None:
    """Write an agency's profile folder (keys and certificates are PEM); secrets are readable by their owner only.

    Without `tls`, and without `log_keys` (the log's public keys, one a line), what is there of it stays: an agency puts
    its own files beside the profile.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    profile: dict[str, object] = {"code": code, "amqp_url": amqp_url, "gateway_url": gateway_url}
    if allow_plaintext:
        profile["allow_plaintext"] = True
    if tls is not None:
        write(folder / AUTHORITIES, tls.ca, 0o644)
        if tls.key is not None and tls.certificate is not None:
            write(folder / TLS_KEY, tls.key, 0o600)
            write(folder / TLS_CERTIFICATE, tls.certificate, 0o644)
    if location := _location_in(folder):
        profile["key"] = location  # the agency's own doing: a profile written again must not make it look for a file
    write(folder / PROFILE, json.dumps(profile, indent=2).encode() + b"\n", 0o600)
    write(folder / KEY, key, 0o600)
    write(folder / CERTIFICATE, certificate, 0o644)
    write(folder / AXIS_CERTIFICATE, axis_certificate, 0o644)
    if log_keys:
        write(folder / LOG_KEYS, log_keys.encode(), 0o644)


def write_sealing_key(folder: Path, *, key: bytes, certificate: bytes, name: str) -> None:
    """Put a sealing key and its certificate (PEM) into a profile folder, under a name that is not taken."""
    place = folder / SEALING
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(place / f"{name}{CERTIFICATE_SUFFIX}", certificate, 0o644)
    write(place / f"{name}{KEY_SUFFIX}", key, 0o600)


def _pins(folder: Path) -> Pins:
    found = {}
    for path in sorted(folder.glob("*.pem")) if folder.is_dir() else ():
        try:
            found[canonical(path.stem)] = frozenset(each.thumbprint for each in pinned(path.read_bytes()))
        except AxisError as error:
            raise Misconfigured(f"{path}: {error.detail}") from error
    return MappingProxyType(found)


def _with_files(amqp_url: str, files: dict[str, Path | None]) -> str:
    """Name the profile's own TLS files in the address, where it does not name others: a profile may be moved."""
    address, _, query = amqp_url.partition("?")
    options = dict(parse_qsl(query))
    if not address.startswith("amqps:") or options.keys() & files.keys():
        return amqp_url
    options |= {name: str(path) for name, path in files.items() if path is not None}
    return f"{address}?{urlencode(options, safe='/')}" if options else address
