"""Whatever certificate or raw signature comes in, there is a verdict with a code, never another exception."""

import base64
import contextlib
import datetime as dt
import functools
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from axis.errors import Refused
from axis.trust import Keyring, enrol, thumbprint
from axis.trust.algorithms import verifying_key
from axis.trust.encoding import encode
from schemas import REASONS, Certificate
from tests.builders import NOW
from tests.unit.trust.certified import KINDS, certified


@functools.cache
def ring() -> Keyring:
    return Keyring([certified(kind)[1] for kind in KINDS])


def code_of(signature: str, body: bytes = b"{}") -> str:
    with pytest.raises(Refused) as caught:
        ring().verify(body, signature, NOW)
    assert caught.value.code in REASONS
    assert caught.value.detail.isprintable()
    return caught.value.code


@pytest.mark.parametrize("kind", KINDS)
@given(raw=st.binary(min_size=1, max_size=600))
def test_no_made_up_signature_passes(kind: str, raw: bytes) -> None:
    segment = certified(kind)[0].sign(b"{}").split(".")[0]
    assert code_of(f"{segment}..{encode(raw)}") == "signature/invalid"


@functools.cache
def certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ủy ban nhân dân tỉnh Lạng Sơn"),
            x509.NameAttribute(NameOID.COMMON_NAME, "H37"),
        ]
    )
    flags = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        encipher_only=False,
        decipher_only=False,
        **dict.fromkeys(flags, False),
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(NOW - dt.timedelta(1)).not_valid_after(NOW + dt.timedelta(1))
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    alternative = x509.SubjectAlternativeName([x509.DNSName("h37.example"), x509.RFC822Name("vt@h37.example")])
    builder = builder.add_extension(alternative, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


@given(changes=st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=3), cut=st.integers(0, 40))
def test_a_damaged_certificate_is_enrolled_or_refused(changes: list[tuple[int, int]], cut: int) -> None:
    der = bytearray(certificate())
    for place, value in changes:
        der[place % len(der)] = value
    damaged = bytes(der[: len(der) - cut] if cut < 5 else der)
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(damaged) + b"-----END CERTIFICATE-----\n"
    record, refused = None, None
    try:
        record = enrol(pem, "H37", "agency", NOW)
    except Refused as error:
        refused = error
    if record is None:
        assert refused is not None
        assert refused.code in REASONS
        assert refused.detail.isprintable()
    else:
        assert record.subject.isprintable()
        assert len(Keyring([record])) == 1
    # The same bytes in the store, put there by hand: one bad row must not end a worker.
    row = Certificate(
        thumbprint=thumbprint(damaged), organisation="H37", subject="", not_before=NOW, not_after=NOW, der=damaged
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        assert len(Keyring([row])) <= 1


@given(data=st.binary(max_size=200))
def test_bytes_are_no_certificate(data: bytes) -> None:
    for pem in (data, b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(data) + b"-----END CERTIFICATE-----\n"):
        with pytest.raises(Refused):
            enrol(pem, "H37", "agency", NOW)


@given(point=st.binary(min_size=32, max_size=32))
def test_any_ed25519_point_is_taken_or_refused(point: bytes) -> None:
    with contextlib.suppress(Refused):
        verifying_key(ed25519.Ed25519PublicKey.from_public_bytes(point))
