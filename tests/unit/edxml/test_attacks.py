"""One file per attack: each ends with its own code, at its own line and column, and with no other exception."""

import io
import tracemalloc
from pathlib import Path

import pytest

from axis.edxml import CODES, EdxmlDocument, EdxmlError, Limits, read

VECTORS = Path(__file__).parents[2] / "vectors" / "edxml"

ATTACKS = {
    "attribute-entity": ("edxml/doctype", 2, 19),
    "bad-base64": ("edxml/bad-base64", 42, 7),
    "base64-cut": ("edxml/bad-base64", 42, 7),
    "base64-element": ("edxml/bad-base64", 42, 35),
    "base64-padding": ("edxml/bad-base64", 42, 7),
    "billion-laughs": ("edxml/doctype", 2, 17),
    "deep-nesting": ("edxml/too-deep", 24, 93),
    "empty": ("edxml/not-well-formed", 1, 1),
    "external-dtd": ("edxml/doctype", 2, 58),
    "external-entity": ("edxml/doctype", 2, 17),
    "html": ("edxml/not-edxml", 1, 1),
    "invalid-utf8": ("edxml/encoding", 23, 30),
    "json": ("edxml/not-well-formed", 1, 1),
    "latin1-declared": ("edxml/encoding", 1, 1),
    "mismatched-tag": ("edxml/not-well-formed", 17, 34),
    "no-content": ("edxml/missing-field", 37, 5),
    "no-document-id": ("edxml/missing-field", 5, 7),
    "no-header": ("edxml/missing-field", 2, 3),
    "no-recipient": ("edxml/missing-field", 5, 7),
    "no-sender": ("edxml/missing-field", 6, 9),
    "nul-byte": ("edxml/not-well-formed", 23, 19),
    "overlong-utf8": ("edxml/encoding", 17, 29),
    "parameter-entity": ("edxml/doctype", 2, 17),
    "status-no-code": ("edxml/missing-field", 5, 7),
    "status-no-document": ("edxml/missing-field", 10, 9),
    "stray-bytes": ("edxml/not-well-formed", 1, 5),
    "truncated": ("edxml/not-well-formed", 27, 7),
    "two-roots": ("edxml/not-well-formed", 46, 1),
    "undeclared-prefix": ("edxml/not-well-formed", 28, 9),
    "undefined-entity": ("edxml/not-well-formed", 23, 18),
    "utf16": ("edxml/encoding", 1, 1),
    "utf16-no-mark": ("edxml/encoding", 1, 1),
    "utf7-declared": ("edxml/encoding", 1, 1),
    "zip-bomb": ("edxml/zip-bomb", 37, 5),
}


def plain() -> bytes:
    return (VECTORS / "plain.edxml").read_bytes()


def refused(data: bytes, limits: Limits | None = None) -> EdxmlError:
    with pytest.raises(EdxmlError) as caught:
        read(data, limits=limits or Limits())
    return caught.value


def test_every_attack_file_is_expected() -> None:
    assert {path.stem.removeprefix("attack-") for path in VECTORS.glob("attack-*")} == set(ATTACKS)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str) -> None:
    error = refused((VECTORS / f"attack-{name}.edxml").read_bytes())
    assert (error.code, error.line, error.column) == ATTACKS[name]
    assert error.exit_code == 65
    assert error.code in CODES
    assert f"(line {error.line}, column {error.column})" in str(error)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_from_a_file_that_gives_three_bytes_at_a_time(name: str) -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(3, size or 3))

    with pytest.raises(EdxmlError) as caught:
        read(Dripping((VECTORS / f"attack-{name}.edxml").read_bytes()))
    assert caught.value.code == ATTACKS[name][0]


def test_every_code_but_the_conversions_is_reached() -> None:
    unreached = set(CODES) - {code for code, _, _ in ATTACKS.values()}
    assert unreached == {"edxml/too-large", "edxml/code", "edxml/conversion"}


def test_too_many_bytes() -> None:
    assert refused(plain(), Limits(max_bytes=500)).code == "edxml/too-large"


def test_too_many_elements() -> None:
    error = refused(plain(), Limits(max_elements=10))
    assert (error.code, error.line) == ("edxml/too-large", 14)


def test_too_much_text() -> None:
    assert refused(plain(), Limits(max_text=100)).code == "edxml/too-large"


def test_too_many_attachments() -> None:
    data = plain()
    start, end = data.index(b"    <Attachment>"), data.index(b"  </AttachmentEncoded>")
    many = data[:start] + data[start:end] * 5 + data[end:]
    package = read(many)
    assert isinstance(package, EdxmlDocument)
    assert len(package.attachments) == 5
    assert refused(many, Limits(max_attachments=4)).code == "edxml/too-large"


def test_an_attachment_over_the_limit() -> None:
    assert refused(plain(), Limits(max_attachment=10)).code == "edxml/too-large"


def test_attachments_together_over_the_limit() -> None:
    assert refused(plain(), Limits(max_content=10)).code == "edxml/too-large"


def test_unpacked_attachments_together_over_the_limit() -> None:
    data = (VECTORS / "zip-one-entry.edxml").read_bytes()
    assert refused(data, Limits(max_content=250)).code == "edxml/zip-bomb"


@pytest.mark.parametrize("opening", [b"<!-- ", b"<a b='", b"<?a "])
def test_a_token_without_end_is_not_collected(opening: bytes) -> None:
    data = plain().replace(b"<Code>", opening + b"x" * 32_000_000)
    tracemalloc.start()
    try:
        error = refused(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.code == "edxml/too-large"
    assert peak < 8_000_000  # the parser's buffer ends soon after max_token


def test_a_large_attachment_does_not_stay_in_memory() -> None:
    head, tail = plain().split(b"JVBERi0xLjcgdGh1IG5naGllbQ==")

    class Package(io.RawIOBase):
        """12 MiB of base64 on one line, more than a tree parser takes in one text node."""

        def __init__(self) -> None:
            self._parts = [head, *[b"QUJD" * 16_384] * 192, tail]

        def read(self, _size: int = -1, /) -> bytes:
            return self._parts.pop(0) if self._parts else b""

    tracemalloc.start()
    try:
        package = read(Package(), limits=Limits(spool=65_536))  # type: ignore[arg-type] # only read() is needed
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(package, EdxmlDocument)
    (attachment,) = package.attachments
    assert attachment.size == 192 * 16_384 * 3
    assert peak < 2_000_000
    assert next(attachment.content.chunks(6)) == b"ABCABC"
