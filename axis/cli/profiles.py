"""The profile folders of agencies on this machine: `<home>/agencies/<CODE>/`."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.accounts import account_in
from axis.client.settings import (
    AUTHORITIES,
    AXIS_CERTIFICATE,
    CERTIFICATE,
    KEY,
    LOG_KEYS,
    PROFILE,
    TLS_CERTIFICATE,
    TLS_KEY,
    AgencySettings,
    TlsFiles,
    write_profile,
)
from axis.core.codes import canonical
from axis.errors import Misconfigured, NotFound
from axis.settings import HOME_VARIABLE

AsOption = Annotated[
    str, typer.Option("--as", metavar="CODE", help="The agency to act as; its profile is used.", show_default=False)
]
ProfileOption = Annotated[
    Path | None,
    typer.Option(
        "--profile", metavar="DIR", help="The profile folder; default: .axis/agencies/CODE.", show_default=False
    ),
]


def home_folder() -> Path:
    """Return the folder named by AXIS_HOME, else `.axis` in the current folder."""
    return Path(os.environ.get(HOME_VARIABLE, ".axis"))


def profile_folder(home: Path, code: str) -> Path:
    """Return where the profile of an agency lies; a canonical code is safe as a file name."""
    return home / "agencies" / code


def load_profile(agency: str, folder: Path | None = None) -> AgencySettings:
    """Load the profile of an agency; raise NotFound saying how to get one."""
    code = canonical(agency, tolerant=True)
    place = folder or profile_folder(home_folder(), code)
    if not (place / PROFILE).is_file():
        raise NotFound(
            f"{code} has no profile in {place}: `axis agency add {code} --mailbox --demonstration-key` makes one, or "
            "name the folder with --profile",
            code="agency/no-profile",
        )
    settings = AgencySettings.load(place)
    if settings.code != code:
        raise Misconfigured(f"the profile in {place} is that of {settings.code}, not of {code}", code="agency/profile")
    return settings


def keep_profile(
    folder: Path,
    *,
    code: str,
    amqp_url: str,
    gateway_url: str,
    key: bytes | None,
    certificate: bytes | None,
    axis_certificate: bytes,
    tls: TlsFiles | None = None,
    allow_plaintext: bool = False,
    log_keys: str = "",
) -> bool:
    """Write a profile unless it is there as it has to be; say whether it was written.

    Without the private key (an agency that keeps its own) the profile waits for `key.pem` to be put beside the rest.
    """
    names = (PROFILE, KEY, CERTIFICATE, AXIS_CERTIFICATE, AUTHORITIES, TLS_KEY, TLS_CERTIFICATE, LOG_KEYS)
    before = [_read(folder / name) for name in names]
    write_profile(
        folder,
        code=code,
        amqp_url=amqp_url,
        gateway_url=gateway_url,
        key=key or b"",
        certificate=certificate or b"",
        axis_certificate=axis_certificate,
        tls=tls,
        allow_plaintext=allow_plaintext,
        log_keys=log_keys,
    )
    for name, content in ((KEY, key), (CERTIFICATE, certificate)):
        if content is None:
            (folder / name).unlink()
    return before != [_read(folder / name) for name in names]


def password_in(folder: Path) -> str | None:
    """Return the broker password in a profile; None when there is no profile to read."""
    try:
        profile = json.loads((folder / PROFILE).read_text(encoding="utf-8"))
        return account_in(profile["amqp_url"])[1]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
