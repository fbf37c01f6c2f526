"""Whether what was delivered is what its author signed (QĐ 28/2018 article 9.1: check before accepting).

A message is verified over the bytes as they came, with the certificate that its signature names. Whose certificate
that is, is the word of the axis's directory, asked over the gateway; the signature itself is checked here, so neither
the broker nor the axis can alter a document unseen. Validity and revocation are judged as of the moment in the
message's id: the axis has checked them on its own clock when it accepted the message, a document does not become
false because it waited in a mailbox until its author's certificate expired, and a wrong clock here accuses nobody.
"""

import asyncio
import datetime as dt
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from axis.client.certificates import pinned, read_certificate, write_certificate
from axis.core.admission import check_signer
from axis.core.hybrid import SEPARATOR
from axis.core.ids import time_of
from axis.core.messages import Signer
from axis.core.reading import parse_envelope, parse_receipt, parse_status
from axis.errors import Misconfigured, Refused, Unavailable
from axis.trust import Keyring
from axis.trust import thumbprint as thumbprint_of
from axis.trust.jws import take_apart
from schemas import Certificate, Envelope, Receipt, Status

_FRESH_SECONDS = 3600.0


class CertificateSource(Protocol):
    """Where certificates come from; the gateway."""

    async def certificate(self, thumbprint: str) -> Certificate | None:
        """Fetch one; None when nobody enrolled it."""
        ...


@dataclass(frozen=True, slots=True)
class _Known:
    keyring: Keyring
    fetched: float  # time.time() of the fetch, also after a restart


class Witness:
    """Verify messages; raise Refused when one is not what it claims.

    Raises Unavailable when that cannot be known now, Misconfigured when the gateway refuses this agency itself.
    """

    def __init__(self, *, source: CertificateSource, cache: Path | None, axis_certificate: bytes) -> None:
        self._source = source
        self._cache = cache
        self._axis = Keyring(pinned(axis_certificate))
        self._known: dict[str, _Known] = {}

    async def envelope(self, body: bytes, signature: str | None) -> tuple[Envelope, Signer]:
        """Read an envelope and check that its sender, or an organisation above it, signed these bytes."""
        envelope = parse_envelope(body)
        signer = await self._verify(body, signature, envelope.id)
        check_signer(envelope.sender, signer)
        return envelope, signer

    async def status(self, body: bytes, signature: str | None) -> tuple[Status, Signer]:
        """Read a status and check that its reporter, or an organisation above it, signed these bytes."""
        status = parse_status(body)
        signer = await self._verify(body, signature, status.id)
        check_signer(status.reporter, signer)
        return status, signer

    def receipt(self, body: bytes, signature: str | None, *, account: str) -> tuple[Receipt, Signer]:
        """Read a receipt for this account and check that the axis, as pinned in the profile, signed these bytes."""
        receipt = parse_receipt(body)
        signer = self._axis.verify(body, signature, made_at(receipt.id))
        if receipt.account != account:
            raise Refused("abuse/account", f"the receipt is for {receipt.account}, this is {account}")
        return receipt, signer

    async def _verify(self, body: bytes, signature: str | None, identifier: str) -> Signer:
        first, separator, second = (signature or "").partition(SEPARATOR)
        keyring = await self._keyring(take_apart(first).header.thumbprint)
        if separator:
            other = await self._keyring(take_apart(second, second=True).header.thumbprint)
            keyring = keyring.updated(other.certificates())
        return keyring.verify(body, signature, made_at(identifier))

    async def _keyring(self, thumbprint: str) -> Keyring:
        known = self._known.get(thumbprint) or await asyncio.to_thread(self._cached, thumbprint)
        if known is None or not 0 <= time.time() - known.fetched < _FRESH_SECONDS:
            try:
                known = await self._fetch(thumbprint)
            except Unavailable:
                # An old copy is good enough: it only lacks what was revoked since, which the axis itself refuses.
                if known is None:
                    raise
        self._known[thumbprint] = known
        return known.keyring

    async def _fetch(self, thumbprint: str) -> _Known:
        try:
            certificate = await self._source.certificate(thumbprint)
        except Refused as error:
            # It is we who are refused, with our token: this says nothing about the message.
            raise Misconfigured(f"the gateway refuses this agency: {error}") from error
        if certificate is None:
            raise Refused("certificate/unknown", f"the axis knows no certificate {thumbprint}")
        if thumbprint_of(certificate.der) != thumbprint:
            raise Unavailable(f"the gateway gave another certificate for {thumbprint}")
        keyring = Keyring([certificate])
        await asyncio.to_thread(self._keep, certificate)
        return _Known(keyring, time.time())

    # A thumbprint is 43 characters of base64url (checked when the signature was taken apart): safe as a file name.

    def _cached(self, thumbprint: str) -> _Known | None:
        if self._cache is None:
            return None
        path = self._cache / f"{thumbprint}.json"
        try:
            certificate = read_certificate(path.read_bytes())
            if thumbprint_of(certificate.der) != thumbprint:
                return None
            return _Known(Keyring([certificate]), path.stat().st_mtime)
        except (OSError, ValueError, Refused):
            return None  # a cache: what cannot be used is fetched again

    def _keep(self, certificate: Certificate) -> None:
        if self._cache is None:
            return
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._cache / f"{certificate.thumbprint}.json"
        # A name of its own for each writing: documents and notices are verified side by side, by several processes too.
        part = path.with_suffix(f".{secrets.token_hex(8)}.part")
        part.write_bytes(write_certificate(certificate))
        part.replace(path)


def made_at(identifier: str) -> dt.datetime:
    """Tell when an id was made; raise Refused message/schema when no calendar has that time."""
    # The axis lets no such id through; what put the message into the mailbox past it must not end the inbox.
    try:
        return time_of(identifier)
    except OverflowError as error:  # 48 bits of milliseconds reach beyond the year 9999
        raise Refused("message/schema", f"the time in the id {identifier} is beyond the calendar") from error
