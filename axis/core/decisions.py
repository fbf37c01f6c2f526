"""What a worker is to do with one message: frozen decisions, taken here, executed there.

A message ends as exactly one of: `Accept` (an envelope goes its way), `workers.tracker.Report` (a status is recorded),
`Refuse` (the account that submitted it gets a receipt with a code, and the bytes are kept in quarantine when they could
not be read or attributed).
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from axis.core import receipts, secrecy
from axis.core.hybrid import SEPARATOR
from axis.core.ids import new_id
from axis.core.lanes import lane_of
from axis.core.messages import Signer, Submission
from axis.core.reading import printable
from axis.core.records import Accepted, AttachmentRow, DeliveryRow, EnvelopeRow, NoticeRow, QuarantineRow
from axis.errors import Refused
from schemas import Envelope
from schemas.base import CODE_PATTERN, UUID7_PATTERN
from schemas.wire import SECOND_SIGNATURE_HEADER, SIGNATURE_HEADER, TYPE_DOCUMENT, TYPE_STATUS

Sign = Callable[[bytes], str]

_ROUTING_KEY = re.compile(f"(?:(?:urgent|normal)\\.)?{CODE_PATTERN.strip('^$')}")

# Groups of reasons after which nobody can say whose words the bytes are; they are evidence, so they are kept.
_KEPT = ("message/", "signature/", "certificate/", "abuse/")


MOST_OF_A_HEADER = 4_000
MOST_OF_A_SIGNATURE = 8_000  # the longest that is read has 4,926 characters (axis.trust.jws): ML-DSA-65


@dataclass(frozen=True, slots=True)
class Candidate:
    """An envelope that was read, verified and admitted; where it goes is decided next."""

    submission: Submission
    envelope: Envelope
    signer: Signer
    signature: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Accept:
    """Store the envelope, publish it to the mailboxes of its deliveries, and send the receipt."""

    accepted: Accepted
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Send a refusal receipt (when the account is proved) and keep the bytes (when they are evidence).

    `message_id`: what may be said of the message in a log.
    """

    reason: str
    detail: str
    notice: NoticeRow | None
    quarantine: QuarantineRow | None
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What a decision needs from outside: the axis's clock, its signing key, and which accounts can be answered."""

    now: Callable[[], dt.datetime]
    sign: Sign
    has_mailbox: Callable[[str, dt.datetime], bool]

    def accept(
        self, candidate: Candidate, deliveries: Sequence[DeliveryRow], attachments: tuple[AttachmentRow, ...]
    ) -> Accept:
        """Decide that an envelope goes its way, with its receipt."""
        envelope, at = candidate.envelope, self.now()
        account = candidate.submission.account or ""
        receipt_id = new_id(at)
        receipt = receipts.acceptance(
            envelope,
            deliveries,
            receipt_id=receipt_id,
            account=account,
            sha256=candidate.sha256,
            signature_sha256=digest(candidate.signature.encode()),
            at=at,
        )
        row = EnvelopeRow(
            id=envelope.id,
            sender=envelope.sender,
            account=account,
            thumbprint=candidate.signer.thumbprint,
            lane=lane_of(envelope.document.priority),
            action=envelope.action.value,
            concerns=envelope.concerns,
            document_id=envelope.document.document_id,
            subject=envelope.document.subject,
            sent_at=envelope.sent_at,
            accepted_at=at,
            body=candidate.submission.body,
            signature=candidate.signature,
            sha256=candidate.sha256,
            evidence=candidate.signer.evidence,
        )
        notice = self._notice(receipt_id, account, receipt, about=envelope.id)
        return Accept(Accepted(row, tuple(deliveries), attachments, notice), tuple(envelope.recipients))

    def refuse(self, submission: Submission, error: Refused, *, source: str) -> Refuse:
        """Decide a refusal: a receipt when the broker proved the account and it has a mailbox to answer to.

        Of what shows a mark of state secrecy only the fact and the identifiers are kept, whatever else is wrong.
        """
        at, sha256 = self.now(), digest(submission.body)
        answered = submission.account is not None and self.has_mailbox(submission.account, at)
        secret = error if error.code == secrecy.CODE else None
        kept = not answered or error.code.startswith(_KEPT)
        if secret is None and kept:
            secret = secrecy.shown_by(submission.body)
        unwanted: tuple[str, ...] = ()
        size = len(submission.body)
        if secret is not None:
            error, kept, unwanted = secret, True, secrecy.digests_in(submission.body)
            submission = _bare(submission)
        # A detail may repeat what the message says, such as its routing key, and the receipt's schema is strict: it
        # must never be the refusal itself that fails.
        error = Refused(error.code, printable(error.detail), retry_after=error.retry_after)
        notice = None
        if answered and submission.account is not None:
            receipt = receipts.refusal(
                submission,
                error,
                receipt_id=new_id(at),
                account=submission.account,
                sha256=sha256,
                signature_sha256=_signature_digest(submission),
                at=at,
            )
            body = receipts.receipt_bytes(receipt)
            notice = self._notice(receipt.id, receipt.account, body, about=None)
        quarantine = None
        if kept:
            quarantine = QuarantineRow(
                id=new_id(at),
                received_at=at,
                source=source,
                reason=error.code,
                detail=error.detail,
                account=submission.account,
                message_id=receipts.claimed_id(submission),
                body=submission.body,
                sha256=sha256,
                headers={key: str(value)[: most_of(key)] for key, value in submission.headers.items()},
                size=size,
                unwanted=unwanted,
                properties={} if secret is not None else _properties(submission),
            )
        message_id = receipts.claimed_id(submission)
        return Refuse(error.code, error.detail, notice, quarantine, message_id)

    def _notice(self, receipt_id: str, account: str, body: bytes, *, about: str | None) -> NoticeRow:
        return NoticeRow(
            id=receipt_id, mailbox=account, kind="receipt", about=about, body=body, signature=self.sign(body)
        )


def most_of(header: str) -> int:
    """Return how many characters of a header are kept: a cut signature would never hold again."""
    return MOST_OF_A_SIGNATURE if header in {SIGNATURE_HEADER, SECOND_SIGNATURE_HEADER} else MOST_OF_A_HEADER


def _properties(submission: Submission) -> dict[str, str]:
    """Keep what a message came with besides its headers: without it nobody could hand it to a router again."""
    said = {"routing_key": submission.routing_key, "type": submission.type, "content_type": submission.content_type}
    return {name: value[:255] for name, value in said.items() if value is not None}


def _bare(submission: Submission) -> Submission:
    """Leave of a message what identifies it, where that is written as it must be: anything else may be its content."""
    message_id, key = submission.message_id, submission.routing_key
    return replace(
        submission,
        body=b"",
        message_id=message_id if message_id is not None and re.fullmatch(UUID7_PATTERN, message_id) else None,
        type=submission.type if submission.type in {TYPE_DOCUMENT, TYPE_STATUS} else None,
        headers={"routing-key": key} if _ROUTING_KEY.fullmatch(key) else {},
    )


def poison(error: Exception) -> Refused:
    """Turn a failure of our own over one message into the reason it is set aside with."""
    return Refused("message/poison", f"{type(error).__name__} while the message was processed")


def digest(body: bytes) -> str:
    """SHA-256 of the exact bytes, hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def _signature_digest(submission: Submission) -> str | None:
    """Digest what the message was signed with, as a receipt of acceptance names it; None where nothing says so."""
    first, second = (submission.headers.get(name) for name in (SIGNATURE_HEADER, SECOND_SIGNATURE_HEADER))
    if not isinstance(first, str):
        return None
    signature = f"{first}{SEPARATOR}{second}" if isinstance(second, str) else first
    return digest(signature.encode(errors="replace"))
