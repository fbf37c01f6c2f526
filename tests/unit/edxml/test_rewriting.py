"""A package that is read and written again holds the same files, whatever the first writer had called them."""

import dataclasses

import pytest

from axis.edxml import EdxmlDocument, EdxmlError, attach, build_document, read
from axis.edxml.model import Organisation
from axis.edxml.values import DocumentId
from tests.builders import NOW

FILE = b"PK\x05\x06" + b"\0" * 18  # an empty ZIP: bytes that a reader may be tempted to unpack


def package(name: str, content_type: str | None, data: bytes = FILE) -> EdxmlDocument:
    document_id = DocumentId.of("000.00.00.G22", NOW.date(), "1/VPCP")
    organisation = Organisation("000.00.00.G22")
    attachment = dataclasses.replace(attach(name, data), content_type=content_type)
    return EdxmlDocument(organisation, (organisation,), document_id, attachments=(attachment,))


@pytest.mark.parametrize("name", ["a.xlsx", "a.pdf", "a.docx", "a.zip", "a", "A.ZIP", "a.xsl"])
@pytest.mark.parametrize(
    "content_type", [None, "application/zip", "APPLICATION/ZIP", "application/pdf", "aprlication/zip"]
)
def test_the_file_arrives_as_it_was(name: str, content_type: str | None) -> None:
    """Found by fuzzing: a file packed by our rule under another ContentType arrived as the ZIP."""
    inner = build_document(package("inner.xlsx", None))
    for data in (FILE, b"", inner):
        again = read(build_document(package(name, content_type, data)))
        assert isinstance(again, EdxmlDocument)
        (file,) = again.attachments
        assert file.content.read() == data


def test_a_content_id_of_a_prefix_alone_is_none() -> None:
    written = build_document(package("a.pdf", "application/pdf"))
    content_id = package("a.pdf", "application/pdf").attachments[0].content_id
    again = read(written.replace(f"cid:{content_id}".encode(), b"cid:"))
    assert isinstance(again, EdxmlDocument)
    assert [file.content_id for file in again.attachments] == [None]


@pytest.mark.parametrize("version", ["0.0", "2.0", "1", "1.", "1.0.0", "one"])
def test_an_xml_that_is_none_is_refused(version: str) -> None:
    written = build_document(package("a.pdf", None)).replace(b'version="1.0"', f'version="{version}"'.encode(), 1)
    with pytest.raises(EdxmlError) as caught:
        read(written)
    assert caught.value.code == "edxml/not-well-formed"
