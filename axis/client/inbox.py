"""The mailbox: documents as they arrive, each handed out until it is taken, and never again after.

Taking a document, step by step, and what a crash does after each:

    1 hand out    the application keeps the document        crash: nothing is recorded; the broker hands it out again
                                                            (the application meets its id a second time)
    2 ledger      taken, with the signed 01 and the first   crash: the copy that comes again is known and not handed
                  status of the application, in one write   out; both go out at the next connect, same ids and bytes
    3 publish     confirmed by the broker                   crash: the same go out again; the axis knows their ids
    4 confirmed   noted in the ledger                       crash: the copy that comes again is only acked
    5 ack         the broker forgets the document

While the broker takes no publishes, 3 to 5 wait and the application goes on: the document is unacked until its 01 is
confirmed.

What cannot be proved is not handed out (QĐ 28/2018 article 9.1 demands authenticity and integrity to be checked before
a document is accepted, and prompt feedback). Its bytes, signature and reason are kept in the ledger
(`Agency.suspicious`). When the envelope can be read and is for us, and no good copy was taken under its id, the sender
is told by a status 02 with the reason, so that it does not wait for a document nobody will ever see; it sends again as
a new one. Then it is acked: an agency has no right to put it anywhere else, and leaving it would stop the queue. Two
cases are not told: bytes nobody can read, whose sender is unknown, and other bytes under the id of a document that was
taken, because a 02 would be about the good one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

from axis.client.building import Author, reason_text
from axis.client.deferring import deferred
from axis.client.delivery import Delivery, Desk, Reported, Said
from axis.client.ledger import Entry, KeptRecall, Ledger, Taken
from axis.client.mail import Mail, Parcel, digest_of, evidence, patiently, signature_of
from axis.client.outbox import Outbox
from axis.client.papers import Paper
from axis.client.recalls import (
    HELD,
    QUIET_SECONDS,
    declined,
    handed_out,
    keep_held,
    kept,
    may_concern,
    withdrawing,
)
from axis.client.served import served
from axis.client.witness import Witness
from axis.core.messages import Submission
from axis.core.reading import parse_envelope
from axis.errors import AxisError, Refused
from axis.observe import NO_TRACES, Traces, following
from schemas import Action, StatusCode
from schemas.wire import TYPE_DOCUMENT

Start = Callable[[Coroutine[Any, Any, None]], object]


class Inbox:
    """Iterate over the deliveries, urgent ones first; asking for the next takes the one before.

    A body left by an exception or by `break` takes nothing: the document stays the broker's and comes again, at once
    in a new `Agency.inbox()`, or at the next connect. An inbox that is only `looking` leaves each instead, and hands
    out a recall and its document both, nothing withdrawn: what withdrawing says to the sender cannot be taken back.
    """

    def __init__(
        self,
        *,
        open_mail: Callable[[], Awaitable[Mail]],
        author: Author,
        ledger: Ledger,
        outbox: Outbox,
        witness: Witness,
        desk: Desk,
        start: Start,
        held: set[str],
        idle: float | None,
        looking: bool = False,
        traces: Traces = NO_TRACES,
    ) -> None:
        self._traces = traces
        self._open_mail = open_mail
        self._opened: Mail | None = None
        self._author = author
        self._ledger = ledger
        self._outbox = outbox
        self._witness = witness
        self._desk = desk
        self._start = start
        self._held = held
        self._idle = idle
        self._looking = looking
        self._current: Delivery | None = None
        self._left: set[str] = set()

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> Delivery:
        """Take the delivery before, then wait for the next; end when nothing comes for `idle` seconds."""
        if self._looking:
            self.leave()
        if self._current is not None:
            await self._current.take()
            self._current = None
        if self._opened is None:
            self._opened = await self._open_mail()
        mail = self._opened
        loop = asyncio.get_running_loop()
        since = loop.time()
        while True:
            early = [each for each in await self._ledger.open_recalls() if each.envelope_id not in self._left]
            if (mine := await self._hand_out(each for each in early if each.withdrawn)) is not None:
                return mine
            patience = None if self._idle is None else max(since + self._idle - loop.time(), 0.0)
            parcel = await mail.get(
                patience if not early else min(QUIET_SECONDS, QUIET_SECONDS if patience is None else patience)
            )
            if parcel is not None:
                delivery = await self._attempt(mail, parcel)
                since = loop.time()
            else:  # nothing else is here, so their documents are not in the mailbox
                delivery = await self._hand_out(early)
                waited_enough = not early or (patience is not None and patience <= QUIET_SECONDS)
                if delivery is None and (waited_enough or mail.ended):
                    raise StopAsyncIteration
            if delivery is not None:
                self._current = delivery
                return delivery

    async def _hand_out(self, recalls: Iterable[KeptRecall]) -> Delivery | None:
        """Hand out the first of some recalls that no other process has in hand."""
        now = self._author.now
        for each in recalls:
            if await self._ledger.hand_out(each.envelope_id, now(), now() + HELD):
                if each.envelope_id not in self._held:  # left in an inbox before, it is held from there
                    self._held.add(each.envelope_id)
                    self._start(keep_held(self._ledger, each.envelope_id, now, self._held))
                self._current = handed_out(each, self._desk, self._ledger)
                return self._current
        return None

    async def _attempt(self, mail: Mail, parcel: Parcel) -> Delivery | None:
        try:
            return await self._open(mail, parcel)
        except BaseException:
            mail.put_back(parcel)
            raise

    def leave(self) -> None:
        """Leave the current document untaken and go on: it comes again in a new inbox or at the next connect.

        What is left counts against what the broker hands over, so the inbox runs dry after a few dozen of them.
        """
        if self._current is not None:
            self._left.add(self._current.envelope.id)
        self._current = None

    async def _open(self, mail: Mail, parcel: Parcel) -> Delivery | None:
        """Prove a delivery; None when it is a repeat or set aside."""
        submission = parcel.submission
        known = await self._ledger.taken(submission.message_id or "")
        if known is not None and known.sha256 == digest_of(submission):
            await self._settle(mail, parcel, await self._ledger.entries(about=known.envelope_id))
            return None
        try:
            delivery = await self._prove(mail, parcel)
        except Refused as error:
            await self._set_aside(mail, parcel, error)
            return None
        if self._looking:
            return delivery
        if delivery.envelope.action is Action.RECALL:
            return await self._recalling(mail, parcel, delivery)
        return await self._unless_withdrawn(mail, parcel, delivery)

    async def _recalling(self, mail: Mail, parcel: Parcel, delivery: Delivery) -> Delivery | None:
        """Hand out a recall of what was taken; keep any other until its document comes. See axis.client.recalls."""
        concerned = delivery.envelope.concerns or ""
        aside = next(iter(await self._ledger.deferred(concerned)), None)
        if aside is None and await self._ledger.taken(concerned) is not None:
            return delivery
        recall = kept(delivery)
        withdrawn: Sequence[Entry] = ()
        if aside is not None:
            doing = withdrawing(parse_envelope(aside.body), aside.recipients, [(recall, frozenset())], self._author)
            withdrawn, recall = doing.entries, replace(recall, withdrawn=bool(doing.recalls))
        entries = [
            self._author.status(delivery.envelope.id, StatusCode.ARRIVED, recipient=recipient)
            for recipient in delivery.recipients
        ]
        taken = Taken(delivery.envelope.id, delivery.sha256, self._author.now())
        paper = Paper.of(delivery.envelope, received=True)
        written = await self._ledger.write(
            taken=[taken], entries=[*entries, *withdrawn], papers=[paper], recalls=[recall]
        )
        await self._settle(mail, parcel, written)
        return None

    async def _unless_withdrawn(self, mail: Mail, parcel: Parcel, delivery: Delivery) -> Delivery | None:
        """Hand out a document for those recipients from whom it was not recalled, as far as anybody here knows."""
        identifier = delivery.envelope.id
        await self._keep_all(mail, mail.pick(lambda body: may_concern(body, identifier)))
        kept_recalls = await self._ledger.recalls(identifier)
        if not kept_recalls:
            return delivery
        recalls = [(each, await declined(each, self._ledger)) for each in kept_recalls]
        doing = withdrawing(delivery.envelope, delivery.recipients, recalls, self._author)
        left = tuple(each for each in delivery.recipients if each not in doing.recipients)
        done = [replace(each, withdrawn=True) for each in doing.recalls]
        if left:
            await self._outbox.send(await self._ledger.write(entries=doing.entries, recalls=done))
            delivery.recipients = left
            return delivery
        taken = Taken(identifier, delivery.sha256, self._author.now())
        await self._settle(mail, parcel, await self._ledger.write(taken=[taken], entries=doing.entries, recalls=done))
        return None

    async def _keep_all(self, mail: Mail, picked: Sequence[Parcel]) -> None:
        """Keep recalls that wait behind their document; what fails, and all after it, waits in its line again."""
        for place, parcel in enumerate(picked):
            try:
                recall = await self._open(mail, parcel)
            except BaseException:
                for each in reversed(picked[place:]):
                    mail.put_back(each)
                raise
            if recall is not None:  # its document was taken meanwhile
                mail.put_back(parcel)

    async def _prove(self, mail: Mail, parcel: Parcel) -> Delivery:
        submission = parcel.submission
        if submission.type != TYPE_DOCUMENT:
            raise Refused("message/type", f"{submission.type} in a mailbox for documents")
        signature = signature_of(submission)
        envelope, signer = await patiently(lambda: self._witness.envelope(submission.body, signature))
        if await self._ledger.taken(envelope.id) is not None:
            raise Refused("envelope/id-reused", f"other bytes were taken under {envelope.id}")
        recipients = served(self._author.code, envelope, submission)
        if not recipients:
            raise Refused("status/not-recipient", f"{envelope.id} names nobody this mailbox receives for")

        async def take(delivery: Delivery, said: Sequence[Said]) -> list[Reported]:
            with following(self._traces, "take", delivery.envelope.id, parcel.submission.headers):
                return await self._take(mail, parcel, delivery, said)

        async def defer(delivery: Delivery, error: AxisError) -> None:
            taken = Taken(delivery.envelope.id, delivery.sha256, self._author.now())
            paper = Paper.of(delivery.envelope, received=True)
            kept_aside = deferred(delivery, error, self._author)
            await self._ledger.write(taken=[taken], papers=[paper], deferred=[kept_aside])
            await mail.ack(parcel)

        return Delivery(
            body=submission.body,
            signature=signature,
            envelope=envelope,
            recipients=recipients,
            signer=signer,
            desk=self._desk,
            take=take,
            defer=defer,
        )

    async def _take(self, mail: Mail, parcel: Parcel, delivery: Delivery, said: Sequence[Said]) -> list[Reported]:
        """Take a document and report all of `said`, the last of it being what the application asked for."""
        envelope_id, recipients = delivery.envelope.id, delivery.recipients
        entries = [
            self._author.status(
                envelope_id,
                each.code,
                recipient=recipient,
                reason=each.reason,
                staff=each.staff,
                destroyed=each.destroyed,
            )
            for each in said
            for recipient in recipients
        ]
        taken = Taken(envelope_id, delivery.sha256, self._author.now())
        paper = Paper.of(delivery.envelope, received=True)
        kept = await self._ledger.write(taken=[taken], entries=entries, papers=[paper])
        # From here on it is taken, whatever the broker says.
        sent = await self._settle(mail, parcel, kept)
        if not said:
            return []
        last = zip(sent[-len(recipients) :], recipients, strict=True)
        return [Reported(entry.id, recipient, said[-1].code, entry.confirmed_at) for entry, recipient in last]

    async def _settle(self, mail: Mail, parcel: Parcel, entries: list[Entry]) -> list[Entry]:
        """Ack when the statuses are confirmed; at once if they can be, else as soon as they are."""
        sent = await self._outbox.send(entries)
        if all(entry.confirmed_at is not None for entry in sent):
            await mail.ack(parcel)
        else:
            self._start(self._ack_later(mail, parcel, {entry.about for entry in sent}))
        return sent

    async def _ack_later(self, mail: Mail, parcel: Parcel, about: set[str]) -> None:
        for envelope_id in about:
            await self._outbox.wait_confirmed(envelope_id)
        await mail.ack(parcel)

    async def _set_aside(self, mail: Mail, parcel: Parcel, error: Refused) -> None:
        submission = parcel.submission
        found = evidence(parcel, error, self._author.now())
        entries = await self._ledger.write(suspicious=[found], entries=await self._feedback(submission, error))
        if entries:
            await self._settle(mail, parcel, entries)
        else:
            await mail.ack(parcel)

    async def _feedback(self, submission: Submission, error: Refused) -> list[Entry]:
        try:
            envelope = parse_envelope(submission.body)
        except Refused:
            return []
        if submission.message_id != envelope.id or await self._ledger.taken(envelope.id) is not None:
            return []
        reason = reason_text(error.code, error.detail)
        return [
            self._author.status(envelope.id, StatusCode.REFUSED, recipient=recipient, reason=reason)
            for recipient in served(self._author.code, envelope, submission)
        ]
