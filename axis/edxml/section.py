"""Fields of an element by name, never by position; what nobody asks for is kept as extras."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from axis.edxml.errors import EdxmlError
from axis.edxml.model import Extra
from axis.edxml.tree import Node, Report
from axis.edxml.values import VIETNAM_TIME, Day, DocumentId, IdForm, Instant

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff"))
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_YEAR_FIRST = re.compile(r"([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?")
_OFFICIAL_DAY = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}")
_UUID = re.compile(r"\{?[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?")
_TRIPLE_PARTS = 3
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(slots=True)
class Section:
    """One element, and which of its children were understood."""

    node: Node
    report: Report
    path: str = ""
    _taken: set[int] = field(default_factory=set)
    _below: list["Section"] = field(default_factory=list)

    def sections(self, name: str) -> list["Section"]:
        """Return all children of that name."""
        found = [self._open(child) for child in self.node.children if child.name == name]
        self._below += found
        return found

    def section(self, name: str) -> "Section | None":
        """Return the first child of that name; a second one stays an extra."""
        node = self._take(name)
        if node is None:
            return None
        section = self._open(node)
        self._below.append(section)
        return section

    def opaque(self, name: str) -> list["Section"]:
        """Return all children of that name and claim all that is in them, so that nothing of it becomes an extra."""
        return [self._open(child) for child in self.node.children if child.name == name]

    @contextmanager
    def located(self) -> Iterator[None]:
        """Give errors that know no position this element's."""
        try:
            yield
        except EdxmlError as error:
            if error.line is None:
                error.line, error.column, error.path = self.node.line, self.node.column, self.node.path
            raise

    def text(self, name: str) -> str | None:
        """Return a child's text: NFC, without invisible characters and outer white space; None if empty."""
        node = self._take(name)
        if node is None:
            return None
        if node.children:
            self._below.append(self._open(node))
        return self.clean(node)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of all children of that name, without the empty ones."""
        return tuple(text for section in self.sections(name) if (text := section.clean(section.node)))

    def required(self, name: str) -> str:
        """Return a child's text, or refuse the package."""
        text = self.text(name)
        if text is None:
            raise self.missing(name)
        return text

    def missing(self, name: str) -> EdxmlError:
        """Make the error for a field without which the package means nothing."""
        where = f"{self.path}/{name}" if self.path else name
        return EdxmlError(
            f"`{where}` is missing or empty",
            code="edxml/missing-field",
            line=self.node.line,
            column=self.node.column,
            path=f"{self.node.path}/{name}",
        )

    def integer(self, name: str) -> int | None:
        """Return a child's whole number; other text is reported and kept as an extra."""
        text = self.text(name)
        if text is not None and not _INTEGER.fullmatch(text):
            self._keep_unreadable(name, text)
            return None
        return None if text is None else int(text)

    def flag(self, name: str) -> bool | None:
        """Return a child's yes or no: true/false or 1/0; other text is reported and kept as an extra."""
        text = self.text(name)
        if text is not None and text.lower() not in _FLAGS:
            self._keep_unreadable(name, text)
            return None
        return None if text is None else _FLAGS[text.lower()]

    def _keep_unreadable(self, name: str, text: str) -> None:
        node = self.node.find(name)
        self.report.add("value-unreadable", f"`{name}` is {text[:60]!r}", node)
        self._taken.discard(id(node))

    def day(self, name: str) -> Day | None:
        """Return a child's date."""
        node = self.node.find(name)
        text = self.text(name)
        return parse_day(text, self.report, node) if text is not None else None

    def instant(self, name: str) -> Instant | None:
        """Return a child's time."""
        node = self.node.find(name)
        text = self.text(name)
        return parse_instant(text, self.report, node) if text is not None else None

    def document_id(self, name: str = "DocumentId") -> DocumentId | None:
        """Return a child's document identifier."""
        node = self.node.find(name)
        text = self.text(name)
        return parse_document_id(text, self.report, node) if text is not None else None

    def clean(self, node: Node) -> str | None:
        """Return an element's own text as every field is read."""
        text = unicodedata.normalize("NFC", node.text.translate(_INVISIBLE))
        if text != node.text:
            self.report.add("text-normalised", f"`{node.name}` has invisible or decomposed characters", node, once="")
        return text.strip() or None

    def extras(self) -> Iterator[Extra]:
        """Yield what was not understood, in document order within each element."""
        for child in self.node.children:
            if id(child) not in self._taken:
                yield from self._verbatim(child, self.path)
        for section in self._below:
            yield from section.extras()

    def _verbatim(self, node: Node, path: str) -> Iterator[Extra]:
        path = f"{path}/{node.name}" if path else node.name
        self.report.add("unknown-element", f"`{path}` is kept as it is", node, once=path)
        text = node.text.strip()
        if text or not node.children:
            yield Extra(path, text)
        for child in node.children:
            yield from self._verbatim(child, path)

    def _open(self, node: Node) -> "Section":
        self._taken.add(id(node))
        return Section(node, self.report, f"{self.path}/{node.name}" if self.path else node.name)

    def _take(self, name: str) -> Node | None:
        node = self.node.find(name)
        if node is not None:
            self._taken.add(id(node))
        return node


def parse_day(text: str, report: Report, node: Node | None) -> Day:
    """Read `yyyy/MM/dd`, tolerate day first and dashes, and keep as text what is no date."""
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = map(int, match.groups())
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year = map(int, match.groups())
    else:
        report.add("date-unreadable", f"{text[:60]!r} is no date", node)
        return Day(text)
    if not _OFFICIAL_DAY.fullmatch(text):
        report.add("date-format", f"{text!r} is not written yyyy/MM/dd", node)
    try:
        return Day(text, dt.date(year, month, day))
    except ValueError:
        report.add("date-impossible", f"there is no day {text}", node)
        return Day(text)


def parse_instant(text: str, report: Report, node: Node | None) -> Instant:
    """Read `yyyy/MM/dd HH:mm:ss` in Vietnam time, or ISO 8601."""
    date_text, _, clock_text = text.partition(" ")
    clock = _CLOCK.fullmatch(clock_text.strip())
    if clock is None:
        try:
            value = dt.datetime.fromisoformat(text)
        except ValueError:
            report.add("date-unreadable", f"{text[:60]!r} is no time", node)
            return Instant(text)
        report.add("date-format", f"{text!r} is not written yyyy/MM/dd HH:mm:ss", node)
        return Instant(text, value if value.tzinfo else value.replace(tzinfo=VIETNAM_TIME))
    day = parse_day(date_text, report, node).value
    try:
        hour, minute, second = (int(part or 0) for part in clock.groups())
        time = dt.time(hour, minute, second)
    except ValueError:
        report.add("date-impossible", f"there is no time {text}", node)
        return Instant(text)
    return Instant(text, dt.datetime.combine(day, time, VIETNAM_TIME) if day else None)


def document_id_of(text: str) -> DocumentId:
    """Read a document identifier that comes from elsewhere than a package."""
    return parse_document_id(text, Report(), None)


def parse_document_id(text: str, report: Report, node: Node | None) -> DocumentId:
    """Read `<code>,<yyyy/MM/dd>,<number>/<notation>` into its parts, or keep a UUID or any other key as it is."""
    parts = [part.strip() for part in text.split(",", 2)]
    if len(parts) == _TRIPLE_PARTS and all(parts):
        return DocumentId(text, IdForm.TRIPLE, parts[0], parse_day(parts[1], report, node), parts[2])
    form = IdForm.UUID if _UUID.fullmatch(text) else IdForm.OTHER
    report.add("document-id-form", f"{text[:80]!r} is not <code>,<date>,<number>/<notation>", node)
    return DocumentId(text, form)
