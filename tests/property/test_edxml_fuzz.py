"""Whatever the bytes, reading ends in a package or in an EdxmlError, and so does everything made from it."""

import datetime as dt
import json
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from axis.edxml import CODES, EdxmlDocument, EdxmlError, EdxmlStatus, Limits, build_document, build_status, read
from axis.edxml.convert import to_envelope, to_status
from axis.edxml.plain import as_plain
from axis.edxml.summary import summary

VECTORS = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "vectors" / "edxml").glob("*.edxml"))]
SMALL = [data for data in VECTORS if len(data) < 10_000]
ID = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
LIMITS = Limits(max_bytes=1_000_000, max_elements=2_000, max_content=100_000, max_attachment=50_000, zip_free=10_000)

SCRAPS = st.sampled_from(
    [
        b"<",
        b">",
        b"&",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"<?xml ?>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"&#0;",
        b"&#x10FFFF;",
        b"&#55296;",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"xmlns=''",
        b"xmlns:a='&#10;'",
        b"xml:lang='vi'",
        "ế".encode(),
        b"<StatusCode>01</StatusCode>",
        b"<OrganId>",
        b"</OrganId>",
        b"<ContentTransferEncoded>UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==</ContentTransferEncoded>",
        b"<Attachment/>",
        b"0001/01/01 00:00:00",
        b"9999/12/31 23:59:59",
        b"1" * 400,
        b"-5",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(SMALL))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 60))
        kind = draw(st.sampled_from(["cut", "insert", "overwrite", "repeat", "splice"]))
        if kind == "cut":
            data = data[:at] + data[at + length :]
        elif kind == "insert":
            data = data[:at] + draw(SCRAPS | st.binary(max_size=8)) + data[at:]
        elif kind == "overwrite":
            scrap = draw(st.binary(min_size=1, max_size=4))
            data = data[:at] + scrap + data[at + len(scrap) :]
        elif kind == "repeat":
            data = data[:at] + data[at : at + length] * draw(st.integers(2, 30)) + data[at + length :]
        else:
            other = draw(st.sampled_from(SMALL))
            data = data[:at] + other[draw(st.integers(0, len(other))) :]
    return data


@st.composite
def well_formed(draw: st.DrawFn) -> bytes:
    """Mutations that keep the XML whole, so that they get past the parser: lines are dropped, repeated and moved."""
    lines = draw(st.sampled_from(SMALL)).splitlines(keepends=True)
    leaves = [number for number, line in enumerate(lines) if line.count(b"<") == 2 and b"</" in line]
    for _ in range(draw(st.integers(1, 5))):
        if not leaves:
            break
        at = draw(st.sampled_from(leaves))
        start, end = lines[at].find(b">") + 1, lines[at].rfind(b"</")
        text = draw(
            SCRAPS.filter(lambda scrap: not set(scrap) & set(b"<&\0\xff\xed")) | st.text(max_size=30).map(_text)
        )
        lines[at] = draw(st.sampled_from([b"", lines[at] * 2, lines[at][:start] + text + lines[at][end:]]))
        leaves.remove(at)
    return b"".join(lines)


def _text(text: str) -> bytes:
    return text.replace("&", "&amp;").replace("<", "&lt;").encode("utf-8", "ignore")


def _upper(text: str) -> str:
    return "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())[-3:]


def _read(source: object) -> EdxmlDocument | EdxmlStatus | EdxmlError:
    try:
        return read(source, limits=LIMITS)  # type: ignore[arg-type] # only read() is needed of a file
    except EdxmlError as error:
        return error


def _convert(package: EdxmlDocument | EdxmlStatus) -> EdxmlError | None:
    try:
        if isinstance(package, EdxmlDocument):
            build_document(package)
            to_envelope(package, id=ID, sent_at=NOW, to_canonical=_upper, concerns=ID)
        else:
            build_status(package)
            to_status(package, id=ID, envelope=ID, to_canonical=_upper, at=NOW)
    except EdxmlError as error:
        return error
    return None


def _use(data: bytes) -> None:
    package = _read(data)
    if isinstance(package, EdxmlError):
        assert package.code in CODES
        assert (package.line or 0) >= 1
        assert (package.column or 0) >= 1
        return
    json.dumps(as_plain(package))
    assert all(text for _, text in summary(package))
    failure = _convert(package)
    assert failure is None or failure.code in {"edxml/code", "edxml/conversion"}


@settings(max_examples=1000, deadline=None)
@given(mutated())
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"<\xc3")
def test_mutated_packages(data: bytes) -> None:
    _use(data)


@settings(max_examples=1000, deadline=None)
@given(well_formed())
def test_mutated_fields(data: bytes) -> None:
    _use(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    _use(data)


@settings(max_examples=100, deadline=None)
@given(mutated(), st.integers(1, 40))
def test_the_answer_does_not_depend_on_how_the_bytes_arrive(data: bytes, size: int) -> None:
    class Dripping:
        def __init__(self) -> None:
            self.at = 0

        def read(self, _size: int) -> bytes:
            self.at += size
            return data[self.at - size : self.at]

    whole, dripping = _read(data), _read(Dripping())
    # Of bytes with several faults either may be told first; refused they are in any case.
    if not (isinstance(whole, EdxmlError) and isinstance(dripping, EdxmlError)):
        assert whole == dripping
