"""Properties that no decoder should choke on; pamqp's encoder is the oracle for those that are in order."""

import datetime as dt
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands
from pamqp.header import ContentHeader

from axis.broker.properties import UNDECODABLE, Properties, body_size, read_properties

USER = b"\x03G22"
HEADERS, MESSAGE_ID, TIMESTAMP, TYPE, USER_ID = 1 << 13, 1 << 7, 1 << 6, 1 << 5, 1 << 4


def read(flags: int, properties: bytes) -> Properties:
    """Read a content header with these property flags and bytes."""
    found = read_properties(struct.pack(">HHQH", commands.Basic.frame_id, 0, 5, flags) + properties)
    assert found.size == 5
    return found


def table(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


@pytest.mark.parametrize(
    "content",
    [
        b"\x01\xffS" + table(b"x"),  # a key that is not UTF-8
        b"\x01kZ\x00",  # an unknown type
        b"\x01kT\xff\xff\xff\xff\xff\xff\xff\xff",  # a time beyond the calendar
        b"\x01kF" + struct.pack(">I", 10**6),  # a table longer than there is
        b"\x01kS" + struct.pack(">I", 10**6) + b"x",  # a text longer than there is
        b"\x01kA" + b"".join(struct.pack(">I", 5 * n) + b"A" for n in range(20_000, 0, -1)),  # deep nesting
        b"\x01kt",  # cut off
        b"\xff",
    ],
)
def test_headers_that_cannot_be_decoded_leave_the_account_readable(content: bytes) -> None:
    found = read(HEADERS | USER_ID, table(content) + USER)
    assert found.user_id == "G22"
    assert found.headers is not None
    assert list(found.headers) == [UNDECODABLE]


def test_text_that_is_not_utf8_is_replaced() -> None:
    found = read(MESSAGE_ID | TYPE | USER_ID, b"\x02\xff\xfe" + b"\x08document" + USER)
    assert (found.message_id, found.type, found.user_id) == ("\ufffd\ufffd", "document", "G22")


def test_a_time_beyond_the_calendar_is_passed_over() -> None:
    assert read(TIMESTAMP | USER_ID, b"\xff" * 8 + USER).user_id == "G22"


def test_flags_of_properties_unknown_to_the_protocol_are_passed_over() -> None:
    assert read(USER_ID | 1, struct.pack(">HH", 1, 0) + USER).user_id == "G22"


@given(st.binary(max_size=300))
def test_no_header_table_hides_the_account(content: bytes) -> None:
    assert read(HEADERS | USER_ID, table(content) + USER).user_id == "G22"


@given(st.integers(0, 0xFFFF), st.binary(max_size=300))
def test_no_bytes_at_all_make_it_raise(flags: int, content: bytes) -> None:
    read(flags, content)


SHORT = st.text(max_size=60)
# pamqp cuts a field name of more than 128 bytes.
NAMES = st.text(max_size=32)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=50)
    | st.integers(-(2**31), 2**31 - 1).map(lambda n: Decimal(n).scaleb(-2))
    | st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(9999, 1, 1)).map(  # noqa: DTZ001 - hypothesis wants it naive
        lambda moment: moment.replace(microsecond=0, tzinfo=dt.UTC)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.builds(
        commands.Basic.Properties,
        content_type=st.none() | SHORT,
        content_encoding=st.none() | SHORT,
        headers=st.none() | st.dictionaries(NAMES, VALUES, max_size=4),
        delivery_mode=st.none() | st.sampled_from([1, 2]),
        priority=st.none() | st.integers(0, 9),
        correlation_id=st.none() | SHORT,
        reply_to=st.none() | SHORT,
        expiration=st.none() | SHORT,
        message_id=st.none() | SHORT,
        timestamp=st.none() | st.just(dt.datetime(2026, 11, 24, tzinfo=dt.UTC)),
        message_type=st.none() | SHORT,
        user_id=st.none() | SHORT,
        app_id=st.none() | SHORT,
    ),
    st.integers(0, 2**40),
)
def test_what_another_codec_writes_is_read(sent: commands.Basic.Properties, size: int) -> None:
    payload = ContentHeader(body_size=size, properties=sent).marshal()
    found = read_properties(payload)
    assert body_size(payload) == found.size == size
    # To pamqp an empty text is an absent one.
    assert (found.content_type or None, found.message_id or None) == (
        sent.content_type or None,
        sent.message_id or None,
    )
    assert (found.type or None, found.user_id or None) == (sent.message_type or None, sent.user_id or None)
    assert (found.headers or {}) == (sent.headers or {})
