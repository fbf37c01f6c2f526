"""Who an agency is and where the axis is: a folder written when the agency is connected."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from axis.broker import split_address
from axis.client.addressing import Pins
from axis.client.certificates import pinned
from axis.core.codes import canonical
from axis.errors import AxisError, Misconfigured
from axis.trust import SealingKey, SigningKey, load_sealing_keys
from axis.trust.sealing_keys import CERTIFICATE_SUFFIX, KEY_SUFFIX
from schemas import Code

PROFILE = "profile.json"
KEY = "key.pem"
CERTIFICATE = "certificate.pem"
AXIS_CERTIFICATE = "axis.pem"
AUTHORITIES = "ca.pem"
SEALING = "sealing"  # a folder: NAME.key.pem with NAME.certificate.pem, the one in use and retired ones
RECIPIENTS = "recipients"  # a folder: CODE.pem, the only certificates that documents are sealed for CODE with


class _Profile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Code
    amqp_url: Annotated[SecretStr, Field(min_length=1)]
    gateway_url: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class AgencySettings:
    """Everything the SDK needs to act as one agency.

    `code` is the mailbox and the broker account. `axis_certificate` (PEM, one or more) is what receipts are verified
    against. `ca_file` names the authorities of the gateway's TLS certificate where they are not the system's.
    `sealing_keys` (by thumbprint) open what is sealed for this agency; `pinned` are the only certificates that it seals
    for where a mailbox is named there. `deadline` is in seconds, for each thing waited for; transfers of files may take
    longer as long as bytes move.
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
    deadline: float = 10.0

    def __post_init__(self) -> None:
        """Check that the account is the agency's own: the broker lets nobody publish under another's name."""
        user = unquote(split_address(self.amqp_url.get_secret_value())[0].username or "")
        if user != self.code:
            raise Misconfigured(f"the account in the AMQP address is “{user}”, the agency is {self.code}")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an agency's profile folder; raise Misconfigured naming everything that is missing or wrong."""
        problems = [
            f"{name} is missing"
            for name in (PROFILE, KEY, CERTIFICATE, AXIS_CERTIFICATE)
            if not (folder / name).is_file()
        ]
        if problems:
            raise Misconfigured(f"{folder}: {'; '.join(problems)}")
        try:
            profile = _Profile.model_validate_json((folder / PROFILE).read_bytes())
            key = SigningKey.from_pem((folder / KEY).read_bytes(), (folder / CERTIFICATE).read_bytes())
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
        authorities = folder / AUTHORITIES
        return cls(
            code=profile.code,
            amqp_url=profile.amqp_url,
            gateway_url=profile.gateway_url,
            key=key,
            axis_certificate=axis_certificate,
            state_folder=folder / "state",
            ca_file=authorities if authorities.is_file() else None,
            sealing_keys=sealing_keys,
            pinned=pins,
        )


def write_profile(
    folder: Path, *, code: str, amqp_url: str, gateway_url: str, key: bytes, certificate: bytes, axis_certificate: bytes
) -> None:
    """Write an agency's profile folder (the three last are PEM); secrets are readable by their owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    profile = {"code": code, "amqp_url": amqp_url, "gateway_url": gateway_url}
    _write(folder / PROFILE, json.dumps(profile, indent=2).encode() + b"\n", 0o600)
    _write(folder / KEY, key, 0o600)
    _write(folder / CERTIFICATE, certificate, 0o644)
    _write(folder / AXIS_CERTIFICATE, axis_certificate, 0o644)


def write_sealing_key(folder: Path, *, key: bytes, certificate: bytes, name: str) -> None:
    """Put a sealing key and its certificate (PEM) into a profile folder, under a name that is not taken."""
    place = folder / SEALING
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(place / f"{name}{CERTIFICATE_SUFFIX}", certificate, 0o644)
    _write(place / f"{name}{KEY_SUFFIX}", key, 0o600)


def _pins(folder: Path) -> Pins:
    found = {}
    for path in sorted(folder.glob("*.pem")) if folder.is_dir() else ():
        try:
            found[canonical(path.stem)] = frozenset(each.thumbprint for each in pinned(path.read_bytes()))
        except AxisError as error:
            raise Misconfigured(f"{path}: {error.detail}") from error
    return MappingProxyType(found)


def _write(path: Path, data: bytes, mode: int) -> None:
    # Made with its mode, then put in place: a secret is never readable for a moment, a profile never half written.
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=mode)
    part.write_bytes(data)
    part.replace(path)
