"""The wrapped keys: the cookbook's vector, ours, and every way of tampering with them."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.x509 import load_der_x509_certificate
from joserfc import jwe as joserfc
from joserfc.jwk import ECKey

from axis.core.reading import parse_sealed
from axis.core.sealing import associated_data
from axis.errors import Refused
from axis.trust import SealingKey, encoding
from axis.trust.stream import Opening
from axis.trust.wrapping import unwrap, wrap
from schemas import MAX_KEYS_BYTES, SealContents
from tests.unit.trust.sealing import addressed, sealing

VECTORS = Path(__file__).parents[2] / "vectors" / "sealing"
DOCUMENT: dict[str, Any] = json.loads((VECTORS / "axis-seal.json").read_text(encoding="utf-8"))["document"]
COOKBOOK: dict[str, Any] = json.loads((VECTORS / "rfc7520-5.13.json").read_text(encoding="utf-8"))
CONTENT = "Nội dung chỉ nơi nhận đọc được".encode()


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code


def test_the_cookbooks_jwe_for_several_recipients_opens_with_the_library_we_use() -> None:
    # Its curve and content encryption are not ours, so what is ours refuses it; key agreement, wrapping and the JSON
    # form are the same.
    registry = joserfc.JWERegistry(
        algorithms=["RSA1_5", "ECDH-ES+A256KW", "A256GCMKW", "A128CBC-HS256"], verify_all_recipients=False
    )
    alone: Any = {**COOKBOOK["jwe"], "recipients": COOKBOOK["jwe"]["recipients"][1:2]}
    opened = joserfc.decrypt_json(alone, ECKey.import_key(COOKBOOK["key"]), registry=registry)
    assert opened.plaintext == COOKBOOK["plaintext"].encode()
    key = sealing()[0]
    assert code_of(lambda: unwrap(json.dumps(COOKBOOK["jwe"]).encode(), {key.thumbprint: key})) == "seal/malformed"


def vector_key(number: int) -> SealingKey:
    described = DOCUMENT["recipients"][number]
    private = load_der_private_key(base64.b64decode(described["private_key_pkcs8_base64"]), None)
    certificate = load_der_x509_certificate(base64.b64decode(described["certificate_der_base64"]))
    assert private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SealingKey(private, certificate)  # type: ignore[arg-type]  # P-256 or RSA, as the vector says


@pytest.mark.parametrize("number", [0, 1], ids=["p256", "rsa"])
def test_our_vector_opens_with_each_of_its_keys_alone(number: int) -> None:
    key = vector_key(number)
    assert key.thumbprint == DOCUMENT["recipients"][number]["thumbprint"]
    blob = DOCUMENT["keys_blob"].encode()
    assert hashlib.sha256(blob).hexdigest() == DOCUMENT["keys_sha256"]
    content = unwrap(blob, {key.thumbprint: key})
    assert content.decode() == DOCUMENT["contents"]
    contents = parse_sealed(content, SealContents, MAX_KEYS_BYTES)
    assert encoding.decode(contents.key).hex() == DOCUMENT["content_key_hex"]
    for place, (stored, text) in enumerate(zip(DOCUMENT["attachments"], DOCUMENT["plaintexts"], strict=True)):
        opening = Opening(encoding.decode(contents.key), associated_data(place))
        opened = b"".join(opening.feed(base64.b64decode(stored["content_base64"]))) + opening.finish()
        assert opened.decode() == text
        assert hashlib.sha256(opened).hexdigest() == contents.files[place].sha256


@pytest.mark.parametrize("kind", ["p256", "rsa"])
def test_each_addressee_opens_and_nobody_else(kind: str) -> None:
    blob = wrap(CONTENT, [addressed("p256", "G12"), addressed(kind)])
    own, other = sealing(kind)[0], sealing(kind, number=1)[0]
    assert unwrap(blob, {own.thumbprint: own}) == CONTENT
    assert unwrap(blob, {other.thumbprint: other, own.thumbprint: own}) == CONTENT
    assert code_of(lambda: unwrap(blob, {other.thumbprint: other})) == "seal/not-for-you"
    # A wrong key in the place of the right one: what a mixed-up folder would do.
    assert code_of(lambda: unwrap(blob, {own.thumbprint: other})) == "seal/broken"


def test_a_mailbox_more_costs_one_wrapped_key() -> None:
    sizes = [len(wrap(CONTENT, [addressed("p256", "G12"), *[addressed()] * n])) for n in (0, 1, 2)]
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0]
    assert sizes[1] - sizes[0] < 400


def test_a_key_of_another_kind_under_the_thumbprint_is_refused() -> None:
    blob = wrap(CONTENT, [addressed("p256")])
    own, rsa = sealing("p256")[0], sealing("rsa")[0]
    assert code_of(lambda: unwrap(blob, {own.thumbprint: rsa})) == "seal/malformed"


def tampered(change: Callable[[dict[str, Any]], object]) -> bytes:
    jwe = json.loads(wrap(CONTENT, [addressed("p256"), addressed("rsa")]))
    change(jwe)
    return json.dumps(jwe).encode()


def flipped(text: str) -> str:
    return ("A" if text[0] != "A" else "B") + text[1:]


def stray(text: str) -> str:
    """Spell the same bytes another way: unused bits of the last character set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


OTHER_EPK = json.loads(wrap(b"x", [addressed("p256")]))["recipients"][0]["header"]["epk"]
BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "ciphertext": lambda j: j.update(ciphertext=flipped(j["ciphertext"])),
    "tag": lambda j: j.update(tag=flipped(j["tag"])),
    "iv": lambda j: j.update(iv=flipped(j["iv"])),
    "encrypted key": lambda j: j["recipients"][0].update(encrypted_key=flipped(j["recipients"][0]["encrypted_key"])),
    "another epk": lambda j: j["recipients"][0]["header"].update(epk=OTHER_EPK),
    "epk off the curve": lambda j: j["recipients"][0]["header"]["epk"].update(y=OTHER_EPK["y"]),
    "wrapped key of another": lambda j: j["recipients"][0].update(
        encrypted_key=json.loads(wrap(b"x", [addressed("p256")]))["recipients"][0]["encrypted_key"]
    ),
    "stray bits": lambda j: j.update(tag=stray(j["tag"])),
    "short key": lambda j: j["recipients"][0].update(encrypted_key="AAAA"),
}
MALFORMED: dict[str, Callable[[dict[str, Any]], object]] = {
    "other protected header": lambda j: j.update(protected=encoding.encode(b'{"enc":"A128GCM"}')),
    "the same header, spaced": lambda j: j.update(protected=encoding.encode(b'{"enc": "A256GCM","typ":"axis-seal"}')),
    "shared header": lambda j: j.update(unprotected={"zip": "DEF"}),
    "aad": lambda j: j.update(aad="AAAA"),
    "zip": lambda j: j["recipients"][0]["header"].update(zip="DEF"),
    "crit": lambda j: j["recipients"][0]["header"].update(crit=["x"]),
    "dir": lambda j: j["recipients"][0]["header"].update(alg="dir"),
    "password": lambda j: j["recipients"][0]["header"].update(alg="PBES2-HS256+A128KW", p2c=10**9, p2s="AAAA"),
    "RSA1_5": lambda j: j["recipients"][1]["header"].update(alg="RSA1_5"),
    "ecdh without epk": lambda j: j["recipients"][0]["header"].pop("epk"),
    "rsa with epk": lambda j: j["recipients"][1]["header"].update(epk=OTHER_EPK),
    "private epk": lambda j: j["recipients"][0]["header"]["epk"].update(d="A" * 43),
    "other curve": lambda j: j["recipients"][0]["header"]["epk"].update(crv="P-384"),
    "nobody": lambda j: j.update(recipients=[]),
    "no tag": lambda j: j.pop("tag"),
    "kid": lambda j: j["recipients"][0]["header"].update(kid="H37"),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_whatever_was_altered_does_not_open(change: Callable[[dict[str, Any]], object]) -> None:
    key = sealing("p256")[0]
    assert code_of(lambda: unwrap(tampered(change), {key.thumbprint: key})) == "seal/broken"


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED.keys())
def test_whatever_is_not_of_the_form_is_not_even_tried(change: Callable[[dict[str, Any]], object]) -> None:
    key = sealing("p256")[0]
    assert code_of(lambda: unwrap(tampered(change), {key.thumbprint: key})) == "seal/malformed"


@pytest.mark.parametrize("blob", [b"", b"{}", b"\xff", b"[]", b'{"tag":1,"tag":2}', b"[" * 100_000])
def test_what_is_no_jwe_at_all(blob: bytes) -> None:
    key = sealing("p256")[0]
    assert code_of(lambda: unwrap(blob, {key.thumbprint: key})) == "seal/malformed"
