"""`axis key check`: whether a private key can be used where it lives, and what a signature costs there."""

import statistics
import time
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.console import JsonOption, print_json, say
from axis.settings import Settings
from axis.trust import SigningKey

_SIGNATURES = 20


def check(
    location: Annotated[
        str | None,
        typer.Argument(
            metavar="LOCATION", help="file:/… or pkcs11:… (RFC 7512); default: AXIS_KEY.", show_default=False
        ),
    ] = None,
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--in", metavar="FOLDER", help="Where certificate.pem is; default: the axis's key folder."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Sign with a private key and say how long that takes; the key may be in a token (HSM, card).

    For example:

      axis key check

      axis key check 'pkcs11:token=h37;object=signing?module-path=/opt/hsm.so&pin-source=file:/run/pin' --in H37

    Exit code 69 when the token is not there or does not answer, 78 when the key, its certificate or the PIN is wrong.
    """
    if folder is None:
        settings = Settings.load()
        folder, location = settings.axis_key, location or settings.key
    key = SigningKey.load(folder, location)
    seconds = [_timed(key) for _ in range(_SIGNATURES)]
    milliseconds = round(statistics.median(seconds) * 1000, 3)
    if as_json:
        found = {"algorithm": key.algorithm, "thumbprint": key.thumbprint, "milliseconds": milliseconds}
        print_json(
            {**found, "signatures": _SIGNATURES, "location": location or f"file:{folder.absolute() / 'key.pem'}"}
        )
    else:
        say(f"{key.thumbprint}: signs {key.algorithm}, {milliseconds:g} ms a signature (median of {_SIGNATURES})")


def _timed(key: SigningKey) -> float:
    started = time.perf_counter()
    key.sign(b"axis key check")
    return time.perf_counter() - started
