"""XML signatures as document systems make them, and as attackers do."""

from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner
from signxml.xades.xades import XAdESSigner

from axis.edxml.names import NAMESPACE, XMLDSIG
from tests.authority import Party


class _WeakSigner(XMLSigner):
    def check_deprecated_methods(self) -> None:  # the library makes no SHA-1 any more; document systems do
        """Allow it."""


class _AdvancedSigner(XAdESSigner):
    def _add_reference_to_signed_info(self, sig_root: Any, node_to_reference: Any, **attrs: Any) -> None:
        # The library's reference to its certificates does not verify inside another document; systems have none.
        if node_to_reference.tag != f"{{{XMLDSIG}}}KeyInfo":
            super()._add_reference_to_signed_info(sig_root, node_to_reference, **attrs)  # type: ignore[no-untyped-call]


def sign_package(
    data: bytes,
    party: Party,
    *,
    chain: Sequence[Party] = (),
    advanced: bool = False,
    weak: bool = False,
    change: Callable[[etree._Element], None] | None = None,
) -> bytes:
    """Sign a package, the signature in its header as the format has it; `change` acts before the signing."""
    root = etree.fromstring(data, etree.XMLParser(huge_tree=True))
    default: Any = {None: XMLDSIG}
    header = root.find(f".//{{{NAMESPACE}}}edXMLHeader")
    assert header is not None
    # In the root the library's XAdES has the namespaces in scope that it made its digests with.
    etree.SubElement(root if advanced else header, f"{{{XMLDSIG}}}Signature", {"Id": "placeholder"}, nsmap=default)
    if change:
        change(root)
    elliptic = isinstance(party.key, ec.EllipticCurvePrivateKey)
    assert isinstance(party.key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    method = SignatureMethod.ECDSA_SHA256 if elliptic else SignatureMethod.RSA_SHA256
    digest = DigestAlgorithm.SHA256
    if weak:
        method, digest = SignatureMethod.ECDSA_SHA1 if elliptic else SignatureMethod.RSA_SHA1, DigestAlgorithm.SHA1
    plain = CanonicalizationMethod.CANONICAL_XML_1_1  # what a reference without transforms is in
    kind: Any = _AdvancedSigner if advanced else _WeakSigner if weak else XMLSigner
    signer = kind(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=method,
        digest_algorithm=digest,
        c14n_algorithm=plain if advanced else CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signer._parser = etree.XMLParser(huge_tree=True)
    certificates = [each.certificate for each in (party, *chain)]
    signed = signer.sign(root, key=party.key, cert=certificates)
    return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")
