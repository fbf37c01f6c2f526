"""Files of an authority: replaced in one step, written by one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from axis.errors import Misconfigured
from axis.trust.keys import load_key

PRIVATE, PUBLIC = 0o600, 0o644


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for a block."""
    # Two processes that find no key would each make one, and one of them would sign with a key nobody kept.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, data: bytes, mode: int) -> None:
    """Replace a file; nobody ever reads half of it, or a private one for a moment."""
    # Renamed into place: a run that is killed here must not leave half a key, which nothing would ever repair.
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
    fresh.replace(path)


def authority_key(path: Path) -> EllipticCurvePrivateKey:
    """Load an authority's key, made if need be; raise Misconfigured."""
    if not path.exists():
        write(path, key_pem(generate_private_key(SECP256R1())), PRIVATE)
    key = load_key(path.read_bytes())
    if not isinstance(key, EllipticCurvePrivateKey):
        raise Misconfigured(f"{path} is not the key of an authority (P-256)")
    return key


def key_pem(key: EllipticCurvePrivateKey) -> bytes:
    """Write a private key as PKCS #8 in PEM, unencrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
