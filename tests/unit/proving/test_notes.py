"""Signed notes and checkpoints, against the documented examples of C2SP and of golang.org/x/mod/sumdb/note."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from axis.errors import Misconfigured, Refused
from axis.proving import Checkpoint, NoteKey, NoteSigner, read_checkpoint
from axis.proving.merkle import EMPTY_ROOT
from axis.proving.notes import open_note, sign_note
from axis.trust import new_key

PETER = NoteKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
ENOCH = NoteKey.parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
BY_PETER = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
FOO = NoteKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
FOO_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example of c2sp.org/tlog-checkpoint; its key is not published with it.
CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeM"
    "cTOAYQ8=\n"
)


def signer(name: str = "axis.example/log") -> NoteSigner:
    return NoteSigner(name, Ed25519PrivateKey.generate())


def refused(note: str, *keys: NoteKey) -> str:
    with pytest.raises(Refused) as error:
        open_note(note, keys)
    return error.value.code


def test_published_notes_open_under_their_keys() -> None:
    assert open_note(f"{TEXT}\n{BY_PETER}", [PETER]).text == TEXT
    assert open_note(f"{TEXT}\n{BY_PETER}{BY_ENOCH}", [PETER, ENOCH]).keys == (PETER, ENOCH)
    assert open_note(f"{TEXT}\n{BY_PETER}{BY_ENOCH}", [ENOCH]).keys == (ENOCH,)
    assert open_note(FOO_NOTE, [FOO]).text == "This is an example message.\n"


def test_a_key_is_written_as_it_is_read() -> None:
    key = signer().public
    assert NoteKey.parse(f" {key}\n") == key


def test_a_note_of_unknown_keys_alone_is_refused() -> None:
    assert refused(f"{TEXT}\n{BY_ENOCH}", PETER) == "log/unknown-key"
    assert refused(FOO_NOTE) == "log/unknown-key"


def test_a_known_key_that_did_not_sign_spoils_the_note_whoever_else_did() -> None:
    note = f"{TEXT.replace('problem is', 'answer is')}\n{BY_PETER}"
    assert refused(note, PETER) == "log/signature"
    mixed = sign_note(TEXT, [mine := signer()]) + BY_PETER.replace("x08go/ZJ", "x08go/ZK")
    assert refused(mixed, mine.public, PETER) == "log/signature"
    assert open_note(mixed, [mine.public]).keys == (mine.public,)


def test_a_key_of_the_same_name_is_another_key() -> None:
    old, new = signer(), signer()
    note = sign_note(TEXT, [old])
    assert refused(note, new.public) == "log/unknown-key"
    rotating = sign_note(TEXT, [old, new])
    for key in (old, new):
        assert open_note(rotating, [key.public]).keys == (key.public,)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}{BY_PETER}",
        f"{TEXT}\n{BY_PETER}".removesuffix("\n"),
        f"{TEXT}\n{BY_PETER.replace('— ', '- ')}",
        f"{TEXT}\n{BY_PETER.replace('— ', '—  ')}",
        f"{TEXT}\n{BY_PETER.replace('nAM=', 'nAM')}",
        f"{TEXT}\n{BY_PETER.replace('nAM=', 'nAN=')}",
        f"{TEXT}\n{BY_PETER.replace('nAM=', 'n AM=')}",
        f"{TEXT}\n{BY_PETER.replace('PeterNeumann', 'Peter+Neumann')}",
        f"{TEXT}\n— PeterNeumann x08goQ==\n— PeterNeumann\n",
        f"{TEXT}\n— PeterNeumann x08g\n",
        f"{TEXT}\n{BY_PETER * 65}",
        f"\r{TEXT}\n{BY_PETER}",
        f"\n\n{BY_PETER}".removeprefix("\n"),
        f"\udc80{TEXT}\n{BY_PETER}",
        "x" * 70_000 + f"\n\n{BY_PETER}",
    ],
)
def test_what_is_no_note_is_malformed(note: str) -> None:
    assert refused(note, PETER) == "log/malformed"


def test_text_may_have_empty_lines_and_vietnamese() -> None:
    text = "Nhật ký biên nhận\n\ncủa trục liên thông\n"
    key = signer("trục.example/nhật-ký")
    assert open_note(sign_note(text, [key]), [key.public]).text == text


@pytest.mark.parametrize("text", ["", "\n", "no newline", "a\tb\n", "\udc80\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="lines of text"):
        sign_note(text, [signer()])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc",
        "PeterNeumann+c74f20a3+====",
    ],
)
def test_what_is_no_public_key_is_a_wrong_setting(vkey: str) -> None:
    with pytest.raises(Misconfigured):
        NoteKey.parse(vkey)


def test_only_ed25519_keys_sign_a_log() -> None:
    with pytest.raises(Misconfigured, match="Ed25519"):
        NoteSigner.from_pem("axis/log", new_key("p256"))
    with pytest.raises(Misconfigured, match="not an unencrypted"):
        NoteSigner.from_pem("axis/log", b"no key")
    with pytest.raises(Misconfigured, match="no spaces"):
        NoteSigner.from_pem("axis log", new_key("ed25519"))


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    key = signer()
    checkpoint = Checkpoint(key.public.name, 70_000, bytes(range(32)))
    assert read_checkpoint(checkpoint.signed([key]), [key.public]) == checkpoint
    assert (
        Checkpoint(
            "example.com/behind-the-sofa", 20852163, base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
        ).text
        == CHECKPOINT.partition("\n\n")[0] + "\n"
    )
    assert refused(CHECKPOINT, PETER) == "log/unknown-key"


def test_one_log_does_not_speak_for_another() -> None:
    mine, other = signer("axis.example/log"), signer("axis.example/other")
    forged = Checkpoint(mine.public.name, 1, EMPTY_ROOT).signed([other])
    with pytest.raises(Refused, match="log/unknown-key"):
        read_checkpoint(forged, [mine.public, other.public])


@pytest.mark.parametrize(
    "text",
    [
        "{origin}\n1\n",
        "{origin}\n1\n{root}\nextension\n",
        "{origin}\n01\n{root}\n",
        "{origin}\n-1\n{root}\n",
        "{origin}\n+1\n{root}\n",
        "{origin}\n1\u0661\n{root}\n",
        "{origin}\n9999999999999999999\n{root}\n",
        "{origin}\n1\nAAAA\n",
        "{origin}\n1\n{root} \n",
        "{origin}\n1\n!\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_malformed(text: str) -> None:
    key = signer()
    root = base64.b64encode(EMPTY_ROOT).decode()
    note = sign_note(text.format(origin=key.public.name, root=root), [key])
    with pytest.raises(Refused, match="log/malformed"):
        read_checkpoint(note, [key.public])
