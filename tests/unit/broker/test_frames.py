"""Frames cut and made; pamqp is the oracle."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands
from pamqp.body import ContentBody
from pamqp.frame import marshal, unmarshal
from pamqp.header import ContentHeader

from axis.broker import frames
from axis.core.messages import Outgoing

FRAME = 131_072
SHORT = st.text(max_size=60)
MESSAGES = st.builds(
    Outgoing,
    exchange=SHORT,
    routing_key=SHORT,
    body=st.binary(max_size=9_000),
    type=SHORT,
    content_type=SHORT,
    message_id=SHORT,
    headers=st.dictionaries(SHORT.filter(bool), st.text(max_size=200), max_size=3),
    bcc=st.lists(SHORT, max_size=4).map(tuple),
    user_id=st.none() | SHORT.filter(bool),
)


def split(data: bytes, *, pieces: int = 65_536) -> list[tuple[int, int, bytes]]:
    splitter = frames.Splitter()
    return [frame for start in range(0, len(data), pieces) for frame in splitter.feed(data[start : start + pieces])]


def message(**more: Any) -> Outgoing:
    base: dict[str, Any] = {"body": b"{}", "type": "document", "content_type": "application/json", "message_id": "m"}
    return Outgoing(exchange="e", routing_key="k", **{**base, **more})


@given(MESSAGES, st.sampled_from([4096, FRAME]))
def test_a_publish_is_what_another_codec_reads(sent: Outgoing, largest: int) -> None:
    data = frames.publish(7, sent, largest)
    read: list[Any] = []
    while data:
        used, channel, frame = unmarshal(data)
        assert (channel, used <= largest) == (7, True)
        read.append(frame)
        data = data[used:]
    call, header, *body = read
    assert isinstance(call, commands.Basic.Publish)
    assert isinstance(header, ContentHeader)
    assert (call.exchange, call.routing_key, call.mandatory, call.immediate) == (
        sent.exchange,
        sent.routing_key,
        True,
        False,
    )
    said = header.properties
    assert (said.content_type, said.message_id, said.message_type) == (sent.content_type, sent.message_id, sent.type)
    assert (said.delivery_mode, said.user_id) == (2, sent.user_id)
    wanted: dict[str, object] = dict(sent.headers)
    if sent.bcc:
        wanted["BCC"] = list(sent.bcc)
    assert (said.headers or {}) == wanted
    assert header.body_size == len(sent.body)
    assert b"".join(part.value for part in body if isinstance(part, ContentBody)) == sent.body


@given(st.integers(1, 2**63 - 1), st.booleans(), st.booleans())
def test_settling_is_what_another_codec_writes(tag: int, multiple: bool, requeue: bool) -> None:
    assert frames.ack(3, tag, multiple=multiple) == marshal(commands.Basic.Ack(tag, multiple), 3)
    nack = marshal(commands.Basic.Nack(tag, multiple, requeue), 3)
    assert frames.nack(3, tag, multiple=multiple, requeue=requeue) == nack


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.integers(0, 9), st.binary(max_size=80))), st.integers(1, 50))
def test_frames_are_the_same_however_the_bytes_come(wanted: list[tuple[int, int, bytes]], pieces: int) -> None:
    data = b"".join(frames._frame(*frame) for frame in wanted)
    assert split(data, pieces=pieces) == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x00\x01\x00\x00\x00\x01xy",  # ends with something else
        b"\x01\x00\x01\xff\xff\xff\xff" + b"x" * 10,  # larger than memory
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
def test_what_is_no_frame_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="a frame"):
        split(data)


def test_a_method_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown method"):
        frames.read_method(b"\x00\x3c\xff\xff")


@pytest.mark.parametrize("size", [0, 1, FRAME - 9, FRAME - 8, FRAME - 7, 256 * 1024])
def test_bodies_take_as_many_frames_as_they_need_and_none_is_too_large(size: int) -> None:
    body = bytes(itertools.islice(itertools.cycle(range(251)), size))
    _, _, *parts = split(frames.publish(1, message(body=body), FRAME))
    assert all(len(part) + 8 <= FRAME for _, _, part in parts)
    assert b"".join(part for _, _, part in parts) == body


def test_headers_are_taken_to_the_last_byte_of_a_frame() -> None:
    _, (_, _, header) = split(frames.publish(1, message(body=b"", headers={"h": ""}), FRAME))
    room = FRAME - 8 - len(header)
    _, (_, _, full) = split(frames.publish(1, message(body=b"", headers={"h": "x" * room}), FRAME))
    assert len(full) + 8 == FRAME
    with pytest.raises(ValueError, match="do not fit one frame"):
        frames.publish(1, message(body=b"", headers={"h": "x" * (room + 1)}), FRAME)
