"""Enrolment, keys and the demonstration authority."""

import datetime as dt
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from axis.errors import Misconfigured, Refused
from axis.trust import DemonstrationCA, SigningKey, enrol, is_demonstration, new_key
from axis.trust.algorithms import check_public_key
from axis.trust.certificates import DEMONSTRATION_OID
from axis.trust.issuing import WARNING
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


def test_a_file_holds_one_certificate_and_no_key(tmp_path: Path) -> None:
    first, second = (certificate(ec.generate_private_key(ec.SECP256R1())) for _ in range(2))
    assert refused(first + second) == "certificate/malformed"
    assert refused(new_key("p256") + first) == "certificate/malformed"
    enrol(b"Subject: as openssl x509 -text writes it\n" + first, "H37", "agency", NOW)


def issued(*extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sở Tài chính")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(BEFORE).not_valid_after(AFTER)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def usage(**flags: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    rest = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{**dict.fromkeys((*names, *rest), False), **flags})


def test_what_an_authority_may_do_a_signer_may_not() -> None:
    assert refused(issued((usage(digital_signature=True, key_cert_sign=True), True))) == "certificate/malformed"
    assert refused(issued((usage(digital_signature=True, crl_sign=True), True))) == "certificate/malformed"
    assert refused(issued((usage(key_encipherment=True), False))) == "certificate/malformed"
    enrol(issued((usage(content_commitment=True), True)), "H37", "agency", NOW)
    enrol(issued(), "H37", "agency", NOW)


def test_a_critical_extension_must_be_understood() -> None:
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    assert refused(issued((strange, True))) == "certificate/malformed"
    enrol(issued((strange, False)), "H37", "agency", NOW)


def test_no_other_software_takes_a_demonstration_certificate() -> None:
    from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

    root = x509.load_pem_x509_certificate(authority().certificate)
    leaf = x509.load_pem_x509_certificate(authority().issue("H37", new_key("p256"), name="x", now=NOW))
    leaf.verify_directly_issued_by(root)
    with pytest.raises(VerificationError, match="critical extension"):
        PolicyBuilder().store(Store([root])).time(NOW).build_client_verifier().verify(leaf, [])
    assert any(extension.critical for extension in leaf.extensions if extension.oid == DEMONSTRATION_OID)


def test_the_authority_renews_itself_and_keeps_its_key(tmp_path: Path) -> None:
    first = DemonstrationCA.open_or_create(tmp_path, NOW)
    later = NOW + dt.timedelta(days=360)
    renewed = DemonstrationCA.open_or_create(tmp_path, later)
    assert first.certificate != renewed.certificate
    old, new = (x509.load_pem_x509_certificate(ca.certificate) for ca in (first, renewed))
    assert old.public_key() == new.public_key()
    assert old.not_valid_after_utc - NOW <= dt.timedelta(days=366)
    (tmp_path / "ca.certificate.pem").write_bytes(b"half a fi")
    with pytest.raises(Misconfigured, match=r"ca\.certificate\.pem"):
        DemonstrationCA.open_or_create(tmp_path, NOW)


def test_many_that_open_it_at_once_get_one_authority(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: DemonstrationCA.open_or_create(tmp_path / "ca", NOW).certificate, range(8)))
    assert len(set(made)) == 1


# Points of small order of Curve25519 in Edwards form, little-endian: orders 1, 2, 4, 4, 8, 8, and two spellings of
# such points that RFC 8032 does not allow.
SMALL_ORDER = (
    "01" + "00" * 31,
    "ec" + "ff" * 30 + "7f",
    "00" * 32,
    "00" * 31 + "80",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
)


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_key_that_anybody_can_sign_for_is_refused(point: str) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(point))
    with pytest.raises(Refused) as caught:
        check_public_key(key)
    assert caught.value.code == "certificate/malformed"


def test_why_such_a_key_is_refused() -> None:
    # The neutral element as key: R = S = 0 “signs” everything. If the library ever refuses it, so much the better.
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(SMALL_ORDER[0]))
    key.verify(bytes.fromhex(SMALL_ORDER[0]) + bytes(32), b"anything at all")


def test_rsa_keys_have_a_sane_size_and_exponent() -> None:
    def public(bits: int, exponent: int) -> Any:
        return rsa.RSAPublicNumbers(exponent, (1 << bits - 1) | 1).public_key()

    for bits, exponent in ((2047, 65_537), (8193, 65_537), (2048, 3), (2048, 2**33 + 1)):
        with pytest.raises(Refused) as caught:
            check_public_key(public(bits, exponent))
        assert caught.value.code == "certificate/malformed"
    assert check_public_key(public(2048, 65_537))
