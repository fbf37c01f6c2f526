"""What a strict reader of QCVN 102:2016 asks for: fields that have to be there, and how long they may be.

Sources: the format's tables as far as they are public, the data dictionary of NĐ 30/2020 (annex VI), and the checker of
one implementer. Elements are named below MessageHeader, or below the header or root where the path begins with `/`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from axis.core.codes import canonical
from axis.edxml.package import Package
from axis.edxml.tree import Node
from axis.errors import AxisError


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that is broken: a code of DEVIATIONS or EdxmlError, where, and what exactly (`path` below `node`)."""

    code: str
    node: Node
    detail: str
    below: str = ""


# Without these nobody can be sent anything; the reader asks for the same.
_TO_ROUTE = {
    "document": ("From/OrganId", "To/OrganId", "DocumentId"),
    "status": ("From/OrganId", "ResponseFor/OrganId", "ResponseFor/DocumentId", "StatusCode"),
}
_REQUIRED = {
    "document": (
        "From/OrganName",
        "To/OrganName",
        "Code/CodeNumber",
        "Code/CodeNotation",
        "PromulgationInfo/Place",
        "PromulgationInfo/PromulgationDate",
        "DocumentType/Type",
        "DocumentType/TypeName",
        "Subject",
        "Content",
        "SignerInfo/FullName",
        "/TraceHeaderList/TraceHeader/OrganId",
        "/TraceHeaderList/TraceHeader/Timestamp",
    ),
    "status": ("From/OrganName", "ResponseFor/Code"),
}
_ORGANISATION = {
    "OrganName": 200,
    "OrganizationInCharge": 500,
    "OrganAdd": 500,
    "Email": 100,
    "Telephone": 20,
    "Fax": 20,
}
_LONGEST: Mapping[str, int] = {
    **{f"{part}/{name}": longest for part in ("From", "To") for name, longest in _ORGANISATION.items()},
    "Code/CodeNumber": 11,
    "Code/CodeNotation": 30,
    "PromulgationInfo/Place": 50,
    "DocumentType/TypeName": 100,
    "Subject": 500,
    "Content": 500,
    "SignerInfo/Position": 100,
    "SignerInfo/FullName": 50,
    "ToPlaces/Place": 150,
    "OtherInfo/SphereOfPromulgation": 100,
    "OtherInfo/TyperNotation": 10,
}
_LONGEST_PLACES = 1_000  # all of ToPlaces together
_RANGES: Mapping[str, range] = {
    "OtherInfo/PromulgationAmount": range(1_000),
    "OtherInfo/PageAmount": range(1_000),
    "SteeringType": range(4),
    "/TraceHeaderList/Bussiness/Paper": range(2),
}
_INTEGER = re.compile(r"-?[0-9]{1,9}")  # what else is written there, the reading notes
_ROUTED_CODES = {"document": ("From/OrganId", "To/OrganId"), "status": ("From/OrganId", "ResponseFor/OrganId")}
_OTHER_CODES = {
    "document": (
        "ResponseFor/OrganId",
        "/TraceHeaderList/TraceHeader/OrganId",
        "/TraceHeaderList/Bussiness/BussinessDocumentInfo/ReceiverList/Receiver/OrganId",
        "/TraceHeaderList/Bussiness/ReplacementInfoList/ReplacementInfo/OrganIdList/OrganId",
    ),
    "status": (),
}


def unroutable(package: Package, kind: str) -> Iterator[Breach]:
    """Yield what keeps a `document` or `status` package from being sent anywhere."""
    for path in _TO_ROUTE[kind]:
        yield from _missing(package, path, "edxml/missing-field")
    for path in _ROUTED_CODES[kind]:
        for node in _found(package, path):
            text = _text(node)
            if text and not _is_code(text, tolerant=True):
                yield Breach("edxml/code", node, repr(text[:60]))
    if kind == "document":
        for node in _attachments(package):
            if node.find("ContentTransferEncoded") is None:
                yield _breach_missing("edxml/missing-field", node, "ContentTransferEncoded")


def breaches(package: Package, kind: str) -> Iterator[Breach]:
    """Yield what a strict reader refuses besides, beyond what the reading itself notes."""
    for path in _REQUIRED[kind]:
        yield from _missing(package, path, "field-missing")
    if kind == "document":
        for node in _found(package, "/TraceHeaderList/Bussiness"):
            yield from _missing_below(node, ["BussinessDocType"], "field-missing")
        for node in _attachments(package):
            yield from _missing_below(node, ["ContentId"], "field-missing")
            yield from _missing_below(node, ["ContentType"], "field-missing")
    yield from _irregular_codes(package, kind)
    yield from _lengths(package)
    yield from _numbers(package)


def _irregular_codes(package: Package, kind: str) -> Iterator[Breach]:
    for path in (*_ROUTED_CODES[kind], *_OTHER_CODES[kind]):
        for node in _found(package, path):
            text = _text(node)
            # One that cannot be read at all is told already where it is routed on.
            told = path in _ROUTED_CODES[kind] and not _is_code(text, tolerant=True)
            if text and not told and not _is_code(text, tolerant=False):
                yield Breach("code-irregular", node, repr(text[:60]))


def _lengths(package: Package) -> Iterator[Breach]:
    for path, longest in _LONGEST.items():
        for node in _found(package, path):
            yield from _too_long(node, len(_text(node)), longest)
    for node in _found(package, "ToPlaces"):
        yield from _too_long(node, sum(len(_text(place)) for place in node.children), _LONGEST_PLACES)


def _numbers(package: Package) -> Iterator[Breach]:
    for path, values in _RANGES.items():
        for node in _found(package, path):
            text = _text(node)
            if _INTEGER.fullmatch(text) and int(text) not in values:
                yield Breach("number-range", node, f"{text} is not {values.start} to {values.stop - 1}")


def _attachments(package: Package) -> Iterator[Node]:
    # Straight from the tree: asking the sections would tell them that all of this was understood.
    for frame in {id(part.node): part.node for part in (package.root, package.envelope)}.values():
        for part in frame.children:
            if part.name == "AttachmentEncoded":
                yield from (child for child in part.children if child.name == "Attachment")


def _missing(package: Package, path: str, code: str) -> Iterator[Breach]:
    start, names = _start(package, path)
    yield from _missing_below(start, names, code)


def _missing_below(node: Node, names: list[str], code: str) -> Iterator[Breach]:
    """Follow a path in every branch; the first step that is not there, or an empty end, is missing."""
    if not names:
        if not _text(node) and not node.children:
            yield Breach(code, node, f"`{node.name}` is empty")
        return
    found = [child for child in node.children if child.name == names[0]]
    if not found:
        yield _breach_missing(code, node, "/".join(names))
    for child in found:
        yield from _missing_below(child, names[1:], code)


def _breach_missing(code: str, node: Node, below: str) -> Breach:
    return Breach(code, node, f"`{node.name}/{below}` is missing", below)


def _found(package: Package, path: str) -> list[Node]:
    start, names = _start(package, path)
    nodes = [start]
    for name in names:
        nodes = [child for node in nodes for child in node.children if child.name == name]
    return nodes


def _start(package: Package, path: str) -> tuple[Node, list[str]]:
    section = package.header if path.startswith("/") else package.message
    return section.node, path.removeprefix("/").split("/")


def _too_long(node: Node, length: int, longest: int) -> Iterator[Breach]:
    if length > longest:
        yield Breach("text-too-long", node, f"{length} > {longest}")


def _is_code(text: str, *, tolerant: bool) -> bool:
    try:
        canonical(text, tolerant=tolerant)
    except AxisError:
        return False
    return True


def _text(node: Node) -> str:
    return unicodedata.normalize("NFC", node.text).strip()
