"""edXML packages: what is read can be shown, written, read again with the same meaning, and agrees with libxml2."""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from axis.core.codes import canonical
from axis.edxml import (
    DEVIATIONS,
    EdxmlDocument,
    EdxmlError,
    EdxmlStatus,
    Limits,
    Profile,
    SignatureState,
    build_document,
    build_status,
    read,
)
from axis.edxml import check as check_package
from axis.edxml.convert import to_envelope, to_status
from axis.edxml.plain import as_plain
from axis.edxml.summary import summary
from axis.signatures.trust import Trust
from axis.signatures.xml import verify_package
from schemas import Envelope, Status, examples
from schemas.reasons import REASONS
from tests.builders import NOW
from tests.fuzz.oracle import Target, holds, read_or_refused

_LIMITS = Limits(
    max_bytes=262_144, max_elements=2_000, max_content=1_000_000, max_attachment=500_000, zip_free=100_000, spool=65_536
)
_VECTORS = Path(__file__).parents[2] / "vectors" / "edxml"
_SEED_BYTES = 6_000
_AT = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)


def check(data: bytes) -> None:
    """Read a package, and use it for everything packages are used for."""
    package = read_or_refused(lambda: _read(data), EdxmlError, "edxml")
    _is_reported(data, package)
    if package is None:
        return
    _agrees_with_libxml2(data, package)
    json.dumps(as_plain(package)).encode()
    holds(all(text for _, text in summary(package)), "a line of the summary is empty")
    _comes_back(package)
    converted = read_or_refused(lambda: _convert(package), EdxmlError, "edxml")
    if converted is not None:
        # What the gateway makes of a package must be taken by the router.
        written = converted.model_dump_json(by_alias=True)
        holds(type(converted).model_validate_json(written) == converted, "the envelope made of it is not valid")


def _read(data: bytes) -> EdxmlDocument | EdxmlStatus:
    try:
        return read(data, limits=_LIMITS)
    except EdxmlError as error:
        holds((error.line or 0) >= 1 and (error.column or 0) >= 1, f"{error.code} does not say where")
        raise


def _is_reported(data: bytes, package: EdxmlDocument | EdxmlStatus | None) -> None:
    lenient, strict = (check_package(data, profile, limits=_LIMITS) for profile in Profile)
    for report in (lenient, strict):
        json.dumps(report.as_json()).encode()
        known = all(each.code in DEVIATIONS or each.code in REASONS for each in report.findings)
        holds(known, "a finding has a code that stands in no catalogue")
    holds(lenient.ok or not strict.ok, "refused by the lenient profile, and taken by the strict one")
    holds(package is not None or not lenient.ok, "the reader refuses it, and the report does not")
    if package is None or not lenient.ok:
        return
    found = verify_package(data, trust=Trust(), at=NOW, limits=_LIMITS, allow_sha1=True)
    holds(found.state is not SignatureState.VALID, "a signature of nobody who is trusted is valid")
    holds(found.reason is None or found.reason in DEVIATIONS, "a signature's reason stands in no catalogue")


def _comes_back(package: EdxmlDocument | EdxmlStatus) -> None:
    written = _write(package)
    again = read(written, limits=_LIMITS)
    holds(again.extras == (), "what we wrote has elements we do not know")
    holds(_write(again) == written, "written twice it is two packages")
    holds(_meaning(again) == _meaning(package), "written and read again it says something else")


def _meaning(package: EdxmlDocument | EdxmlStatus) -> EdxmlDocument | EdxmlStatus:
    # What has no place in a package of ours is not written: strangers' elements, and XML signatures, which are void.
    # ContentType describes how a file travelled, and it travels by our rule now.
    if isinstance(package, EdxmlStatus):
        return dataclasses.replace(package, extras=())
    files = tuple(dataclasses.replace(file, content_type=None) for file in package.attachments)
    return dataclasses.replace(package, extras=(), attachments=files, signature=SignatureState.ABSENT)


def _write(package: EdxmlDocument | EdxmlStatus) -> bytes:
    return build_document(package) if isinstance(package, EdxmlDocument) else build_status(package)


def _convert(package: EdxmlDocument | EdxmlStatus) -> Envelope | Status:
    identifier = examples.ENVELOPE_ID
    if isinstance(package, EdxmlDocument):
        return to_envelope(package, id=identifier, sent_at=NOW, to_canonical=canonical, concerns=identifier)
    return to_status(package, id=identifier, envelope=identifier, to_canonical=canonical, at=_AT)


def _agrees_with_libxml2(data: bytes, package: EdxmlDocument | EdxmlStatus) -> None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, load_dtd=False, recover=True)
    root = etree.fromstring(data, parser)
    # A namespace that is no URI is told as a deviation of the package, and harms nobody: names are what is read.
    log = [entry for entry in parser.error_log if entry.level_name != "WARNING" and entry.domain_name != "NAMESPACE"]
    complaints = [entry.message for entry in log]
    holds(not complaints, f"read, and libxml2 says: {complaints[:1]}")
    doctype = root.getroottree().docinfo.doctype  # type: ignore[union-attr] # unknown to the stubs
    holds(not doctype, "read, with a document type")
    texts = ["".join(map(str, element.itertext())) for element in root.iter(etree.Element)]
    sender = package.sender.organ_id
    holds(any(_bare(sender) in _bare(text) for text in texts), f"the sender {sender!r} is nowhere in the package")


def _bare(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isalnum())


def _seeds() -> Mapping[str, bytes]:
    return {
        path.stem: data
        for path in sorted(_VECTORS.glob("*.edxml"))
        if len(data := path.read_bytes()) <= _SEED_BYTES and not path.stem.startswith("zip-")
    } | {path.stem: path.read_bytes() for path in (_VECTORS / "zip-one-entry.edxml", _VECTORS / "zip-own-name.edxml")}


_WORDS = """
<edXML> </edXML> <edXMLEnvelope> <edXMLHeader> <MessageHeader> <From> <To> <OrganId> </OrganId> <DocumentId> <Subject>
<CodeNumber> <CodeNotation> <PromulgationDate> <DueDate> <Timestamp> <Bussiness> <BussinessDocType> <StatusCode>
<ResponseFor> <TraceHeader> <Attachment> <ContentTransferEncoded> <ContentId> <Signature> <![CDATA[ ]]> <!-- --> <?x ?>
&amp; &#0; &#10; &#xFFFE; &#55296; <!DOCTYPE <!ENTITY xmlns= xmlns:a= xml:space= 2026/11/24 0001/01/01 9999/12/31 cid:
"""
EDXML = Target(
    check,
    _seeds,
    (*(word.encode() for word in _WORDS.split()), b"\xef\xbb\xbf", b"\xff\xfe", "ế".encode(), "\u200b".encode()),
)
