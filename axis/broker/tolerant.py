"""Take any bytes a publisher put into properties and routing keys, without losing the connection over them.

BUG: pamqp, the codec below the driver, raises on a short string that is not UTF-8, on a time beyond its calendar, on
an unknown type in a header table and on deep nesting; the driver then closes the connection. The broker checks none of
these, so one such message, redelivered for ever, would end every router that takes it. Here what cannot be decoded is
replaced (text) or left out (the rest), and the message goes its way to being refused: its signature is not there or
its routing key is not the sender's.
"""

import struct
from typing import Any

from pamqp import decode
from pamqp.base import BasicProperties

UNDECODABLE = "x-undecodable"  # a header of our own making: what was in place of the headers


def install() -> None:
    """Replace the two decoders; safe to repeat."""
    decode.METHODS["shortstr"] = _short_string
    BasicProperties.unmarshal = _unmarshal  # type: ignore[method-assign]  # that is what this module is for


def _short_string(value: bytes) -> tuple[int, str]:
    length = value[0]
    return length + 1, value[1 : length + 1].decode("utf-8", errors="replace")


def _unmarshal(self: Any, flags: int, data: bytes) -> None:
    for name in self.__slots__:
        if flags & self.flags[name]:
            kind = getattr(type(self), f"_{name}")
            try:
                consumed, value = decode.by_type(data, kind)
            except (ValueError, OverflowError, RecursionError, TypeError, struct.error, OSError) as error:
                consumed = _length(kind, data)
                value = {UNDECODABLE: f"{type(error).__name__}: {error}"[:200]} if kind == "table" else None
            setattr(self, name, value)
            data = data[consumed:]


def _length(kind: str, data: bytes) -> int:
    """Say how many bytes a property takes, so that those behind it (user_id among them) can still be read."""
    if kind == "table":
        return 4 + int.from_bytes(data[:4], "big")
    return {"octet": 1, "timestamp": 8}.get(kind, len(data))
