"""Hybrid signatures: a classical detached JWS, and beside it a second one that a quantum computer does not break.

On the wire they are two headers, so that whoever knows only the first goes on verifying that. Everywhere else, in the
store, the ledger and evidence, they are one text, first and second with a space between: neither can be lost without
the other.
"""

from collections.abc import Mapping

from axis.core.codes import lineage
from axis.core.messages import Signer
from axis.errors import Refused
from schemas.wire import SECOND_SIGNATURE_HEADER, SIGNATURE_HEADER

SEPARATOR = " "


def joined(headers: Mapping[str, object]) -> str:
    """Return the signature in a message's headers as one text; raise Refused signature/missing or malformed."""
    first = headers.get(SIGNATURE_HEADER)
    if not isinstance(first, str) or not first:
        raise Refused("signature/missing", f"no {SIGNATURE_HEADER} header")
    if SEPARATOR in first:
        raise Refused("signature/malformed", f"{SIGNATURE_HEADER} holds more than one signature")
    if SECOND_SIGNATURE_HEADER not in headers:
        return first
    second = headers[SECOND_SIGNATURE_HEADER]
    if not isinstance(second, str) or not second or SEPARATOR in second:
        raise Refused("signature/malformed", f"{SECOND_SIGNATURE_HEADER} is not one signature")
    return f"{first}{SEPARATOR}{second}"


def headers_of(signature: str) -> dict[str, str]:
    """Write a signature as headers; the inverse of `joined`."""
    first, separator, second = signature.partition(SEPARATOR)
    return {SIGNATURE_HEADER: first, SECOND_SIGNATURE_HEADER: second} if separator else {SIGNATURE_HEADER: first}


def check_second(author: str, signer: Signer, required: frozenset[str]) -> None:
    """Refuse a message without a second signature whose author, or an organisation above it, has to make one.

    Who strips the second header from a message changes nothing in the first: only this notices it.
    """
    if required and signer.second is None and not required.isdisjoint(lineage(author)):
        raise Refused("signature/second-missing", f"{author} signs with ML-DSA-65 as well: {SECOND_SIGNATURE_HEADER}")
