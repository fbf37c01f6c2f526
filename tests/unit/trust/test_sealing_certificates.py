"""Which certificates are for sealing, and that such a key signs nothing."""

import datetime as dt
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from axis.errors import Misconfigured, Refused
from axis.trust import Keyring, SealingKey, SigningKey, enrol, issue_token, load_sealing_keys, new_key, verify_token
from axis.trust.sealing_usage import check_apart
from axis.trust.wrapping import addressee
from schemas import Certificate
from tests.builders import NOW
from tests.unit.trust.certified import AFTER, authority, certified
from tests.unit.trust.sealing import sealing


def usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in names for name in every.split()})


def certificate(key_usage: x509.KeyUsage | None) -> bytes:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "H37")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + dt.timedelta(days=1))
    if key_usage is not None:
        builder = builder.add_extension(key_usage, critical=True)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize("kind", ["p256", "rsa"])
def test_a_certificate_for_sealing_is_enrolled(kind: str) -> None:
    assert sealing(kind)[1].role == "sealing"


@pytest.mark.parametrize(
    "key_usage",
    [
        None,
        usage("key_encipherment"),  # what RSA needs, not P-256
        usage("key_agreement", "digital_signature"),
        usage("key_agreement", "content_commitment"),
        usage("key_agreement", "key_cert_sign"),
    ],
)
def test_a_key_usage_that_is_not_for_sealing_alone_is_refused(key_usage: x509.KeyUsage | None) -> None:
    with pytest.raises(Refused) as caught:
        enrol(certificate(key_usage), "H37", "sealing", NOW)
    assert caught.value.code == "certificate/malformed"


def test_a_certificate_for_signing_is_not_for_sealing_nor_the_other_way_round() -> None:
    signing = authority().issue("H37", new_key("p256"), name="H37", now=NOW)
    for pem, role in ((signing, "sealing"), (sealing("p256")[3], "agency")):
        with pytest.raises(Refused) as caught:
            enrol(pem, "H37", role, NOW, allow_demonstration=True)  # type: ignore[arg-type]  # both are roles
        assert caught.value.code == "certificate/malformed"


def test_ed25519_only_signs() -> None:
    pem = authority().issue("H37", new_key("ed25519"), name="H37", now=NOW, sealing=True)
    with pytest.raises(Refused) as caught:
        enrol(pem, "H37", "sealing", NOW, allow_demonstration=True)
    assert caught.value.code == "seal/key-kind"
    key = new_key("ed25519")
    with pytest.raises(Misconfigured) as wrong:
        SealingKey.from_pem(key, authority().issue("H37", key, name="H37", now=NOW))
    assert wrong.value.code == "seal/key-kind"


def test_one_key_is_not_enrolled_for_both() -> None:
    pem = new_key("p256")
    signs = enrol(authority().issue("H37", pem, name="x", now=NOW), "H37", "agency", NOW, allow_demonstration=True)
    opens = enrol(
        authority().issue("H37", pem, name="x", now=NOW, sealing=True), "H37", "sealing", NOW, allow_demonstration=True
    )
    check_apart(opens, [opens, sealing("rsa")[1], certified("p256")[1]])
    for one, other in ((opens, signs), (signs, opens)):
        with pytest.raises(Refused) as caught:
            check_apart(one, [other])
        assert caught.value.code == "seal/key-kind"


def test_a_sealing_key_signs_nothing() -> None:
    _, record, key_pem, certificate_pem = sealing("p256")
    key = SigningKey.from_pem(key_pem, certificate_pem)
    ring = Keyring([record, certified("p256")[1]])
    with pytest.raises(Refused) as caught:
        ring.verify(b"{}", key.sign(b"{}"), NOW)
    assert caught.value.code == "abuse/signer"
    token = issue_token(key, code="H37", method="GET", path="/x", now=NOW)
    with pytest.raises(Refused) as caught:
        verify_token(token, ring, method="GET", path="/x", now=NOW)
    assert caught.value.code == "abuse/signer"
    assert ring.updated([record]).get(record.thumbprint) == record


SOUND = sealing("p256")[1]


@pytest.mark.parametrize(
    "offered",
    [
        SOUND.model_copy(update={"role": "agency"}),
        SOUND.model_copy(update={"organisation": "G12"}),
        SOUND.model_copy(update={"revoked_at": NOW}),
        SOUND.model_copy(update={"thumbprint": "A" * 43}),
        SOUND.model_copy(update={"der": b"\x30\x00"}),
        SOUND.model_copy(update={"der": sealing("p256", number=1)[1].der}),
        certified("p256")[1].model_copy(update={"role": "sealing"}),
        certified("ed25519")[1].model_copy(update={"role": "sealing"}),
    ],
    ids=["role", "organisation", "revoked", "thumbprint", "broken", "another", "signs", "ed25519"],
)
def test_what_the_directory_offers_is_looked_at_again(offered: Certificate) -> None:
    with pytest.raises(Refused) as caught:
        addressee(offered, "H37", NOW)
    assert caught.value.code == "seal/certificate"
    assert caught.value.detail.startswith("H37: ")


def test_an_expired_certificate_is_not_sealed_for_whatever_the_record_says() -> None:
    longer = SOUND.model_copy(update={"not_after": AFTER + dt.timedelta(days=900)})
    with pytest.raises(Refused, match="not valid now"):
        addressee(longer, "H37", AFTER)


def put(folder: Path, name: str, key: bytes, certificate_pem: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.key.pem").write_bytes(key)
    (folder / f"{name}.certificate.pem").write_bytes(certificate_pem)


def test_every_key_in_the_folder_is_loaded(tmp_path: Path) -> None:
    assert load_sealing_keys(tmp_path / "none") == {}
    for name, (_, _, key, pem) in {"2025": sealing("rsa"), "2026": sealing("p256")}.items():
        put(tmp_path / "sealing", name, key, pem)
    keys = load_sealing_keys(tmp_path / "sealing")
    assert keys.keys() == {sealing("rsa")[1].thumbprint, sealing("p256")[1].thumbprint}
    assert all("PRIVATE" not in repr(key) for key in keys.values())


def test_everything_that_is_wrong_in_the_folder_is_named_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "sealing"
    put(folder, "mixed", sealing("p256")[2], sealing("p256", number=1)[3])
    put(folder, "broken", b"x", sealing("p256")[3])
    (folder / "alone.key.pem").write_bytes(sealing("p256")[2])
    with pytest.raises(Misconfigured) as caught:
        load_sealing_keys(folder)
    for told in ("mixed.key.pem: the certificate is for another key", "broken.key.pem", "alone.certificate.pem"):
        assert told in caught.value.detail
    assert os.sep in caught.value.detail
