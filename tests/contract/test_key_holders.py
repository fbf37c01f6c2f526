"""Private keys in files and in a real token (SoftHSM): the same signatures, verified by the same ring."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axis.errors import Misconfigured, Refused, Unavailable
from axis.trust import Keyring, SigningKey, new_key
from tests.builders import NOW
from tests.softhsm import Hsm, module, softhsm
from tests.unit.trust.certified import KINDS, authority, certified

BODY = "Công văn 1/VPCP-TTĐT".encode()
ALGORITHMS = {"ed25519": "EdDSA", "p256": "ES256", "rsa": "PS256"}

Load = Callable[[str], SigningKey]


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hsm]:
    with softhsm(tmp_path, monkeypatch) as made:
        yield made


def put(hsm: Hsm, kind: str, folder: Path) -> str:
    """Put a key into a new token and its certificate into the folder; return the key's URI."""
    _, _, pem = certified(kind)
    hsm.initialise("Trục")
    hsm.put("Trục", pem, label="khóa ký 2026")
    write_certificate(kind, folder)
    return hsm.uri("Trục", "khóa ký 2026")


def write_certificate(kind: str, folder: Path) -> None:
    _, record, _ = certified(kind)
    (folder / "certificate.pem").write_text(ssl.DER_cert_to_PEM_cert(record.der))


@pytest.fixture(params=["file", "token"])
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Load:
    """Load the key of a kind from where the parameter says."""

    def from_file(kind: str) -> SigningKey:
        write_certificate(kind, tmp_path)
        path = tmp_path / "elsewhere.pem"
        path.write_bytes(certified(kind)[2])
        return SigningKey.load(tmp_path, f"file:{path}")

    def from_token(kind: str) -> SigningKey:
        return SigningKey.load(tmp_path, put(request.getfixturevalue("hsm"), kind, tmp_path))

    return from_file if request.param == "file" else from_token


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_key_signs_verifies_wherever_it_lives(load: Load, kind: str) -> None:
    key, (_, record, _) = load(kind), certified(kind)
    assert (key.algorithm, key.thumbprint) == (ALGORITHMS[kind], record.thumbprint)
    ring = Keyring([record])
    for body in (BODY, b"", b"x" * 300_000):
        assert ring.verify(body, key.sign(body), NOW).organisation == "H37"
    with pytest.raises(Refused) as caught:
        ring.verify(b"another", key.sign(BODY), NOW)
    assert caught.value.code == "signature/invalid"


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_of_another_certificate_is_not_taken(load: Load, kind: str, tmp_path: Path) -> None:
    load(kind)
    other = authority().issue("H37", new_key(kind), name="x", now=NOW)
    (tmp_path / "certificate.pem").write_bytes(other)
    location = f"file:{tmp_path}/elsewhere.pem"
    if not (tmp_path / "elsewhere.pem").exists():
        location = Hsm(tmp_path / "softhsm", tmp_path / "softhsm" / "softhsm2.conf").uri("Trục", "khóa ký 2026")
    with pytest.raises(Misconfigured, match="certificate"):
        SigningKey.load(tmp_path, location)


def test_a_key_is_found_by_its_id_and_two_of_one_token_live_side_by_side(hsm: Hsm, tmp_path: Path) -> None:
    put(hsm, "p256", tmp_path)
    hsm.put("Trục", certified("ed25519")[2], label="thứ hai", number="02")
    first = SigningKey.load(tmp_path, hsm.uri("Trục", number="01"))
    write_certificate("ed25519", tmp_path)
    second = SigningKey.load(tmp_path, hsm.uri("Trục", number="02"))
    ring = Keyring([certified("p256")[1], certified("ed25519")[1]])
    for _ in range(2):
        for key in (first, second):
            ring.verify(BODY, key.sign(BODY), NOW)


def test_what_is_wrong_is_said_when_the_key_is_loaded(hsm: Hsm, tmp_path: Path) -> None:
    good = put(hsm, "p256", tmp_path)
    hsm.put("Trục", certified("p256")[2], label="đôi", number="03")
    hsm.put("Trục", certified("ed25519")[2], label="đôi", number="04")
    for uri, told in (
        (hsm.uri("Trục", "không có"), "no such key"),
        (hsm.uri("Trục", "đôi"), "2 such keys"),
        (hsm.uri("Trục", "khóa ký 2026", pin=tmp_path / "absent"), "the PIN cannot be read"),
    ):
        with pytest.raises(Misconfigured, match=told):
            SigningKey.load(tmp_path, uri)
    hsm.pin_file.write_text("\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match="holds no PIN"):
        SigningKey.load(tmp_path, good)
    with pytest.raises(Unavailable, match="no such token") as caught:
        SigningKey.load(tmp_path, hsm.uri("Trục khác", "khóa ký 2026"))
    assert caught.value.code == "key/unavailable"
    (tmp_path / "certificate.pem").write_bytes(b"nonsense")
    with pytest.raises(Misconfigured, match="not an X"):
        SigningKey.load(tmp_path, good)


def test_a_wrong_pin_is_said_when_the_key_is_loaded(hsm: Hsm, tmp_path: Path) -> None:
    uri = put(hsm, "p256", tmp_path)
    hsm.pin_file.write_text("sai-mã-pin", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"the PIN is refused \(PinIncorrect\)"):
        SigningKey.load(tmp_path, uri)
    # A process that is started again and again does not use up the tries: the token says that one was wrong.
    hsm.pin_file.unlink()
    with pytest.raises(Misconfigured, match="log in once by hand"):
        SigningKey.load(tmp_path, uri)


def test_a_module_that_is_not_there_says_so(hsm: Hsm, tmp_path: Path) -> None:
    uri = put(hsm, "p256", tmp_path)
    with pytest.raises(Unavailable, match=r"absent\.so"):
        SigningKey.load(tmp_path, uri.replace("libsofthsm2.so", "absent.so"))


def test_a_key_without_a_pin_is_asked_for_without_logging_in(hsm: Hsm, tmp_path: Path) -> None:
    uri = put(hsm, "p256", tmp_path).partition("&pin-source")[0]
    with pytest.raises(Misconfigured, match="no such key"):  # SoftHSM shows private objects only after the login
        SigningKey.load(tmp_path, uri)


def test_sessions_that_ended_are_opened_again_unseen(hsm: Hsm, tmp_path: Path) -> None:
    key = SigningKey.load(tmp_path, put(hsm, "p256", tmp_path))
    _end_sessions()
    Keyring([certified("p256")[1]]).verify(BODY, key.sign(BODY), NOW)


def test_a_token_that_goes_away_is_an_outage_and_is_used_again_when_it_is_back(hsm: Hsm, tmp_path: Path) -> None:
    key = SigningKey.load(tmp_path, put(hsm, "p256", tmp_path))
    hsm.remove(elsewhere=tmp_path / "drawer")
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            key.sign(BODY)
        assert caught.value.code == "key/unavailable"
    hsm.put_back(tmp_path / "drawer")
    Keyring([certified("p256")[1]]).verify(BODY, key.sign(BODY), NOW)


def test_another_key_under_the_same_name_never_signs(hsm: Hsm, tmp_path: Path) -> None:
    key = SigningKey.load(tmp_path, put(hsm, "p256", tmp_path))
    hsm.remove(elsewhere=tmp_path / "drawer")
    hsm.initialise("Trục")
    hsm.put("Trục", new_key("p256"), label="khóa ký 2026")
    for _ in range(2):
        with pytest.raises(Unavailable, match="not the key of the certificate"):
            key.sign(BODY)


def test_a_pin_that_was_refused_is_not_tried_again(hsm: Hsm, tmp_path: Path) -> None:
    key = SigningKey.load(tmp_path, put(hsm, "p256", tmp_path))
    hsm.pin_file.write_text("sai-mã-pin", encoding="utf-8")
    _end_sessions()
    with pytest.raises(Unavailable, match="the PIN is refused"):
        key.sign(BODY)
    hsm.pin_file.unlink()  # whoever looked at it again would fail in another way
    with pytest.raises(Unavailable, match="start again"):
        key.sign(BODY)


def _end_sessions() -> None:
    """End every session of this process, as an HSM that restarts does."""
    import pkcs11

    pkcs11.lib(str(module())).reinitialize()
