"""Whose certificate is it? The rule by which a certificate says the identifier code of its organisation.

A name is no proof: there is a “Sở Nội vụ” in every province. Only a code counts, alone in one of these attributes of
the subject, in either spelling (H37.05 or 000.00.05.H37). Where several of them hold codes, all must be the same.
Authorities that put no code into certificates leave it to the operator, who confirms by hand whose it is, and is
remembered with his reason.
"""

from cryptography import x509
from cryptography.x509.oid import NameOID

from axis.core.codes import canonical
from axis.errors import Malformed, Refused
from axis.trust.certificates import UNREADABLE, load_pem

_ATTRIBUTES = (
    (NameOID.ORGANIZATION_IDENTIFIER, "organizationIdentifier"),  # ETSI EN 319 412-1 section 5.1.4
    (NameOID.SERIAL_NUMBER, "serialNumber"),
    (NameOID.USER_ID, "UID"),
    (NameOID.COMMON_NAME, "commonName"),
)


def matched_by(certificate_pem: bytes, organisation: str) -> str:
    """Name the attribute in which a certificate says that it is the organisation's; raise Refused.

    `organisation` is a canonical code. `certificate/organisation`: it says no code, or another one's.
    """
    said = _codes(load_pem(certificate_pem))
    if not said:
        told = f"its subject says no identifier code, so not that it is {organisation}'s"
        raise Refused("certificate/organisation", told)
    if others := [f"{name} says {code}" for name, code in said if code != organisation]:
        told = f"it is to be enrolled for {organisation}, but its {', '.join(others)}"
        raise Refused("certificate/organisation", told)
    return said[0][0]


def _codes(certificate: x509.Certificate) -> list[tuple[str, str]]:
    try:
        return [
            (name, code)
            for oid, name in _ATTRIBUTES
            for attribute in certificate.subject.get_attributes_for_oid(oid)
            if (code := _code(attribute.value)) is not None
        ]
    except UNREADABLE as error:
        raise Refused("certificate/malformed", f"its subject cannot be read: {error}"[:300]) from error


def _code(value: str | bytes) -> str | None:
    if isinstance(value, bytes):
        return None
    try:
        return canonical(value)
    except Malformed:
        return None
