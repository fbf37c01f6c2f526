"""Enrolment, keys and the demonstration authority."""

import datetime as dt
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from axis.errors import Misconfigured, Refused
from axis.trust import DemonstrationCA, SigningKey, enrol, is_demonstration, new_key
from axis.trust.demonstration import WARNING
from tests.builders import NOW
from tests.unit.trust.certified import AFTER, BEFORE, authority, certified


def certificate(key: Any, *, ca: bool = False, usage: bool | None = True, days: int = 30) -> bytes:
    """Issue as an authority of nobody's would."""
    issuer = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sở Tài chính")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - dt.timedelta(hours=1))
        .not_valid_after(NOW + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if usage is not None:
        flags = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
        )
        told = x509.KeyUsage(
            digital_signature=usage, content_commitment=False, key_cert_sign=not usage, crl_sign=False, **flags
        )
        builder = builder.add_extension(told, critical=True)
    return builder.sign(issuer, SHA256()).public_bytes(Encoding.PEM)


def refused(pem: bytes, at: dt.datetime = NOW) -> str:
    with pytest.raises(Refused) as caught:
        enrol(pem, "H37", "agency", at)
    return caught.value.code


def test_a_good_certificate_is_enrolled_under_its_thumbprint() -> None:
    pem = certificate(ec.generate_private_key(ec.SECP256R1()))
    record = enrol(pem, "H37", "gateway", NOW)
    assert (record.organisation, record.role, record.revoked_at) == ("H37", "gateway", None)
    assert "Sở Tài chính" in record.subject
    assert len(record.thumbprint) == 43
    assert not is_demonstration(x509.load_pem_x509_certificate(pem))


def test_what_cannot_be_used_is_refused_at_enrolment() -> None:
    good = ec.generate_private_key(ec.SECP256R1())
    assert refused(b"") == "certificate/malformed"
    assert refused(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") == "certificate/malformed"
    assert refused(b"x" * 100_000) == "certificate/malformed"
    assert refused(certificate(good), BEFORE) == "certificate/not-yet-valid"
    assert refused(certificate(good), AFTER) == "certificate/expired"
    assert refused(certificate(good, ca=True)) == "certificate/malformed"
    assert refused(certificate(good, usage=False)) == "certificate/malformed"
    assert refused(certificate(ec.generate_private_key(ec.SECP384R1()))) == "certificate/malformed"
    breakable = rsa.generate_private_key(65_537, 1024)  # noqa: S505 - that is what is refused
    assert refused(certificate(breakable)) == "certificate/malformed"
    assert refused(certificate(Ed448PrivateKey.generate())) == "certificate/malformed"
    enrol(certificate(good, usage=None), "H37", "agency", NOW)


def test_a_demonstration_certificate_cannot_be_mistaken() -> None:
    pem = authority().issue("H37", new_key("p256"), name="UBND tỉnh Lạng Sơn", now=NOW, days=10_000)
    loaded = x509.load_pem_x509_certificate(pem)
    assert is_demonstration(loaded)
    assert WARNING in loaded.subject.rfc4514_string()
    assert WARNING in loaded.issuer.rfc4514_string()
    assert loaded.not_valid_after_utc - NOW <= dt.timedelta(days=366)
    assert refused(pem) == "certificate/malformed"
    enrol(pem, "H37", "agency", NOW, allow_demonstration=True)


def test_the_authority_is_made_once_and_keeps_its_key_to_itself(tmp_path: Path) -> None:
    first = DemonstrationCA.open_or_create(tmp_path / "ca", NOW)
    again = DemonstrationCA.open_or_create(tmp_path / "ca", AFTER)
    assert first.certificate == again.certificate
    assert stat.S_IMODE((tmp_path / "ca" / "ca.key.pem").stat().st_mode) == 0o600


def test_an_authority_is_no_signer() -> None:
    assert refused(authority().certificate) == "certificate/malformed"


def test_a_key_is_loaded_with_its_own_certificate_only(tmp_path: Path) -> None:
    _, _, pem = certified("p256")
    other = authority().issue("H37", new_key("p256"), name="x", now=NOW)
    with pytest.raises(Misconfigured, match="another key"):
        SigningKey.from_pem(pem, other)
    for bad in (b"", b"nonsense", other):
        with pytest.raises(Misconfigured):
            SigningKey.from_pem(bad, None)
    with pytest.raises(Misconfigured, match=r"key\.pem"):
        SigningKey.load(tmp_path)
    with pytest.raises(Misconfigured, match="no certificate"):
        SigningKey.from_pem(pem, None).sign(b"")
    with pytest.raises(Misconfigured, match="no kind of key"):
        new_key("dsa")


def test_a_key_never_shows_itself() -> None:
    key, _, pem = certified("p256")
    assert pem.decode() not in repr(key)
    assert "PRIVATE" not in repr(key)
