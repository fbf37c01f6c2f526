"""Lines of XML with escaped text."""

import re
from collections.abc import Iterable
from typing import BinaryIO

from axis.edxml.errors import EdxmlError
from axis.edxml.names import NAMESPACE
from axis.edxml.values import Day, DocumentId, Instant

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
PREFIX = "edXML:"
DECLARED = f' xmlns:edXML="{NAMESPACE}"'

# An element: its name and its value or children; None leaves it out, "" and () write it empty.
_Value = str | int | bool | DocumentId | Day | Instant | None
Element = tuple[str, "_Value | Iterable[Element]"]


class Lines:
    """Write indented lines of XML: UTF-8, CRLF."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._depth = 0
        self.line('<?xml version="1.0" encoding="UTF-8"?>')

    def line(self, text: str) -> None:
        """Add one line."""
        self.long_line(text, (), "")

    def long_line(self, begin: str, pieces: Iterable[bytes], end: str) -> None:
        """Add one line that is too long to be held."""
        self._target.write(("  " * self._depth + begin).encode())
        for piece in pieces:
            self._target.write(piece)
        self._target.write(f"{end}\r\n".encode())

    def start(self, tag: str) -> None:
        """Add a start tag; what follows is indented."""
        self.line(tag)
        self._depth += 1

    def end(self, tag: str) -> None:
        """Add an end tag."""
        self._depth -= 1
        self.line(tag)

    def element(self, name: str, value: "_Value | Iterable[Element]", *, prefix: str = PREFIX) -> None:
        """Add an element with its text or children; None adds nothing."""
        if value is None:
            return
        tag = prefix + name
        if isinstance(value, str | int | DocumentId | Day | Instant):
            self.line(f"<{tag}>{_text(value)}</{tag}>")
            return
        self.start(f"<{tag}>")
        for child, content in value:
            self.element(child, content, prefix=prefix)
        self.end(f"</{tag}>")


def _text(value: str | int | DocumentId | Day | Instant) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else value.text
    if bad := _NOT_XML.search(text):
        raise EdxmlError(f"XML cannot carry the character U+{ord(bad.group()):04X}", code="edxml/conversion")
    return text.translate(_ESCAPES)
