"""The text of the signed headers, as hostile as anybody may send it: it is read before anything is proved."""

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.errors import Refused
from axis.gateway.desk.signing import read_signed, read_text

# How a pair is defined, as it was first written: cubic in the spaces of a bare value.
_DEFINED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*:\s*(?:("(?:[^"\\]|\\.)*")|([^,{}"\[\]]*?))\s*(?=[,}])')
_BARE = st.text("abc09.;:- \t\u00a0ư", max_size=12)
_SPACES = st.text(" \t\r\n", max_size=3)


@given(
    st.lists(st.tuples(_SPACES, _SPACES, _SPACES, st.one_of(_BARE, st.text(max_size=12).map(json.dumps))), max_size=5)
)
def test_pairs_are_read_as_they_are_defined(parts: list[tuple[str, str, str, str]]) -> None:
    pairs = [f'{one}"n{i}"{two}:{value}{three}' for i, (one, two, three, value) in enumerate(parts)]
    expected = {}
    for i, pair in enumerate(pairs):
        match = _DEFINED.match(pair + "}")
        assert match is not None
        _, quoted, bare = match.groups()
        expected[f"n{i}"] = bare if quoted is None else json.loads(quoted)
    text = "{" + ",".join(pairs) + "}"
    if any(0xD800 <= ord(each) < 0xE000 for value in expected.values() for each in value):
        with pytest.raises(Refused):
            read_text(text)
    else:
        assert read_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' + " " * 16_000 + '"}',
        '{"a":x' + " " * 16_000 + '["}',
        '{"a"' + " " * 16_000 + "}",
        '{"a":"' + "\\\\" * 8_000 + "}",
        "{" + " " * 16_000 + ":}",
    ],
)
def test_a_text_full_of_spaces_is_refused_at_once(text: str) -> None:
    before = time.process_time()
    with pytest.raises(Refused) as refused:
        read_text(text)
    assert refused.value.code == "partner/headers"
    assert time.process_time() - before < 1  # some milliseconds; hours as it was first written


def test_spaces_around_a_bare_value_are_none_of_it() -> None:
    assert read_text('{"XroadVnpt-docId":' + " " * 16_000 + "17" + " " * 16_000 + "}") == {"docid": "17"}


def test_a_text_that_is_too_long_is_not_read() -> None:
    names = (b"sign-header-key", b"hash-header")
    sent = [(b"XroadVnpt-sign-header", b"{" + b" " * 16_384 + b"}"), *((b"XroadVnpt-" + each, b"") for each in names)]
    with pytest.raises(Refused, match="16386 bytes") as refused:
        read_signed(sent)
    assert refused.value.code == "partner/headers"


@pytest.mark.parametrize("text", [r'{"a":"\ud800"}', r'{"\udfff":"a"}'])
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_text(text)
    assert refused.value.code == "partner/headers"
    refused.value.args[0].encode()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b'{"a":"b"}', b"a\x1b[31m"),
        (b'{"a\x9b":"b"}', b"a\xc2\x9b"),
        (b'{"a\\u0007":"b","A\\u0007":"c"}', b"a"),
    ],
)
def test_what_moves_a_cursor_is_not_told_again(text: bytes, names: bytes) -> None:
    sent = {b"sign-header": text, b"sign-header-key": names, b"hash-header": b""}
    with pytest.raises(Refused) as refused:
        read_signed([(b"xroadvnpt-" + name, value) for name, value in sent.items()])
    assert refused.value.detail.isprintable()


def test_a_header_that_is_there_twice_is_named_so_that_it_can_be_shown() -> None:
    with pytest.raises(Refused) as refused:
        read_signed([(b"xroadvnpt-\x9b", b"1"), (b"xroadvnpt-\x9b", b"2")])
    assert refused.value.detail == "xroadvnpt-\N{REPLACEMENT CHARACTER} is there twice"
