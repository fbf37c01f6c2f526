"""AMQP 0-9-1 frames: bytes cut into frames, and the few methods that are sent for every message made into bytes.

No I/O here. Methods that are sent now and then are left to pamqp. Those for each message are made by hand, because
there the general codec is what takes the time: 8 µs for a publish with a BCC list, against 60.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from pamqp import commands
from pamqp.base import Frame as Method

from axis.core.messages import Outgoing

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
HEARTBEAT_FRAME = b"\x08\x00\x00\x00\x00\x00\x00\xce"

_HEAD = struct.Struct(">BHI")
_END = 0xCE
_END_BYTE = b"\xce"
_OVERHEAD = 8  # 7 bytes before the payload, 1 after it
# What the broker sends may be larger than what was agreed: it adds headers (x-death, x-delivery-count) to a message
# whose headers filled a frame. Giving up the connection over it would do so at every redelivery.
_ABSURD = 4 * 1024 * 1024

_PUBLISH = b"\x00\x3c\x00\x28\x00\x00"
_MANDATORY = b"\x01"
_ACK = struct.Struct(">BHIHHQBB")
_CONTENT = struct.Struct(">HHQH")
_CLASS_BASIC = 60
_FLAGS = 1 << 15 | 1 << 13 | 1 << 12 | 1 << 7 | 1 << 5  # content type, headers, delivery mode, message id, type
_FLAG_USER_ID = 1 << 4
_PERSISTENT = b"\x02"
_BCC = b"\x03BCCA"


class Splitter:
    """Cut what the broker sends into (kind, channel, payload); ValueError when it does not keep to the protocol."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yield the frames that are complete by now."""
        data = self._rest + data if self._rest else data
        at, size = 0, len(data)
        while size - at >= _OVERHEAD:
            kind, channel, length = _HEAD.unpack_from(data, at)
            if length > _ABSURD:
                raise ValueError(f"a frame of {length} bytes")
            end = at + 7 + length
            if end >= size:
                break
            if data[end] != _END:
                raise ValueError("a frame that does not end")
            yield kind, channel, data[at + 7 : end]
            at = end + 1
        self._rest = data[at:]


def method(channel: int, request: Method) -> bytes:
    """Make the frame of a method."""
    return _frame(METHOD, channel, struct.pack(">I", request.index) + request.marshal())


def read_method(payload: bytes) -> Method:
    """Read the payload of a method frame; ValueError when there is no such method."""
    try:
        found: Method = commands.INDEX_MAPPING[int.from_bytes(payload[:4], "big")]()
    except KeyError as error:
        raise ValueError(f"unknown method {payload[:4].hex()}") from error
    found.unmarshal(payload[4:])
    return found


def publish(channel: int, message: Outgoing, largest: int) -> bytes:
    """Make the frames of a mandatory, persistent publish; ValueError when something cannot be said in AMQP.

    `largest` is the size of a frame, in bytes: all headers must fit one, a body takes as many as it needs.
    """
    flags, user_id = _FLAGS, b""
    if message.user_id is not None:
        flags, user_id = _FLAGS | _FLAG_USER_ID, _short("user_id", message.user_id)
    header = b"".join(
        (
            _CONTENT.pack(_CLASS_BASIC, 0, len(message.body), flags),
            _known("content_type", message.content_type),
            _table(message.headers, message.bcc),
            _PERSISTENT,
            _short("message_id", message.message_id),
            _known("type", message.type),
            user_id,
        )
    )
    if len(header) + _OVERHEAD > largest:
        # The broker would close the connection over it, and with it every other publish.
        raise ValueError(f"properties of {len(header)} bytes do not fit one frame of {largest}")
    call = _call(channel, message.exchange, message.routing_key)
    return b"".join((call, _frame(HEADER, channel, header), *_body(channel, message, largest)))


def ack(channel: int, tag: int, *, multiple: bool) -> bytes:
    """Make the frame that settles a delivery; `multiple`: and all older ones."""
    return _ACK.pack(METHOD, channel, 13, 60, 80, tag, multiple, _END)


def nack(channel: int, tag: int, *, multiple: bool, requeue: bool) -> bytes:
    """Make the frame that gives a delivery back, or up."""
    return _ACK.pack(METHOD, channel, 13, 60, 120, tag, multiple | requeue << 1, _END)


def _body(channel: int, message: Outgoing, largest: int) -> Iterator[bytes]:
    body, piece = message.body, largest - _OVERHEAD
    for start in range(0, len(body), piece):
        yield _frame(BODY, channel, body[start : start + piece])


def _frame(kind: int, channel: int, payload: bytes) -> bytes:
    return b"".join((_HEAD.pack(kind, channel, len(payload)), payload, _END_BYTE))


def _short(what: str, text: str) -> bytes:
    data = text.encode()
    if len(data) > 255:  # noqa: PLR2004 - the length is one byte
        raise ValueError(f"the {what} is longer than 255 bytes")
    return bytes((len(data),)) + data


@lru_cache(maxsize=256)
def _known(what: str, text: str) -> bytes:
    """Make a text that is the same for many messages."""
    return _short(what, text)


@lru_cache(maxsize=16_384)
def _call(channel: int, exchange: str, routing_key: str) -> bytes:
    """Make the frame that says where to: the same for all messages to one mailbox."""
    parts = (_PUBLISH, _short("exchange", exchange), _short("routing key", routing_key), _MANDATORY)
    return _frame(METHOD, channel, b"".join(parts))


def _long(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _table(headers: Mapping[str, str], bcc: Sequence[str]) -> bytes:
    parts = [_short("header's name", name) + b"S" + _long(value.encode()) for name, value in headers.items()]
    if bcc:
        parts.append(_BCC + _long(b"".join([b"S" + _long(key.encode()) for key in bcc])))
    return _long(b"".join(parts))
