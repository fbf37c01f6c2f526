"""Adopting what the broker has and the store does not: proved again as on the first day, and recorded as what it is.

Only workers write into mailboxes and notices queues, so what is there was admitted once; the proof that is left, the
signature over the exact bytes, is checked again. The witnesses that did not survive are made good:

- the account: what a receipt or the submission itself says; else the nearest mailbox at or above the sender;
- the moment: the receipt's; else that of the id. Certificates and the directory are asked as of then;
- where it went: the mailboxes it is seen in, by their routes header; for the others the receipt; else resolved anew.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from axis.core.admission import admit_envelope, admit_status
from axis.core.decisions import Candidate, Desk, digest
from axis.core.directory import Directory
from axis.core.fanout import recipients_of
from axis.core.ids import time_of
from axis.core.lanes import lane_of, submit_key
from axis.core.messages import Lane, Signer, Submission
from axis.core.reading import parse_receipt, read_envelope, read_status, signature_of
from axis.core.records import Accepted, DeliveryRow, DeliveryState, NoticeRow
from axis.core.resolving import resolver
from axis.core.routing import Obstacle, blobs_of, deliveries_of, resolve_recipients
from axis.errors import Refused
from schemas import Envelope, Receipt, RecipientOutcome, Status

Verify = Callable[[bytes, str, dt.datetime], Signer]

LEFT = "a person decides; it stays where it is"

_STATES = {
    RecipientOutcome.ROUTED: DeliveryState.ROUTED,
    RecipientOutcome.HELD: DeliveryState.HELD,
    RecipientOutcome.REFUSED: DeliveryState.REFUSED,
}

_NOT_READY = "mailbox/not-ready"


class Problem(StrEnum):
    """Why something could not be brought together."""

    ENVELOPE_MISSING = "envelope-missing"  # its receipt is there, its bytes are nowhere
    STATUS_ALONE = "status-alone"  # the envelope it is about is unknown
    NOT_PROVED = "not-proved"
    BYTES_DIFFER = "bytes-differ"
    NO_QUEUE = "no-queue"
    BLOB_MISSING = "blob-missing"
    NOT_PUBLISHED = "not-published"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be brought together; `id` is of the envelope, status or notice."""

    problem: Problem
    id: str
    mailbox: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Stray:
    """An envelope the store does not know; `copies`: mailbox it is seen in -> the routes header it has there."""

    submission: Submission
    lane: Lane
    sha256: str
    copies: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class StrayNotice:
    """A status in a notices queue that the store does not know."""

    mailbox: str
    submission: Submission


@dataclass(frozen=True, slots=True)
class StrayReceipt:
    """A receipt in a notices queue that the store does not know."""

    mailbox: str
    submission: Submission
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Adoption:
    """An envelope to record. `new_receipt`: it has to be published, the first one is gone."""

    accepted: Accepted
    recipients: tuple[str, ...]
    seen_in: frozenset[str]
    new_receipt: bool

    @property
    def id(self) -> str:
        """The envelope's id."""
        return self.accepted.envelope.id

    @property
    def again(self) -> tuple[DeliveryRow, ...]:
        """The deliveries to publish again: what became of them is not known, and whoever has them drops the repeat."""
        routed = (each for each in self.accepted.deliveries if each.state is DeliveryState.ROUTED)
        return tuple(each for each in routed if each.mailbox not in self.seen_in)

    @property
    def reason(self) -> str:
        """Say why, and what happens to the recipients it is not seen with."""
        others = len({each.mailbox for each in self.again})
        more = f"; {others} other mailboxes have taken it or never got it: published to them again" if others else ""
        return f"sent by {self.accepted.envelope.sender}, unknown to the store{more}"


@dataclass(frozen=True, slots=True)
class StatusAdoption:
    """A status to judge and record as the tracker would."""

    status: Status
    signer: Signer
    submission: Submission
    signature: str
    sha256: str
    mailbox: str

    @property
    def notice(self) -> NoticeRow:
        """The notice it was seen as."""
        return NoticeRow(
            self.status.id, self.mailbox, "status", self.status.envelope, self.submission.body, self.signature
        )


def adopt_envelope(
    stray: Stray,
    *,
    receipt: StrayReceipt | None,
    account: str | None,
    directory: Directory,
    ready: Callable[[str], bool],
    verify: Verify,
    desk: Desk,
) -> Adoption:
    """Prove an envelope and decide what to record of it; raise Refused.

    `account`: of the submission, where that still waits. `ready`: whether a mailbox has its queues.
    """
    envelope = read_envelope(stray.submission)
    signature = signature_of(stray.submission)
    if receipt is not None and receipt.receipt.message_sha256 != stray.sha256:
        raise Refused("envelope/id-reused", "the receipt for it is about other bytes")
    at = receipt.receipt.at if receipt is not None else time_of(envelope.id)
    if account is None:
        account = receipt.receipt.account if receipt is not None else directory.mailbox_of(envelope.sender, at)
    lane = lane_of(envelope.document.priority)
    if lane != stray.lane:
        raise Refused("lane/mismatch", f"it is in the {stray.lane} mailbox, its priority demands {lane}")
    signer = verify(stray.submission.body, signature, at)
    submission = replace(stray.submission, account=account, routing_key=submit_key(lane, envelope.sender), headers={})
    admit_envelope(envelope, submission, signer, directory, at)
    deliveries = (
        _as_told(envelope, receipt.receipt, ready)
        if receipt is not None
        else deliveries_of(
            envelope.id,
            resolve_recipients(envelope, resolver(directory, at)),
            lambda mailbox: None if ready(mailbox) else Obstacle(_NOT_READY, _no_queues(mailbox)),
        )
    )
    candidate = Candidate(submission, envelope, signer, signature, stray.sha256)
    accepted = desk.accept(candidate, _as_seen(envelope, deliveries, stray), blobs_of(envelope)).accepted
    if receipt is not None:
        # What is proved of the certificate today was not known then: the row must not claim that it was.
        row = replace(accepted.envelope, accepted_at=at, evidence=None)
        accepted = replace(accepted, envelope=row, receipt=receipt_row(receipt))
    return Adoption(accepted, tuple(envelope.recipients), frozenset(stray.copies), new_receipt=receipt is None)


def adopt_status(stray: StrayNotice, *, directory: Directory, verify: Verify) -> StatusAdoption:
    """Prove a status; raise Refused. What it does is judged against the store when it is recorded.

    It cannot go to the tracker again: the broker lets nobody publish under another's account, and the tracker believes
    no other witness. That it is in a notices queue says that the tracker has checked the account.
    """
    status = read_status(stray.submission)
    signature = signature_of(stray.submission)
    at = time_of(status.id)
    account = directory.mailbox_of(status.reporter, at)
    submission = replace(stray.submission, account=account, routing_key=status.reporter, headers={})
    signer = verify(stray.submission.body, signature, at)
    admit_status(status, submission, signer, directory, at)
    return StatusAdoption(status, signer, submission, signature, digest(stray.submission.body), stray.mailbox)


def adopt_receipt(stray: StrayReceipt, *, verify: Verify) -> NoticeRow:
    """Prove that a receipt is the axis's own; raise Refused."""
    if stray.receipt.account != stray.mailbox:
        raise Refused("abuse/account", f"the receipt is for {stray.receipt.account}")
    verify(stray.submission.body, signature_of(stray.submission), stray.receipt.at)
    return receipt_row(stray)


def read_receipt(submission: Submission) -> Receipt:
    """Read a receipt; raise Refused when it is none."""
    receipt = parse_receipt(submission.body)
    if receipt.id != submission.message_id:
        raise Refused("message/id-mismatch", "message_id is not the receipt's id")
    return receipt


def receipt_row(stray: StrayReceipt) -> NoticeRow:
    """Make the row of a receipt that was seen."""
    receipt = stray.receipt
    about = receipt.message_id if receipt.message_type == "document" and receipt.recipients else None
    signature = signature_of(stray.submission)
    return NoticeRow(receipt.id, stray.mailbox, "receipt", about, stray.submission.body, signature)


def _as_told(envelope: Envelope, receipt: Receipt, ready: Callable[[str], bool]) -> tuple[DeliveryRow, ...]:
    """Take the deliveries from the receipt: it says of each recipient what the axis did.

    Those to mailboxes that have no queues any more are held.
    """
    told = {each.recipient: each for each in receipt.recipients}
    if list(told) != list(envelope.recipients):
        raise Refused("message/schema", "the receipt for it names other recipients")
    rows = (
        DeliveryRow(
            envelope_id=envelope.id,
            recipient=each.recipient,
            resolved=each.resolved,
            mailbox=each.mailbox,
            state=_STATES[each.outcome],
            reason=each.code,
            detail=each.detail,
            via=tuple(each.via),
        )
        for each in told.values()
    )
    return tuple(
        replace(row, state=DeliveryState.HELD, reason=_NOT_READY, detail=_no_queues(row.mailbox))
        if row.state is DeliveryState.ROUTED and row.mailbox is not None and not ready(row.mailbox)
        else row
        for row in rows
    )


def _as_seen(envelope: Envelope, deliveries: Sequence[DeliveryRow], stray: Stray) -> tuple[DeliveryRow, ...]:
    """Let what is seen outweigh what was told before or would be decided today."""
    seen: dict[str, str] = {}
    for mailbox, routes in sorted(stray.copies.items()):
        try:
            seen |= dict.fromkeys(recipients_of(mailbox, envelope.recipients, routes), mailbox)
        except (ValueError, AttributeError) as error:
            raise Refused("message/properties", "its routes header cannot be read") from error
    return tuple(
        replace(
            each,
            mailbox=found,
            resolved=each.resolved or each.recipient,
            state=DeliveryState.ROUTED,
            reason=None,
            detail=None,
        )
        if (found := seen.get(each.recipient)) is not None
        else each
        for each in deliveries
    )


def _no_queues(mailbox: str) -> str:
    return f"the queues of {mailbox} are not there; released as soon as they are"
