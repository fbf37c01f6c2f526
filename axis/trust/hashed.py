"""Revocation lists as files that OpenSSL and Erlang find by their issuer: `<hash>.r0`.

The hash is X509_NAME_hash of OpenSSL: SHA-1 over the issuer's name with its texts made equal (UTF-8, spaces collapsed,
ASCII letters small), four bytes of it, the last first. It is an index, and protects nothing.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha1

from asn1crypto import core, parser
from asn1crypto import x509 as asn1
from cryptography import x509

_SEQUENCE, _SET = 16, 17
_TEXTS = (
    core.UTF8String,
    core.PrintableString,
    core.TeletexString,
    core.BMPString,
    core.IA5String,
    core.UniversalString,
    core.VisibleString,
)


def file_names(lists: Iterable[x509.CertificateRevocationList]) -> Iterator[tuple[str, x509.CertificateRevocationList]]:
    """Yield each list with the name it is looked for under; the second of one hash ends in `.r1`, and so on."""
    counted: dict[str, int] = {}
    for each in lists:
        found = name_hash(each.issuer)
        number = counted.setdefault(found, 0)
        counted[found] += 1
        yield f"{found}.r{number}", each


def name_hash(name: x509.Name) -> str:
    """Return the hash of a name, as `openssl crl -hash` shows it."""
    digest = sha1(_canonical(name), usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _canonical(name: x509.Name) -> bytes:
    written = b""
    for part in asn1.Name.load(name.public_bytes()).chosen:
        pairs = sorted(_emit(_SEQUENCE, pair["type"].dump() + _value(pair["value"].chosen)) for pair in part)
        written += _emit(_SET, b"".join(pairs))
    return written


def _value(value: core.Asn1Value) -> bytes:
    if not isinstance(value, _TEXTS):
        return bytes(value.dump())
    text = " ".join(value.native.split())
    return bytes(core.UTF8String("".join(c.lower() if c.isascii() else c for c in text)).dump())


def _emit(tag: int, contents: bytes) -> bytes:
    return bytes(parser.emit(0, 1, tag, contents))
