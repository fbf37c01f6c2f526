"""Judge the shape of a package's XML signature. Nothing is verified here.

Real packages carry placeholders: no xmldsig namespace, or a certificate cut off after a few bytes. They say nothing
about the document, so they are told apart from what could be verified, and no package is refused for them.
"""

import binascii
from collections.abc import Iterator, Sequence

from axis.edxml.model import SignatureState
from axis.edxml.names import XMLDSIG
from axis.edxml.tree import Node, Report

_SEQUENCE = 0x30
_LONG_FORM = 0x80
_MAX_LENGTH_BYTES = 4


def judge_signature(signatures: Sequence[Node], report: Report) -> SignatureState:
    """Return the best state among the signatures found."""
    if not signatures:
        return SignatureState.ABSENT
    if any(_looks_real(signature) for signature in signatures):
        return SignatureState.PRESENT
    report.add("signature-placeholder", "the XML signature is a placeholder: it cannot be verified", signatures[0])
    return SignatureState.PLACEHOLDER


def _looks_real(signature: Node) -> bool:
    parts: dict[str, Node] = {}
    for node in _walk(signature):
        parts.setdefault(node.name, node)
    needed = ("SignedInfo", "SignatureValue", "DigestValue", "X509Certificate")
    if any(name not in parts or parts[name].namespace != XMLDSIG for name in needed):
        return False
    return all(_decode(parts[name].text) for name in needed[1:3]) and _is_der(_decode(parts["X509Certificate"].text))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _decode(text: str) -> bytes:
    try:
        return binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True)
    except ValueError:
        return b""


def _is_der(data: bytes) -> bool:
    """Tell whether the bytes are one whole DER SEQUENCE (X.690 8.1.3), as any certificate is."""
    if len(data) < 2 or data[0] != _SEQUENCE:  # noqa: PLR2004 - a tag and a length
        return False
    if data[1] < _LONG_FORM:
        return len(data) == 2 + data[1]
    count = data[1] - _LONG_FORM
    return 0 < count <= _MAX_LENGTH_BYTES and len(data) == 2 + count + int.from_bytes(data[2 : 2 + count])
