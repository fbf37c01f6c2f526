"""Lines of XML with escaped text."""

import re
from collections.abc import Iterable

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
    """Collect indented lines of XML."""

    def __init__(self) -> None:
        self._lines = ['<?xml version="1.0" encoding="UTF-8"?>']
        self._depth = 0

    def line(self, text: str) -> None:
        """Add one line."""
        self._lines.append("  " * self._depth + text)

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

    def bytes(self) -> bytes:
        """Return the document: UTF-8, CRLF."""
        return "\r\n".join([*self._lines, ""]).encode("utf-8")


def _text(value: str | int | DocumentId | Day | Instant) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else value.text
    if bad := _NOT_XML.search(text):
        raise EdxmlError(f"XML cannot carry the character U+{ord(bad.group()):04X}", code="edxml/conversion")
    return text.translate(_ESCAPES)
