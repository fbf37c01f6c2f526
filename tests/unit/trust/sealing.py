"""Sealing keys and their certificates for tests, made once."""

import functools

from axis.trust import SealingKey, enrol, new_key
from axis.trust.wrapping import Addressee, addressee
from schemas import Certificate
from tests.builders import NOW
from tests.unit.trust.certified import authority


def sealing(kind: str = "p256", code: str = "H37", number: int = 0) -> tuple[SealingKey, Certificate, bytes, bytes]:
    """Return a sealing key, its enrolled record, and both PEMs; `number` makes further ones of the same."""
    return _made(kind, code, number)


@functools.cache
def _made(kind: str, code: str, number: int) -> tuple[SealingKey, Certificate, bytes, bytes]:
    pem = new_key(kind)
    certificate = authority().issue(code, pem, name=f"Cơ quan {code} {number}", now=NOW, days=30, sealing=True)
    record = enrol(certificate, code, "sealing", NOW, allow_demonstration=True).certificate
    return SealingKey.from_pem(pem, certificate), record, pem, certificate


def addressed(kind: str = "p256", code: str = "H37", number: int = 0) -> Addressee:
    return addressee(sealing(kind, code, number)[1], code, NOW)
