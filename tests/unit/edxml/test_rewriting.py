"""A package that is read and written again holds the same files, whatever the first writer had called them."""

import dataclasses
from pathlib import Path

import pytest

from axis.edxml import (
    EdxmlDocument,
    EdxmlError,
    EdxmlStatus,
    SignatureState,
    attach,
    build_document,
    build_status,
    read,
)
from axis.edxml.model import Organisation
from axis.edxml.values import DocumentId
from tests.builders import NOW

REAL = Path(__file__).parents[4] / "shared" / "data" / "edxml"
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


# Packages as they are


def meaning(package: EdxmlDocument | EdxmlStatus) -> EdxmlDocument | EdxmlStatus:
    """What has a place in a package of ours: strangers' elements and void signatures have none."""
    if isinstance(package, EdxmlStatus):
        return dataclasses.replace(package, extras=())
    files = tuple(dataclasses.replace(file, content_type=None) for file in package.attachments)
    return dataclasses.replace(package, extras=(), attachments=files, signature=SignatureState.ABSENT)


def spelled_otherwise(data: bytes) -> bytes:
    """Write a package as another builder does: correct English, no prefixes, other names of two elements."""
    text = data.decode().replace("Bussiness", "Business").replace("edXML:", "").replace("xmlns:edXML=", "xmlns:e=")
    return text.replace("OrganizationInCharge", "OrganInCharge").replace("edXMLManifest", "Manifest").encode()


@pytest.mark.skipif(not REAL.is_dir(), reason="the real packages (../shared/data/edxml) are not here")
@pytest.mark.parametrize("respelled", [False, True])
def test_real_packages_mean_the_same_after_writing(respelled: bool) -> None:
    count = 0
    for path in sorted(REAL.glob("*.edxml")):
        if path.stem == "not_well_formed":
            continue
        data = spelled_otherwise(path.read_bytes()) if respelled else path.read_bytes()
        package = read(data)
        written = build_document(package) if isinstance(package, EdxmlDocument) else build_status(package)
        again = read(written)
        assert meaning(again) == meaning(package) == meaning(read(path.read_bytes())), path.name
        if isinstance(package, EdxmlDocument) and isinstance(again, EdxmlDocument):
            pairs = zip(package.attachments, again.attachments, strict=True)
            assert all(one.content.read() == other.content.read() for one, other in pairs)
        count += 1
    assert count == 11
