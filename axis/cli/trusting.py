"""What a verifying command trusts: the axis's certificate and the log's keys, out of files alone."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.profiles import home_folder, profile_folder
from axis.client.logs import Trusted, read_keys
from axis.client.settings import AXIS_CERTIFICATE, CERTIFICATE, LOG_KEYS
from axis.core.codes import canonical
from axis.errors import Misconfigured
from axis.proving import NoteKey
from axis.proving.timestamps import read_roots

AgencyOption = Annotated[
    str | None,
    typer.Option("--as", metavar="CODE", help="Trust what this agency's profile says.", show_default=False),
]
CertificateOption = Annotated[
    Path | None,
    typer.Option("--axis-certificate", metavar="FILE", help="The axis's certificates, PEM.", show_default=False),
]
LogKeyOption = Annotated[
    list[str] | None,
    typer.Option("--log-key", metavar="KEY", help="The log's public key, or a file of them.", show_default=False),
]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--tsa-root", metavar="FILE", help="Roots of timestamp authorities, PEM: ask for a time.", show_default=False
    ),
]


def log_keys(given: list[str] | None, agency: str | None, profile: Path | None) -> list[NoteKey]:
    """Return the keys given, else those of a profile, else those of the axis on this machine."""
    if given:
        return [key for each in given for key in read_keys(_text(Path(each)) if Path(each).is_file() else each)]
    return read_keys(_text(_place(agency, profile) / LOG_KEYS))


def trusted(
    certificate: Path | None, keys: list[str] | None, tsa_root: Path | None, agency: str | None, profile: Path | None
) -> Trusted:
    """Gather what a receipt is verified with; raise Misconfigured naming the file that is missing."""
    if certificate is None:
        certificate = _place(agency, profile) / (AXIS_CERTIFICATE if agency or profile else CERTIFICATE)
    found = Trusted(read_bytes(certificate), log_keys(keys, agency, profile))
    return found if tsa_root is None else replace(found, tsa_roots=read_roots(read_bytes(tsa_root)))


def _place(agency: str | None, profile: Path | None) -> Path:
    if profile is not None:
        return profile
    if agency is not None:
        return profile_folder(home_folder(), canonical(agency, tolerant=True))
    return home_folder() / "axis-key"


def read_bytes(path: Path) -> bytes:
    """Read a file of public keys; raise Misconfigured naming it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"{path}: {error.strerror}; name the public keys with --as, or --axis-certificate and --log-key"
        ) from error


def _text(path: Path) -> str:
    return read_bytes(path).decode(errors="replace")
