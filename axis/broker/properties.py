"""What is in the properties of a message, whatever bytes a publisher put there.

The broker checks neither that text is UTF-8 nor what a header table holds. A decoder that raises would end the
connection of every worker such a message is handed to, for ever. So text that cannot be decoded is replaced, a table
that cannot be is left out and said so, and the message goes its way to being refused.
"""

import datetime as dt
import struct
from decimal import Decimal
from typing import NamedTuple

UNDECODABLE = "x-undecodable"  # a header of our own making: what was in place of the headers

_DEEPEST = 32
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SIZE = struct.Struct(">xxxxQ")  # class and weight, body size
_WORD = struct.Struct(">H")
_LONG = struct.Struct(">I")

# Property flags, AMQP 0-9-1 section 4.2.6.1; the properties follow in this order.
_CONTENT_TYPE, _ENCODING, _HEADERS, _MODE, _PRIORITY = 1 << 15, 1 << 14, 1 << 13, 1 << 12, 1 << 11
_CORRELATION, _REPLY_TO, _EXPIRATION, _MESSAGE_ID, _TIMESTAMP = 1 << 10, 1 << 9, 1 << 8, 1 << 7, 1 << 6
_TYPE, _USER_ID = 1 << 5, 1 << 4
_MORE_FLAGS = 1

# Types of table values, as RabbitMQ writes them: https://www.rabbitmq.com/amqp-0-9-1-errata.html
_NUMBERS = {
    ord(code): struct.Struct(form)
    for code, form in {
        "b": ">b", "B": ">B", "s": ">h", "u": ">H", "I": ">i", "i": ">I", "l": ">q", "L": ">q", "f": ">f", "d": ">d",
    }.items()
}  # fmt: skip


class Properties(NamedTuple):
    """The properties the axis uses, and the size of the body in bytes."""

    size: int
    content_type: str | None = None
    headers: dict[str, object] | None = None
    message_id: str | None = None
    type: str | None = None
    user_id: str | None = None


def body_size(payload: bytes) -> int:
    """Read the size of the body from the payload of a content header."""
    size: int = _SIZE.unpack_from(payload)[0]
    return size


def read_properties(payload: bytes) -> Properties:  # noqa: C901 - one branch a property, in the order they come
    """Read the payload of a content header frame; properties cut off by its end are absent."""
    size = body_size(payload)
    content_type = message_id = kind = user_id = None
    headers: dict[str, object] | None = None
    try:
        flags = word = _WORD.unpack_from(payload, 12)[0]
        at = 14
        while word & _MORE_FLAGS:  # further words are for properties that no version of the protocol has
            word = _WORD.unpack_from(payload, at)[0]
            at += 2
        if flags & _CONTENT_TYPE:
            content_type, at = short_text(payload, at)
        if flags & _ENCODING:
            at += 1 + payload[at]
        if flags & _HEADERS:
            end = at + 4 + _LONG.unpack_from(payload, at)[0]
            headers = _headers(payload[at + 4 : end])
            at = end
        at += bool(flags & _MODE) + bool(flags & _PRIORITY)
        for text in (_CORRELATION, _REPLY_TO, _EXPIRATION):
            if flags & text:
                at += 1 + payload[at]
        if flags & _MESSAGE_ID:
            message_id, at = short_text(payload, at)
        at += 8 * bool(flags & _TIMESTAMP)
        if flags & _TYPE:
            kind, at = short_text(payload, at)
        if flags & _USER_ID:
            user_id, at = short_text(payload, at)
    except (IndexError, struct.error):
        pass
    return Properties(size, content_type, headers, message_id, kind, user_id)


def short_text(payload: bytes, at: int) -> tuple[str, int]:
    """Read a short string; return it and where it ends. What is not UTF-8 in it is replaced."""
    start = at + 1
    end = start + payload[at]
    return payload[start:end].decode("utf-8", "replace"), end


def _headers(table: bytes) -> dict[str, object]:
    try:
        return _table(table, 0, len(table), 0)
    except (ValueError, IndexError, OverflowError, ArithmeticError, struct.error) as error:
        return {UNDECODABLE: f"{type(error).__name__}: {error}"[:200]}


def _table(data: bytes, at: int, end: int, depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    while at < end:
        start = at + 1
        at = start + data[at]
        key = data[start:at].decode("utf-8")
        found[key], at = _value(data, at, end, depth)
    if at != end:
        raise ValueError("a table is longer than it says")
    return found


def _array(data: bytes, at: int, end: int, depth: int) -> list[object]:
    found: list[object] = []
    while at < end:
        value, at = _value(data, at, end, depth)
        found.append(value)
    if at != end:
        raise ValueError("an array is longer than it says")
    return found


def _value(data: bytes, at: int, end: int, depth: int) -> tuple[object, int]:  # noqa: PLR0911 - one return a type
    kind, at = data[at], at + 1
    if kind in _NUMBERS:
        form = _NUMBERS[kind]
        return form.unpack_from(data, at)[0], at + form.size
    match chr(kind):
        case "S" | "x" | "F" | "A" as long:
            start = at + 4
            stop = start + _LONG.unpack_from(data, at)[0]
            if stop > end:
                raise ValueError("a value is longer than its table")
            if long in "Sx":
                return (_text(data[start:stop]) if long == "S" else data[start:stop]), stop
            if depth == _DEEPEST:
                raise ValueError(f"nested deeper than {_DEEPEST}")
            inner = _table if long == "F" else _array
            return inner(data, start, stop, depth + 1), stop
        case "t":
            return bool(data[at]), at + 1
        case "V":
            return None, at
        case "T":
            seconds: int = struct.unpack_from(">Q", data, at)[0]
            return _EPOCH + dt.timedelta(seconds=seconds), at + 8
        case "D":
            scale, unscaled = struct.unpack_from(">Bi", data, at)
            return Decimal(unscaled).scaleb(-scale), at + 5
        case other:
            raise ValueError(f"unknown type {other!r}")


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data
