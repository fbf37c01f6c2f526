"""`axis key`: private keys."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.console import JsonOption, print_json, say
from axis.cli.creating import create
from axis.cli.key_check import check
from axis.trust import new_key

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Private keys, for signing documents.")


class Kind(StrEnum):
    """Kinds of keys."""

    ED25519 = "ed25519"
    P256 = "p256"
    RSA = "rsa"
    ML_DSA_65 = "ml-dsa-65"


app.command()(check)


@app.callback()
def _group() -> None:
    """Private keys, for signing documents; `axis certificate` has the certificates for them."""


@app.command()
def new(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the key; never overwrites.")],
    *,
    kind: Annotated[
        Kind, typer.Option(help="Ed25519 signs EdDSA, P-256 ES256, RSA PS256; ML-DSA-65 a second signature.")
    ] = Kind.P256,
    as_json: JsonOption = False,
) -> None:
    """Make a private key (PKCS #8, PEM), readable by its owner only. It is never printed.

    For example:

      axis key new --kind ed25519 --out h37.key.pem

    Then a request for your authority: axis certificate request h37.key.pem --for H37 --name … --out h37.csr.pem
    """
    # Made before the file: Ctrl-C while an RSA key is sought must not leave an empty file, which nothing overwrites.
    pem = new_key(kind.value)
    create(out, pem, mode=0o600)
    if as_json:
        print_json({"file": out, "kind": kind.value})
    else:
        say(f"{out}: a new {kind.value} key")
