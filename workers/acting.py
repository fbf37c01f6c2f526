"""What the router does with an envelope that recalls, updates or replaces an earlier one.

It is decided and committed in one transaction that locks the earlier one: the deliveries of the new one, the
conversations it begins, and what it withdraws are there together or not at all. The commit order is the router's. Of
two routers with the same message the second finds it stored and answers with the same receipt.

An envelope that comes before the one it acts on is kept in the store, and acked. Every second the router looks whether
that is there now, or the time is over (workers.calm says when), and decides again. The transaction that decides it
forgets that it waits: of two routers that take it up one finds nothing to forget, and does nothing. A crash before
leaves it where it is.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from axis.core.admission import check_concerned
from axis.core.concerning import MOST_WAITING, WAIT, Acting, Waiting, act
from axis.core.decisions import Accept, Candidate, Desk, Refuse
from axis.core.messages import Submission
from axis.core.records import AttachmentRow, Existing
from axis.core.resolving import Resolution
from axis.core.routing import Obstacle
from axis.errors import Refused
from axis.store import Store, Transaction
from schemas.wire import SECOND_SIGNATURE_HEADER, SIGNATURE_HEADER, SUBMIT_EXCHANGE, TYPE_DOCUMENT


@dataclass(frozen=True, slots=True)
class Waits:
    """Keep the envelope until what it acts on is there; it has no receipt before that."""

    id: str
    concerns: str
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Case:
    """An envelope that acts on another, with everything that is looked up outside of the transaction."""

    candidate: Candidate
    resolutions: tuple[Resolution, ...]
    attachments: tuple[AttachmentRow, ...]
    obstacle: Callable[[str], Obstacle | None]


async def settle(
    case: Case, source: str, *, store: Store, desk: Desk, taken_up: bool
) -> tuple[Accept | Refuse | Waits | None, Existing | None]:
    """Decide and commit; return what was decided, and what was stored under its id before.

    `taken_up`: it waited, and waits no longer; None when another router has decided it.
    """
    async with store.transaction() as tx:
        candidate = case.candidate
        envelope = candidate.envelope
        existing = (await tx.existing([envelope.id])).get(envelope.id)
        decided: Acting | Waits | Refused | Existing
        try:
            decided = existing or await _decide(case, source, tx, desk, taken_up=taken_up)
        except Refused as error:
            decided = error
        if isinstance(decided, Waits):
            return decided, None
        # After the lock of what it acts on, whoever decides: one that was sent twice is also decided as it comes.
        if not await tx.waited(envelope.id, candidate.sha256) and taken_up:
            return None, None
        if isinstance(decided, Existing):
            # Decided before: what it says now only has to name the same bytes.
            return desk.accept(candidate, decided.deliveries, case.attachments), decided
        if isinstance(decided, Refused):
            refuse = desk.refuse(candidate.submission, decided, source=source)
            if refuse.notice is not None:
                await tx.notices([refuse.notice])
            if refuse.quarantine is not None:
                await tx.quarantine([refuse.quarantine])
            return refuse, None
        accept = desk.accept(candidate, decided.deliveries, case.attachments)
        # Another router may have stored it since we looked; then it did all of this.
        stored = (await tx.accept([accept.accepted])).get(envelope.id)
        if stored is None:
            await tx.begin(decided.conversations)
            await tx.withdraw(decided.withdrawals)
        return accept, stored


async def _decide(case: Case, source: str, tx: Transaction, desk: Desk, *, taken_up: bool) -> Acting | Waits:
    envelope, at = case.candidate.envelope, desk.now()
    concerned = await tx.concerned(envelope.concerns or "")
    if concerned is None:
        if taken_up:
            told = f"no envelope {envelope.concerns} is known, and none came within {WAIT.seconds // 60} minutes"
            raise Refused("envelope/unknown-concerned", told)
        kept = await tx.wait(_waiting(case.candidate, source, at), MOST_WAITING)
        if kept is None:
            told = (
                f"no envelope {envelope.concerns} is known, and {MOST_WAITING} of this account wait for theirs already"
            )
            raise Refused("envelope/unknown-concerned", told)
        if kept.sha256 != case.candidate.sha256:
            raise Refused("envelope/id-reused", f"{envelope.id} was used before for other bytes")
        return Waits(envelope.id, kept.concerns, kept.until)
    check_concerned(envelope, case.candidate.submission.account or "", sender=concerned.sender)
    return act(envelope, case.resolutions, concerned, case.obstacle, at)


def _waiting(candidate: Candidate, source: str, at: dt.datetime) -> Waiting:
    submission = candidate.submission
    signed = {SIGNATURE_HEADER, SECOND_SIGNATURE_HEADER} & submission.headers.keys()
    return Waiting(
        id=candidate.envelope.id,
        concerns=candidate.envelope.concerns or "",
        queue=source,
        account=submission.account or "",
        routing_key=submission.routing_key,
        content_type=submission.content_type or "",
        headers={name: str(submission.headers[name]) for name in sorted(signed)},
        body=submission.body,
        sha256=candidate.sha256,
        received_at=at,
        until=at + WAIT,
    )


def resubmitted(waiting: Waiting) -> Submission:
    """Take up an envelope that waited, as it was submitted."""
    return Submission(
        body=waiting.body,
        exchange=SUBMIT_EXCHANGE,
        routing_key=waiting.routing_key,
        account=waiting.account,
        type=TYPE_DOCUMENT,
        content_type=waiting.content_type,
        message_id=waiting.id,
        headers=waiting.headers,
    )
