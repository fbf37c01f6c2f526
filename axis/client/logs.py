"""The log of receipts as agencies and auditors see it: its files, and receipts proved by it without asking anybody."""

import asyncio
import base64
import binascii
import datetime as dt
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx
from cryptography import x509
from pydantic import ValidationError

from axis.client.certificates import pinned
from axis.client.gateway import Gateway
from axis.client.ledger import Ledger
from axis.client.witness import made_at
from axis.core.messages import Signer
from axis.core.reading import parse_receipt
from axis.errors import Misconfigured, NotFound, Refused, Unavailable
from axis.proving import Checkpoint, LogProof, NoteKey, receipt_entry
from axis.proving.tiles import MAX_BUNDLE_BYTES, is_name
from axis.proving.timestamps import verify_timestamp
from axis.tls import told
from axis.trust import Keyring
from schemas import Proof, Receipt

MAX_PROOF_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Trusted:
    """What a verifier was told beforehand: the axis's certificates (PEM), the log's keys, roots of timestamps."""

    axis_certificate: bytes
    log_keys: Sequence[NoteKey]
    tsa_roots: Sequence[x509.Certificate] = ()


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof proves. `stamped_at` is an authority's word; None where there is none or no root was given."""

    receipt: Receipt
    signer: Signer
    index: int
    checkpoint: Checkpoint
    stamped_at: dt.datetime | None


def verify_proof(text: bytes, trusted: Trusted) -> Proven:
    """Verify a receipt with its proof (axis.proof/1), offline.

    Raises Refused: log/malformed, message/schema, signature/… and certificate/… (the receipt), log/unknown-key,
    log/signature and log/inclusion (the log), log/timestamp (also where roots are given and there is no timestamp).
    """
    proof = read_proof(text)
    body = proof.receipt.encode()
    receipt = parse_receipt(body)
    signer = Keyring(pinned(trusted.axis_certificate)).verify(body, proof.signature, made_at(receipt.id))
    log = LogProof.parse(proof.log)
    checkpoint = log.verify(receipt_entry(receipt.id, body, proof.signature), trusted.log_keys)
    stamped_at = None
    if trusted.tsa_roots:
        stamped_at = verify_timestamp(_timestamp(proof), checkpoint, trusted.tsa_roots)
    return Proven(receipt, signer, log.index, checkpoint, stamped_at)


async def fetch_proof(ledger: Ledger, gateway: Gateway, message_id: str) -> bytes:
    """Return the receipt for a message with the proof that it is in the log: a file to keep (axis.proof/1).

    `verify_proof` verifies it, offline. Raises NotFound for a message without a receipt in the ledger yet, and
    log/not-logged while the receipt is not in the log.
    """
    kept = await ledger.receipt_for(message_id)
    if kept is None:
        raise NotFound(f"there is no receipt for {message_id} here yet")
    log, timestamp = await gateway.proof(kept.id)
    return write_proof(kept.body, kept.signature, LogProof.parse(log), timestamp)


def read_proof(text: bytes) -> Proof:
    """Read the file; raise Refused log/malformed."""
    if len(text) > MAX_PROOF_BYTES:
        raise Refused("log/malformed", f"{len(text)} bytes are no proof of a receipt")
    try:
        return Proof.model_validate_json(text)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors()[:3])
        raise Refused("log/malformed", f"not a receipt with its proof (axis.proof/1): {places}") from error


def write_proof(body: bytes, signature: str, log: LogProof, timestamp: bytes | None) -> bytes:
    """Write the file that `verify_proof` reads."""
    proof = Proof(
        schema="axis.proof/1",
        receipt=body.decode(),
        signature=signature,
        log=log.text,
        timestamp=None if timestamp is None else base64.b64encode(timestamp).decode(),
    )
    return proof.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode() + b"\n"


def read_keys(text: str) -> list[NoteKey]:
    """Read the log's public keys, one a line; raise Misconfigured."""
    keys = [NoteKey.parse(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not keys:
        raise Misconfigured("there is no public key of the log")
    return keys


def write_keys(keys: Iterable[NoteKey]) -> str:
    """Write the file that `read_keys` reads."""
    return "".join(f"{key}\n" for key in keys)


class FolderSource:
    """A log's files in a folder: a mirror, or an archive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, path: str) -> bytes | None:
        """Return a file; None when there is none."""
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: str) -> bytes | None:
        try:
            return (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Misconfigured(f"{error.filename}: {error.strerror}") from error


class HttpSource:
    """A log's files over HTTP: the gateway's /log, or any server of c2sp.org/tlog-tiles."""

    def __init__(
        self,
        url: str,
        *,
        deadline: float = 10.0,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._deadline = deadline
        self._http = httpx.AsyncClient(timeout=deadline, trust_env=False, verify=verify, transport=transport)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, path: str) -> bytes | None:
        """Return a file; None when there is none. Raises Unavailable."""
        if not is_name(path):
            raise ValueError(f"not the name of a file of a log: {path!r}")
        try:
            async with asyncio.timeout(self._deadline), self._http.stream("GET", f"{self._url}/{path}") as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return None
                if answer.status_code != httpx.codes.OK:
                    raise Unavailable(f"{self._url}/{path} answered {answer.status_code}")
                content = b""
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > MAX_BUNDLE_BYTES:
                        raise Unavailable(f"{self._url}/{path} is larger than a file of a log can be")
                return content
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, TimeoutError) as error:
            reached = Unavailable(f"{self._url} cannot be reached: {error or type(error).__name__}")
            raise (told(error, "the log") or reached) from error


def _timestamp(proof: Proof) -> bytes:
    if proof.timestamp is None:
        raise Refused(
            "log/timestamp", "there is no timestamp in this proof: get it again later, or do without --tsa-root"
        )
    try:
        return base64.b64decode(proof.timestamp, validate=True)
    except binascii.Error as error:
        raise Refused("log/timestamp", "the timestamp is not base64") from error
