"""Keys and certificates for the tests of trust, made once."""

import datetime as dt
import functools
import tempfile
from pathlib import Path

from axis.core.enrolment import Enrolment
from axis.trust import DemonstrationCA, SigningKey, enrol, new_key
from tests.builders import NOW

KINDS = ("ed25519", "p256", "rsa")


@functools.cache
def authority() -> DemonstrationCA:
    return DemonstrationCA.open_or_create(Path(tempfile.mkdtemp(prefix="axis-test-ca-")), NOW)


@functools.cache
def certified(kind: str, code: str = "H37", days: int = 30) -> tuple[SigningKey, Enrolment, bytes]:
    """Return a signing key, its enrolled record, and the private key's PEM."""
    pem = new_key(kind)
    certificate = authority().issue(code, pem, name="UBND tỉnh Lạng Sơn", now=NOW, days=days)
    record = enrol(certificate, code, "agency", NOW, allow_demonstration=True)
    return SigningKey.from_pem(pem, certificate), record, pem


AFTER = NOW + dt.timedelta(days=31)
BEFORE = NOW - dt.timedelta(days=1)
