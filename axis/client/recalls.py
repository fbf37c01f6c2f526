"""Recalls that come before their document was taken: the mailbox then hands out neither, but that it was withdrawn.

A recall in the urgent lane is here before its document in the normal one, and one in the same lane may wait behind it.
Of both the application gets one thing: the recall, marked as withdrawn. What happens, and what a crash leaves:

    1 the recall comes first    kept in the ledger, with its 01; acked      crash: it comes again, and is known
    2 its document comes        in one write: taken, and 15 with the proof  crash: the same again, same ids
                                that nothing was kept
    3 the recall is handed out  until the application is done with it       crash: handed out again

When nothing else comes for a moment, the document is not in the mailbox: it was taken before this ledger began, or
never came. Then the recall is handed out as it is; should the document come after all, it is withdrawn (2) all the
same, but not where the application has declined.

Of several processes with one ledger one hands a recall out: it says so in the ledger for a minute, again and again. The
others pass it over, until it ends (at once when it leaves, else when the minute is over).
"""

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from axis.client.building import Author
from axis.client.delivery import Delivery, Desk, Reported, Said
from axis.client.ledger import Entry, KeptRecall, Ledger
from axis.core.codes import is_within
from axis.core.messages import Signer
from axis.core.reading import parse_envelope, parse_status
from axis.errors import Unavailable
from schemas import Action, Destroyed, Envelope, StatusCode

log = logging.getLogger("axis.client")

QUIET_SECONDS = 1.0  # so long nothing may come before a recall without its document is handed out
HELD = dt.timedelta(minutes=1)  # so long a process has a recall to itself without saying so again
HELD_AGAIN_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """What recalls do to a document that was not taken: for whom it is withdrawn, by which, and what is said."""

    recipients: frozenset[str]
    recalls: tuple[KeptRecall, ...]
    entries: tuple[Entry, ...]


def kept(delivery: Delivery) -> KeptRecall:
    """Keep a proved recall."""
    signer = delivery.signer
    return KeptRecall(
        envelope_id=delivery.envelope.id,
        concerns=delivery.envelope.concerns or "",
        body=delivery.body,
        signature=delivery.signature,
        recipients=delivery.recipients,
        organisation=signer.organisation,
        thumbprint=signer.thumbprint,
        role=signer.role,
    )


async def keep_held(ledger: Ledger, envelope_id: str, now: Callable[[], dt.datetime], held: set[str]) -> None:
    """Say again and again that a recall is handed out here, until it is done; it is one of `held` as long."""
    while envelope_id in held:
        await asyncio.sleep(HELD_AGAIN_SECONDS)
        try:
            if not await ledger.hand_out(envelope_id, now(), now() + HELD):
                held.discard(envelope_id)
        except Unavailable as error:  # as if this process had died: another may hand it out as well
            log.warning("recall %s: %s", envelope_id, error)


async def declined(recall: KeptRecall, ledger: Ledger) -> frozenset[str]:
    """Name the recipients for whom the application has declined a recall, and not agreed to it too."""
    said: dict[StatusCode, set[str]] = {StatusCode.AGREED: set(), StatusCode.DECLINED: set()}
    for entry in await ledger.entries(about=recall.envelope_id, unconfirmed=False):
        if entry.kind != "status":  # the recall itself, where it is our own to a unit of ours
            continue
        status = parse_status(entry.body)
        said.get(status.code, set()).add(status.recipient or status.reporter)
    return frozenset(said[StatusCode.DECLINED] - said[StatusCode.AGREED])


def withdrawing(
    envelope: Envelope,
    recipients: Iterable[str],
    recalls: Sequence[tuple[KeptRecall, frozenset[str]]],
    author: Author,
) -> Withdrawing:
    """Say what recalls do to a document, each with those who declined it.

    One by somebody who does not speak for its sender does nothing.
    """
    named = set(recipients)
    allowed = [(each, refused) for each, refused in recalls if is_within(envelope.sender, each.organisation)]
    meant = [(each, code) for each, refused in allowed for code in each.recipients if code in named - refused]
    proof = Destroyed(at=author.now(), untaken=True)
    entries = [
        author.status(each.envelope_id, StatusCode.AGREED, recipient=code, destroyed=said)
        for each, code in meant
        for said in (None, proof)  # the agreement first, for those who do not read proofs yet
    ]
    return Withdrawing(
        frozenset(code for _, code in meant),
        tuple(dict.fromkeys(each for each, _ in meant)),
        tuple(entries),
    )


def handed_out(recall: KeptRecall, desk: Desk, ledger: Ledger) -> Delivery:
    """Make of a kept recall what the application gets."""

    async def take(delivery: Delivery, said: Sequence[Said]) -> list[Reported]:
        reported: list[Reported] = []
        for each in said:  # the 01 was sent when it was kept, so that is only found again
            reported = [await each.report(desk, delivery.envelope.id, recipient) for recipient in recall.recipients]
        await ledger.finish_recall(recall.envelope_id)
        return reported

    return Delivery(
        body=recall.body,
        signature=recall.signature,
        envelope=parse_envelope(recall.body),
        recipients=recall.recipients,
        signer=Signer(recall.organisation, recall.thumbprint, recall.role),
        desk=desk,
        take=take,
        withdrawn=recall.withdrawn,
    )


def may_concern(body: bytes, envelope_id: str) -> bool:
    """Say whether a message that nobody has proved yet claims to recall an envelope; cheap where it does not."""
    if b'"recall"' not in body or envelope_id.encode() not in body:
        return False
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("action") == Action.RECALL and said.get("concerns") == envelope_id
