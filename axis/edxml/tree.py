"""Bytes to a bounded tree of elements, with the attachments streamed aside.

Why expat and not a tree parser: every event has a line and a column; text arrives in pieces, so base64 of any length
goes to a file as it is read and no 10 MB limit on text nodes has to be lifted together with the parser's own guards;
and a DOCTYPE is refused the moment its name is read, before a single entity can be declared. Without a DOCTYPE there
are no entities but the five of XML, hence no expansion, no external reference and no network. What remains (depth,
number of elements, length of text and of single tokens, total size) is bounded by `Limits`.
"""

import codecs
import re
from dataclasses import dataclass, field
from typing import BinaryIO, NoReturn
from xml.parsers import expat

from axis.edxml.bytestream import CHUNK, Place, pieces, valid_prefix
from axis.edxml.content import Base64Sink, Budget
from axis.edxml.deviations import Deviation
from axis.edxml.errors import EdxmlError
from axis.edxml.limits import Limits
from axis.edxml.names import NAMESPACE, SIGNATURES, official, spelling_code
from axis.edxml.sources import Content, Spool

_MAX_DEVIATIONS = 200
_ENCODING_ERRORS = {
    expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
    expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
    expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING],
}
_VERSION = re.compile(r"1\.[0-9]+")
_SEPARATOR = "\n"  # cannot occur in a namespace after attribute-value normalisation, nor in a name


@dataclass(slots=True)
class Node:
    """One element: its official `name`, the namespace as written, and where it starts (1-based)."""

    name: str
    namespace: str
    line: int
    column: int
    children: list["Node"] = field(default_factory=list)
    text: str = ""
    content: Content | None = None
    parent: "Node | None" = field(default=None, repr=False, compare=False)
    number: int = field(default=0, repr=False, compare=False)  # from 1, among the children of that name
    namesakes: dict[str, int] | None = field(default=None, repr=False, compare=False)  # how many children by name

    @property
    def path(self) -> str:
        """The names from the root down to here, with a number (from 1) where an element has a namesake beside it."""
        names: list[str] = []
        node: Node | None = self
        while node is not None:
            among = (node.parent.namesakes or {}).get(node.name, 1) if node.parent is not None else 1
            names.append(f"{node.name}[{node.number}]" if among > 1 else node.name)
            node = node.parent
        return "/".join(reversed(names))

    def count(self, child: "Node") -> None:
        """Number a child that begins here: who names every one of many must not count them all each time."""
        if self.namesakes is None:
            self.namesakes = {}
        child.parent, child.number = self, self.namesakes.get(child.name, 0) + 1
        self.namesakes[child.name] = child.number

    def find(self, name: str) -> "Node | None":
        """Return the first child of that name."""
        return next((child for child in self.children if child.name == name), None)


@dataclass(slots=True)
class Report:
    """Collect the deviations of one package, each kind of spelling once."""

    deviations: list[Deviation] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, code: str, message: str, node: Node | None = None, *, once: str | None = None) -> None:
        """Note a deviation; with `once`, only the first of the same code and key."""
        if once is not None:
            if (code, once) in self._seen:
                return
            self._seen.add((code, once))
        if len(self.deviations) < _MAX_DEVIATIONS:
            place = (node.line, node.column, node.path) if node else (None, None, None)
            self.deviations.append(Deviation(code, message, *place))


def parse_tree(source: bytes | BinaryIO, limits: Limits, report: Report) -> Node:
    """Parse a package into its root element.

    Raises:
        EdxmlError: with line and column, for anything that is not one well-formed UTF-8 document within the limits.
    """
    builder = _Builder(limits, report)
    builder.run(source)
    if builder.root is None:  # expat has already refused an empty document; this is for the type checker and for us
        raise EdxmlError("no element", code="edxml/not-well-formed", line=1, column=1)
    return builder.root


class _Builder:
    def __init__(self, limits: Limits, report: Report) -> None:
        self.root: Node | None = None
        self._limits = limits
        self._report = report
        self._budget = Budget(limits.max_content)
        self._spool = Spool(limits)
        self._stack: list[Node] = []
        self._pieces: list[list[str]] = []
        self._sink: Base64Sink | None = None
        self._elements = 0
        self._text = 0
        self._attachments = 0
        self._in_signature = 0
        # The encoding is ours to say: a declaration that says otherwise is refused below.
        parser = expat.ParserCreate("utf-8", _SEPARATOR)
        parser.buffer_text = True
        parser.buffer_size = CHUNK
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self._parser = parser

    def run(self, source: bytes | BinaryIO) -> None:
        utf8 = codecs.getincrementaldecoder("utf-8")()
        place = Place()
        total = 0
        for number, piece in enumerate(pieces(source)):
            if number == 0:
                self._check_start(piece)
            valid = valid_prefix(utf8, piece)
            self._feed(piece[:valid], total)
            total += valid
            if valid < len(piece):
                line, column = place.after(piece[:valid])
                raise EdxmlError(
                    "the bytes are not UTF-8", code="edxml/encoding", line=line, column=column, path=self._here()
                )
            if total > self._limits.max_bytes:
                self._refuse("the package is over the limit", "edxml/too-large")
            place.pass_over(piece)
        self._feed(b"", total, final=True)

    def _feed(self, data: bytes, before: int, *, final: bool = False) -> None:
        try:
            self._parser.Parse(data, final)
        except expat.ExpatError as error:
            raise EdxmlError(
                expat.ErrorString(error.code) or "not well-formed",
                code="edxml/encoding" if error.code in _ENCODING_ERRORS else "edxml/not-well-formed",
                line=error.lineno,
                column=error.offset + 1,
                path=self._here(),
            ) from error
        if before + len(data) - self._parser.CurrentByteIndex > self._limits.max_token + CHUNK:
            self._refuse("a single tag, comment or attribute is over the limit", "edxml/too-large")

    def _check_start(self, piece: bytes) -> None:
        if piece.startswith(codecs.BOM_UTF8):
            self._report.add("bom", "starts with a byte order mark")
        elif piece.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE, b"\0<", b"<\0", b"\0\0\0<")):
            raise EdxmlError("the bytes are UTF-16 or UTF-32, not UTF-8", code="edxml/encoding", line=1, column=1)

    def _refuse(self, detail: str, code: str) -> NoReturn:
        raise EdxmlError(
            detail,
            code=code,
            line=self._parser.CurrentLineNumber,
            column=self._parser.CurrentColumnNumber + 1,
            path=self._here(),
        )

    def _here(self) -> str | None:
        return self._stack[-1].path if self._stack else None

    def _declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        # XML 1.0 section 2.8. The parser takes any number, others refuse the whole package for it.
        if not _VERSION.fullmatch(version):
            self._refuse(f"declares version {version[:40]!r} of XML", "edxml/not-well-formed")
        # US-ASCII is a part of UTF-8, so that claim cannot mislead.
        if encoding is not None and encoding.lower() not in {"utf-8", "utf8", "us-ascii"}:
            self._refuse(f"declares the encoding {encoding[:40]!r}; only UTF-8 is read", "edxml/encoding")

    def _doctype(self, *_: object) -> None:
        self._refuse("a document type declaration is not allowed", "edxml/doctype")

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        namespace, _, spelled = tag.rpartition(_SEPARATOR)
        if self._sink is not None:
            self._refuse("an element inside base64 text", "edxml/bad-base64")
        if len(self._stack) >= self._limits.max_depth:
            self._refuse(f"elements are nested deeper than {self._limits.max_depth}", "edxml/too-deep")
        self._elements += 1
        if self._elements > self._limits.max_elements:
            self._refuse(f"more than {self._limits.max_elements} elements", "edxml/too-large")
        name = spelled if self._in_signature else official(spelled)
        node = Node(name, namespace, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)
        if self._stack:
            self._stack[-1].count(node)
        if self._in_signature or name in SIGNATURES:
            self._in_signature += 1
        else:
            self._note_spelling(spelled, node)
        if self._stack:
            parent = self._stack[-1]
            parent.children.append(node)
            if name == "ContentTransferEncoded" and parent.name == "Attachment":
                self._attachments += 1
                if self._attachments > self._limits.max_attachments:
                    self._refuse(f"more than {self._limits.max_attachments} attachments", "edxml/too-large")
                self._sink = Base64Sink(self._spool, self._limits, self._budget)
        else:
            self.root = node
        self._stack.append(node)
        self._pieces.append([])

    def _note_spelling(self, spelled: str, node: Node) -> None:
        if spelled != node.name:
            self._report.add(spelling_code(spelled), f"`{spelled}` is taken for `{node.name}`", node, once=spelled)
        if node.namespace != NAMESPACE:
            what = f"in the namespace {node.namespace!r}" if node.namespace else "in no namespace"
            self._report.add("namespace", f"`{spelled}` is {what}", node, once=node.namespace)

    def _end(self, _tag: str) -> None:
        node = self._stack.pop()
        node.text = "".join(self._pieces.pop())
        if self._in_signature:
            self._in_signature -= 1
        if self._sink is not None:
            sink, self._sink = self._sink, None
            with _at(node):
                node.content = sink.close()

    def _characters(self, text: str) -> None:
        if self._sink is not None:
            with _at(self._stack[-1]):
                self._sink.feed(text)
            return
        self._text += len(text)
        if self._text > self._limits.max_text:
            self._refuse("the text outside attachments is over the limit", "edxml/too-large")
        if self._pieces:
            self._pieces[-1].append(text)


class _at:  # noqa: N801 - reads as a preposition where it is used
    """Say where an attachment's error was: decoding itself knows no positions."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, EdxmlError) and error.line is None:
            error.line, error.column, error.path = self._node.line, self._node.column, self._node.path
