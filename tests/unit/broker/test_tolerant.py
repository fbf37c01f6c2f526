"""Properties that no decoder should choke on."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands
from pamqp.frame import unmarshal
from pamqp.header import ContentHeader

from axis.broker import tolerant
from axis.broker.tolerant import UNDECODABLE

tolerant.install()
USER = b"\x03G22"


def header(flags: int, properties: bytes) -> ContentHeader:
    """Decode a content header frame with these property flags and bytes."""
    payload = struct.pack(">HHQH", commands.Basic.frame_id, 0, 5, flags) + properties
    frame = struct.pack(">BHI", 2, 1, len(payload)) + payload + b"\xce"
    _, _, decoded = unmarshal(frame)
    assert isinstance(decoded, ContentHeader)
    assert decoded.body_size == 5
    return decoded


def table(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


HEADERS, MESSAGE_ID, TIMESTAMP, TYPE, USER_ID = 1 << 13, 1 << 7, 1 << 6, 1 << 5, 1 << 4


@pytest.mark.parametrize(
    "content",
    [
        b"\x01\xffS" + table(b"x"),  # a key that is not UTF-8
        b"\x01kZ\x00",  # an unknown type
        b"\x01kT\xff\xff\xff\xff\xff\xff\xff\xff",  # a time beyond the calendar
        b"\x01kF" + struct.pack(">I", 10**6),  # a table longer than there is
        b"\x01kA" + b"".join(struct.pack(">I", 5 * n) + b"A" for n in range(20_000, 0, -1)),  # deep nesting
        b"\xff",
    ],
)
def test_headers_that_cannot_be_decoded_leave_the_account_readable(content: bytes) -> None:
    decoded = header(HEADERS | USER_ID, table(content) + USER)
    assert decoded.properties.user_id == "G22"
    assert decoded.properties.headers is not None
    assert list(decoded.properties.headers) == [UNDECODABLE]


def test_text_that_is_not_utf8_is_replaced() -> None:
    decoded = header(MESSAGE_ID | TYPE | USER_ID, b"\x02\xff\xfe" + b"\x08document" + USER)
    assert decoded.properties.message_id == "\ufffd\ufffd"
    assert (decoded.properties.message_type, decoded.properties.user_id) == ("document", "G22")


def test_a_time_beyond_the_calendar_is_left_out() -> None:
    decoded = header(TIMESTAMP | USER_ID, b"\xff" * 8 + USER)
    assert (decoded.properties.timestamp, decoded.properties.user_id) == (None, "G22")


@given(st.binary(max_size=300))
def test_no_header_table_breaks_the_frame(content: bytes) -> None:
    assert header(HEADERS | USER_ID, table(content) + USER).properties.user_id == "G22"
