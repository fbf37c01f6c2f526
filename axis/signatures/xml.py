"""The XML signature of a package (XML-DSig, XAdES), verified: who signed, and that it covers all of the package.

What is signed is decided here, not by the signature: exactly one reference to the whole document (URI "", the
enveloped signature taken out), beside it at most those to its own XAdES properties and certificates. Everything else
that XML signatures can be made to do (other documents, XPath, XSLT, keys of its own choice, a part in place of the
whole) is refused before a single digest is made. Then signxml verifies, and the certificate is looked for among those
that count.

The work is bounded by what is looked at first, by the reader with its limits and by `_Shape`: canonical XML takes the
square of some numbers (attributes, namespaces in scope), and no package has many.
"""

import base64
import binascii
import datetime as dt
import io
from collections import Counter
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from axis.core.reading import printable
from axis.edxml import DEFAULT_LIMITS, EdxmlDocument, Limits, SignatureState, read
from axis.edxml.names import XMLDSIG
from axis.errors import AxisError
from axis.signatures.trust import Trust
from axis.trust.certificates import UNREADABLE, thumbprint

_XADES = "http://uri.etsi.org/01903/v1.3.2#"
_ENVELOPED = f"{XMLDSIG}enveloped-signature"
_CANONICAL = frozenset(each.value for each in CanonicalizationMethod)
_METHODS = frozenset(
    method
    for method in SignatureMethod
    if method.name.startswith(("RSA_", "ECDSA_", "SHA")) and "224" not in method.name
)
_SMALLEST_RSA = 2048

# Canonical XML has no stream here: a package is in memory seven times over (measured: 232 MiB more for 32 MiB, 904 for
# 128). The largest seen in the wild, a file of 50 MB inside a package, has 64.
MAX_BYTES = 80 * 1024 * 1024
_MAX_SIGNATURE_BYTES = 256 * 1024
_MAX_ELEMENTS = 20_000
_MAX_ATTRIBUTES = 32  # of one element
_MAX_NAMESPACES = 2_000  # declared anywhere
_MAX_TRANSFORMS = 4
_MAX_CERTIFICATES = 10


@dataclass(frozen=True, slots=True)
class XmlSignature:
    """What became of a package's XML signature.

    `reason` is a code of axis.edxml.DEVIATIONS for what is INVALID, and for what is PRESENT but was not verified.
    `signer` (the certificate's subject, RFC 4514), `certificate` (its thumbprint) and `signed_at` (what the signature
    claims) are proved only where the state is VALID.
    """

    state: SignatureState
    reason: str | None = None
    detail: str = ""
    signer: str | None = None
    certificate: str | None = None
    signed_at: str | None = None


class _Unverified(Exception):
    """Say why a signature does not count."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def verify_package(
    source: bytes | BinaryIO,
    *,
    trust: Trust,
    at: dt.datetime,
    allow_sha1: bool = False,
    max_bytes: int = MAX_BYTES,
    limits: Limits = DEFAULT_LIMITS,
) -> XmlSignature:
    """Verify the XML signature of a package as of a time; a file is read from its start. Not in an event loop.

    A package over `max_bytes` is not verified: it would have to be in memory several times over.

    Raises:
        EdxmlError: when the package cannot be read at all.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    file.seek(0)
    package = read(file, limits=limits)
    state = package.signature if isinstance(package, EdxmlDocument) else SignatureState.ABSENT
    if state is not SignatureState.PRESENT:
        return XmlSignature(state)
    size = file.seek(0, io.SEEK_END)
    if size > max_bytes:
        return XmlSignature(state, "signature-not-verified", _too_large(size, max_bytes))
    file.seek(0)
    return _verify(file.read(), trust=trust, at=at, allow_sha1=allow_sha1)


def _too_large(size: int, limit: int) -> str:
    return f"{size} bytes are over the limit of {limit}: to verify it takes seven times as much memory"


def _verify(data: bytes, *, trust: Trust, at: dt.datetime, allow_sha1: bool) -> XmlSignature:
    said = XmlSignature(SignatureState.INVALID)
    try:
        _Shape().check(data)
        root = etree.fromstring(data, _parser())
        signature = _only_signature(root)
        references = _references(signature)
        certificates = _certificates(signature)
        leaf = certificates[0]
        said = _described(leaf, signature)
        _check_mathematics(root, leaf, references=references, at=at)
        _check_strength(signature, leaf, allow_sha1=allow_sha1)
        others = [each.public_bytes(Encoding.DER) for each in certificates[1:]]
        trust.check(leaf.public_bytes(Encoding.DER), others, at)
    except _Unverified as error:
        return _with(said, SignatureState.INVALID, error.reason, str(error))
    except InvalidCertificate as error:  # not valid at that time, so far as the library looks at it
        return _with(said, SignatureState.INVALID, "signature-untrusted", str(error))
    except AxisError as error:
        return _with(said, SignatureState.INVALID, "signature-untrusted", error.detail)
    except (SignXMLException, etree.LxmlError, binascii.Error, *UNREADABLE, AttributeError, KeyError) as error:
        # The library says what does not fit in many ways; whatever it is, it is no valid signature.
        return _with(said, SignatureState.INVALID, "signature-broken", str(error) or type(error).__name__)
    return _with(said, SignatureState.VALID, None, "")


def _with(said: XmlSignature, state: SignatureState, reason: str | None, detail: str) -> XmlSignature:
    return XmlSignature(state, reason, printable(detail)[:300], said.signer, said.certificate, said.signed_at)


class _Shape:
    """Count what makes canonical XML expensive; the reader has bounded depth and size, and refused every DOCTYPE."""

    def __init__(self) -> None:
        self._elements = self._namespaces = 0

    def check(self, data: bytes) -> None:
        parser = expat.ParserCreate("utf-8", "\n")
        parser.StartElementHandler = self._element
        parser.StartNamespaceDeclHandler = self._namespace
        parser.Parse(data, True)  # noqa: FBT003 - the parser's own signature

    def _element(self, _name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or len(attributes) > _MAX_ATTRIBUTES:
            raise _Unverified("signature-unsupported", "more elements or attributes than any package has")

    def _namespace(self, _prefix: str | None, _uri: str) -> None:
        self._namespaces += 1
        if self._namespaces > _MAX_NAMESPACES:
            raise _Unverified("signature-unsupported", "more declarations of namespaces than any package has")


def _parser() -> etree.XMLParser:
    # A text over 10 MB needs huge_tree, which lifts the library's own limits: the reader's were applied before.
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def _only_signature(root: etree._Element) -> etree._Element:
    signatures = list(root.iter(_ds("Signature")))
    if len(signatures) != 1:
        raise _Unverified("signature-unsupported", f"{len(signatures)} signatures; one can be verified")
    if len(etree.tostring(signatures[0], with_tail=False)) > _MAX_SIGNATURE_BYTES:
        raise _Unverified("signature-unsupported", f"a signature of more than {_MAX_SIGNATURE_BYTES} bytes")
    return signatures[0]


def _references(signature: etree._Element) -> int:
    """Check that the whole package is what is signed; return how many references there are."""
    (signed_info,) = _children(signature, "SignedInfo", at_most=1)
    references = _children(signed_info, "Reference", at_most=3)
    whole = [each for each in references if each.get("URI") == ""]
    own = [each for each in references if each.get("URI") in _own_parts(signature)]
    if len(whole) != 1 or len(whole) + len(own) != len(references):
        raise _Unverified("signature-partial", "it does not refer to the whole package, or to something else as well")
    for reference in references:
        allowed = _CANONICAL | ({_ENVELOPED} if reference in whole else set())
        if not set(_transforms(reference)) <= allowed:
            raise _Unverified("signature-unsupported", "a transform that may leave out parts of the package")
    if _ENVELOPED not in _transforms(whole[0]):
        raise _Unverified("signature-unsupported", "the signature is not enveloped")
    return len(references)


def _own_parts(signature: etree._Element) -> set[str]:
    """Return references to the parts of itself that XAdES has signed: its properties and its certificates."""
    parts = [*signature.iter(f"{{{_XADES}}}SignedProperties"), *signature.iterchildren(_ds("KeyInfo"))]
    names = {name for part in parts if (name := part.get("Id"))}
    # An identifier is what it is called by; the same one elsewhere would leave open which of the two is meant.
    everywhere = Counter(
        value for node in signature.getroottree().iter() for key, value in node.items() if key.lower() == "id"
    )
    return {f"#{name}" for name in names if everywhere[name] == 1}


def _transforms(reference: etree._Element) -> list[str]:
    lists = _children(reference, "Transforms", at_most=1, at_least=0)
    nodes = _children(lists[0], "Transform", at_most=_MAX_TRANSFORMS, at_least=0) if lists else []
    return [node.get("Algorithm") or "" for node in nodes]


def _certificates(signature: etree._Element) -> list[x509.Certificate]:
    """Return the certificates that came along, the signer's first: the one whose key is no other's authority."""
    (info,) = _children(signature, "KeyInfo", at_most=1)
    nodes = list(info.iter(_ds("X509Certificate")))
    if not 0 < len(nodes) <= _MAX_CERTIFICATES:
        raise _Unverified("signature-unsupported", f"{len(nodes)} certificates came along")
    found = [x509.load_der_x509_certificate(base64.b64decode("".join((node.text or "").split()))) for node in nodes]
    issuers = {each.issuer for each in found if each.issuer != each.subject}
    return sorted(found, key=lambda each: each.subject in issuers)


def _check_strength(signature: etree._Element, leaf: x509.Certificate, *, allow_sha1: bool) -> None:
    key = leaf.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        raise _Unverified("signature-weak", f"an RSA key of {key.key_size} bits")
    nodes = [node for name in ("SignatureMethod", "DigestMethod") for node in signature.iter(_ds(name))]
    if not allow_sha1 and any("sha1" in (node.get("Algorithm") or "").lower() for node in nodes):
        raise _Unverified("signature-weak", "SHA-1")


def _check_mathematics(root: etree._Element, leaf: x509.Certificate, *, references: int, at: dt.datetime) -> None:
    advanced = references > 1
    kind = XAdESSignatureConfiguration if advanced else SignatureConfiguration
    config = kind(
        location=".//",
        expect_references=references,
        signature_methods=_METHODS,
        digest_algorithms=frozenset(each for each in DigestAlgorithm if "224" not in each.name),
        verification_time=at,
    )
    verifier = XAdESVerifier() if advanced else XMLVerifier()
    results = verifier.verify(root, x509_cert=leaf, expect_config=config, id_attribute="Id", parser=_parser())
    for result in results if isinstance(results, list) else [results]:
        if result.signed_xml is not None and result.signed_xml.tag == root.tag:
            return
    raise _Unverified("signature-partial", "what is signed is not the package")


def _described(leaf: x509.Certificate, signature: etree._Element) -> XmlSignature:
    times = [str(node.text) for node in signature.iter(f"{{{_XADES}}}SigningTime")]
    return XmlSignature(
        SignatureState.INVALID,
        signer=printable(leaf.subject.rfc4514_string())[:300],
        certificate=thumbprint(leaf.public_bytes(Encoding.DER)),
        signed_at=printable(times[0])[:40] if times else None,
    )


def _children(node: etree._Element, name: str, *, at_most: int, at_least: int = 1) -> list[etree._Element]:
    found = list(node.iterchildren(_ds(name)))
    if not at_least <= len(found) <= at_most:
        raise _Unverified("signature-unsupported", f"{len(found)} elements `{name}`")
    return found


def _ds(name: str) -> str:
    return f"{{{XMLDSIG}}}{name}"
