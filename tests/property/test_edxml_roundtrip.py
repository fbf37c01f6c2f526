"""What the writer writes, the reader reads: the same values, and for an independent parser the order of the SDK."""

import datetime as dt
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from axis.edxml import (
    Business,
    Day,
    DocumentId,
    DocumentType,
    EdxmlDocument,
    EdxmlStatus,
    Instant,
    Organisation,
    OtherInfo,
    ReceiverChange,
    Replacement,
    Response,
    Signer,
    Staff,
    Trace,
    attach,
    build_document,
    build_status,
    read,
)
from axis.edxml.names import NAMESPACE
from schemas.envelope import Action

INVISIBLE = "\u200b\u200c\u200d\ufeff"
texts = (
    st.text(
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=INVISIBLE + "\ufffe\uffff")
        | st.sampled_from("\t\n\r<>&'\"]"),
        min_size=1,
        max_size=30,
    )
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    .filter(bool)
)
maybe = st.none() | texts
numbers = st.none() | st.integers(-999, 999_999_999)
dates = st.dates()
days = dates.map(Day.of)
instants = st.integers(-62_135_510_400, 253_402_128_000).map(  # all of the calendar but its first and last days
    lambda seconds: Instant.of(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds))
)
codes = st.builds(
    "{:03}.{:02}.{:02}.{}{:02}".format,
    st.integers(0, 999),
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from("GHK"),
    st.integers(1, 63),
)
document_ids = st.builds(DocumentId.of, codes, dates, texts)
organisations = st.builds(Organisation, codes, maybe, maybe, maybe, maybe, maybe, maybe, maybe)
staff = st.builds(Staff, maybe, maybe, maybe, maybe).filter(lambda one: one != Staff())
responses = st.builds(Response, st.none() | codes, maybe, st.none() | days, st.none() | document_ids).filter(
    lambda one: one != Response()
)
flags = st.none() | st.booleans()
businesses = st.builds(
    lambda kind, **more: Business(
        kind=kind, type={"new": "0", "recall": "1", "update": "2", "replace": "3"}[kind], **more
    ),
    st.sampled_from(Action),
    reason=maybe,
    paper=st.sampled_from([None, 0, 1]),
    document_id=st.none() | document_ids,
    information_updated=flags,
    receivers_updated=flags,
    receiver_changes=st.lists(st.builds(ReceiverChange, codes, flags), max_size=2).map(tuple),
    replacements=st.lists(st.builds(Replacement, document_ids, st.lists(codes, max_size=2).map(tuple)), max_size=2).map(
        tuple
    ),
    staff=st.lists(staff, max_size=2).map(tuple),
)
names = st.builds(
    lambda stem, suffix: f"{stem}{suffix}",
    texts,
    st.sampled_from([".pdf", ".DOCX", ".zip", ".xlsx", ".xls", ".Ảnh", ""]),
)
attachments = st.lists(
    st.builds(attach, names, st.binary(max_size=200), description=st.none() | texts),
    max_size=3,
    unique_by=lambda one: one.content_id,
).map(tuple)
documents = st.builds(
    EdxmlDocument,
    sender=organisations,
    recipients=st.lists(organisations, min_size=1, max_size=3).map(tuple),
    document_id=document_ids,
    number=maybe,
    notation=maybe,
    place=maybe,
    issued_on=st.none() | days,
    kind=st.builds(DocumentType, numbers, numbers, maybe),
    subject=maybe,
    content=maybe,
    signer=st.none() | st.builds(Signer, texts, maybe, maybe),
    due_on=st.none() | days,
    other=st.builds(
        OtherInfo,
        numbers,
        maybe,
        maybe,
        numbers,
        numbers,
        st.none() | st.booleans(),
        st.lists(texts, max_size=2).map(tuple),
        maybe,
        maybe,
    ),
    replies=st.lists(responses, max_size=2).map(tuple),
    steering=numbers,
    to_places=st.lists(texts, max_size=2).map(tuple),
    response_for_task=maybe,
    application_type=maybe,
    trace=st.lists(st.builds(Trace, codes, st.none() | instants), max_size=2).map(tuple),
    business=st.none() | businesses,
    attachments=attachments,
)
statuses = st.builds(
    EdxmlStatus,
    sender=organisations,
    response=st.builds(Response, codes, maybe, st.none() | days, document_ids),
    code=st.sampled_from(["01", "02", "16", "103"]),
    description=maybe,
    at=st.none() | instants,
    staff=st.none() | staff,
)
SDK_ORDER = """
From To DocumentId Code PromulgationInfo DocumentType Subject Content SignerInfo DueDate OtherInfo ResponseFor
SteeringType ToPlaces ResponseForTask ApplicationType
""".split()  # noqa: SIM905 - reads as the format writes it


@settings(max_examples=200, deadline=None)
@given(documents)
def test_a_document_comes_back(document: EdxmlDocument) -> None:
    package = read(build_document(document))
    assert package == document
    assert isinstance(package, EdxmlDocument)
    pairs = zip(package.attachments, document.attachments, strict=True)
    assert all(one.content.read() == other.content.read() for one, other in pairs)
    assert package.extras == ()
    assert {warning.code for warning in package.warnings} <= {
        "document-id-date",
        "priority-unknown",
        "recipient-repeated",
    }


@settings(max_examples=40, deadline=None)
@given(documents)
def test_a_document_is_written_as_the_sdk_does(document: EdxmlDocument) -> None:
    data = build_document(document)
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\r\n<edXML xmlns="' + NAMESPACE.encode() + b'">\r\n')
    assert data == build_document(document)
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    spelled = {etree.QName(element).namespace for element in root.iter(etree.Element)}
    assert spelled == {NAMESPACE}
    (message,) = root.iter(f"{{{NAMESPACE}}}MessageHeader")
    order = [etree.QName(child).localname for child in message]
    assert order == sorted(order, key=SDK_ORDER.index)
    references = [element.findtext("{*}ContentId") for element in root.iter(f"{{{NAMESPACE}}}Reference")]
    encoded = [element.findtext("{*}ContentId") for element in root.iter(f"{{{NAMESPACE}}}Attachment")]
    assert references == encoded
    assert all(content_id is not None and content_id.startswith("cid:") for content_id in references)


@settings(max_examples=40, deadline=None)
@given(statuses)
def test_a_status_comes_back(status: EdxmlStatus) -> None:
    package = read(build_status(status))
    assert package == status
    assert {warning.code for warning in package.warnings} <= {"status-unknown"}
