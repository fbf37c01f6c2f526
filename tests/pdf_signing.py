"""Signed PDFs as agencies make them, and as nobody should."""

import io
from collections.abc import Sequence
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.authority import Party


def plain_pdf(text: str = "Cong van") -> bytes:
    """Make a PDF of one page."""
    writer = PdfFileWriter(stream_xrefs=False)
    content = RawContent(b"BT /F1 12 Tf 72 700 Td (" + text.encode("ascii") + b") Tj ET", box=BoxConstraints(595, 842))
    writer.insert_page(PageObject(contents=writer.add_object(content.as_form_xobject()), media_box=(0, 0, 595, 842)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def sign_pdf(
    data: bytes, party: Party, *, chain: Sequence[Party] = (), field: str = "Ky1", stamper: Any = None
) -> bytes:
    """Sign a PDF."""
    store = SimpleCertificateStore()
    store.register_multiple(asn1.Certificate.load(each.der) for each in chain)
    key = party.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = signers.SimpleSigner(
        signing_cert=asn1.Certificate.load(party.der),
        signing_key=asn1_keys.PrivateKeyInfo.load(key),
        cert_registry=store,
    )
    metadata = signers.PdfSignatureMetadata(field_name=field, md_algorithm="sha256", name="nobody believes this")
    out = io.BytesIO()
    signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(data)), metadata, signer=signer, timestamper=stamper, output=out
    )
    return out.getvalue()


def changed_after(data: bytes) -> bytes:
    """Add a page to a signed PDF as an update of it: the signed bytes stay as they are."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    content = RawContent(b"BT ET", box=BoxConstraints(595, 842))
    writer.insert_page(PageObject(contents=writer.add_object(content.as_form_xobject()), media_box=(0, 0, 595, 842)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
