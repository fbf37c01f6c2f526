"""Timestamps of checkpoints (RFC 3161): an authority that is not the axis says when a checkpoint was there.

What is stamped is the checkpoint's text, not the note: a signature added for a new key changes nothing about it.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence

import httpx
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from axis.errors import Misconfigured, Refused, Unavailable
from axis.proving.checkpoints import Checkpoint

MAX_TIMESTAMP_BYTES = 64 * 1024
_QUERY = "application/timestamp-query"
_REPLY = "application/timestamp-reply"
_GRANTED = 0


async def fetch_timestamp(
    http: httpx.AsyncClient, url: str, checkpoint: Checkpoint, *, deadline: float = 10.0
) -> bytes:
    """Ask an authority for a timestamp; return the TimeStampResp (DER). `deadline` (seconds) is for the whole answer.

    Raises Unavailable when it is away, or answers something else: whom to believe is for whoever verifies, but what is
    not about this checkpoint and this request is not kept.
    """
    request = TimestampRequestBuilder().data(checkpoint.text.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        # The client's own deadline is for each piece: a byte now and then would hold us for ever.
        async with asyncio.timeout(deadline):
            content = await _ask(http, url, request)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise Unavailable(f"the timestamp authority is away: {type(error).__name__} {error}"[:300]) from error
    try:
        response = decode_timestamp_response(content)
        fits = _fits(request, response)
    except ValueError as error:
        raise Unavailable(f"the timestamp authority's answer cannot be read: {error}"[:300]) from error
    if not fits:
        raise Unavailable("the timestamp authority did not grant a timestamp of this checkpoint")
    return content


def verify_timestamp(timestamp: bytes, checkpoint: Checkpoint, roots: Sequence[x509.Certificate]) -> dt.datetime:
    """Return when one of the authorities under these roots saw the checkpoint; raise Refused log/timestamp."""
    if len(timestamp) > MAX_TIMESTAMP_BYTES or not roots:
        raise Refused("log/timestamp", "no timestamp, or no root certificate to verify it with")
    builder = VerifierBuilder()
    for root in dict.fromkeys(roots):
        builder = builder.add_root_certificate(root)
    try:
        response = decode_timestamp_response(timestamp)
        builder.build().verify_message(response, checkpoint.text.encode())
        at = response.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise Refused("log/timestamp", f"the timestamp does not verify: {error}"[:300]) from error
    return at


def read_roots(pem: bytes) -> list[x509.Certificate]:
    """Read root certificates of timestamp authorities; raise Misconfigured."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise Misconfigured(f"not root certificates in PEM: {error}") from error


async def _ask(http: httpx.AsyncClient, url: str, request: TimeStampRequest) -> bytes:
    headers = {"content-type": _QUERY, "accept": _REPLY}
    async with http.stream("POST", url, content=request.as_bytes(), headers=headers) as answer:
        if answer.status_code != httpx.codes.OK:
            raise Unavailable(f"the timestamp authority answered {answer.status_code}")
        content = b""
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > MAX_TIMESTAMP_BYTES:
                raise Unavailable(f"the timestamp authority answered more than {MAX_TIMESTAMP_BYTES} bytes")
    return content


def _fits(request: TimeStampRequest, response: TimeStampResponse) -> bool:
    if response.status != _GRANTED:
        return False
    told = response.tst_info
    return told.nonce == request.nonce and told.message_imprint.message == request.message_imprint.message
