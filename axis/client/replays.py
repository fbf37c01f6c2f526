"""Documents that come once more, out of the axis's store: what an operator has put into our replay queue.

They are proved as on the first day and handed out in the order in which the axis accepted them, also those that were
taken before: whoever asked for a replay wants them. Nothing is noted in the ledger and nothing is reported by taking
one; the application may report what it likes (`Delivery.report`), and what was reported before keeps its id. A copy
that is in the queue twice, because the filling of it was broken off, is handed out once as long as this runs.

What cannot be proved is kept apart (`Agency.suspicious`) and acked; its sender is not told, as that was done then.
"""

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from axis.client.building import Author
from axis.client.delivery import Delivery, Desk, Reported, Said
from axis.client.ledger import Ledger
from axis.client.mail import Mail, Parcel, digest_of, evidence, patiently, signature_of
from axis.client.served import served
from axis.client.witness import Witness
from axis.errors import Refused
from schemas import StatusCode
from schemas.wire import REPLAY_HEADER, TYPE_DOCUMENT

_LONGEST = 4_096  # of the header, in characters


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the axis says of a copy, which nobody has signed; None where it does not say it in the form it has.

    `known`: our own ledger has the document as taken, with the same bytes.
    """

    replay: str | None
    at: dt.datetime | None
    by: str | None
    accepted_at: dt.datetime | None
    known: bool


class Replays:
    """Iterate over what is in the replay queue; asking for the next takes the one before.

    With `looking` each is left instead, and comes again.
    """

    def __init__(
        self,
        *,
        open_mail: Callable[[], Awaitable[Mail]],
        author: Author,
        ledger: Ledger,
        witness: Witness,
        desk: Desk,
        idle: float | None,
        looking: bool = False,
    ) -> None:
        self._open_mail = open_mail
        self._mail: Mail | None = None
        self._author = author
        self._ledger = ledger
        self._witness = witness
        self._desk = desk
        self._idle = idle
        self._looking = looking
        self._current: Delivery | None = None
        self._taken: set[tuple[str | None, str]] = set()

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
        if self._mail is None:
            self._mail = await self._open_mail()
        while (parcel := await self._mail.get(self._idle)) is not None:
            try:
                self._current = await self._open(self._mail, parcel)
            except BaseException:
                self._mail.put_back(parcel)
                raise
            if self._current is not None:
                return self._current
        raise StopAsyncIteration

    def leave(self) -> None:
        """Leave the current document untaken and go on: it comes again in a new iteration or at the next connect."""
        self._current = None

    async def _open(self, mail: Mail, parcel: Parcel) -> Delivery | None:
        submission = parcel.submission
        known = await self._ledger.taken(submission.message_id or "")
        same = known is not None and known.sha256 == digest_of(submission)
        mark = _mark(submission.headers.get(REPLAY_HEADER), known=same)
        if (mark.replay, submission.message_id or "") in self._taken:
            await mail.ack(parcel)
            return None
        try:
            return await self._prove(mail, parcel, mark)
        except Refused as error:
            await self._ledger.write(suspicious=[evidence(parcel, error, self._author.now())])
            await mail.ack(parcel)
            return None

    async def _prove(self, mail: Mail, parcel: Parcel, mark: Replayed) -> Delivery:
        submission = parcel.submission
        if submission.type != TYPE_DOCUMENT:
            raise Refused("message/type", f"{submission.type} in a queue for documents")
        signature = signature_of(submission)
        envelope, signer = await patiently(lambda: self._witness.envelope(submission.body, signature))
        recipients = served(self._author.code, envelope, submission)
        if not recipients:
            raise Refused("status/not-recipient", f"{envelope.id} names nobody this mailbox receives for")

        async def take(delivery: Delivery, said: Sequence[Said]) -> list[Reported]:
            self._taken.add((mark.replay, delivery.envelope.id))
            reported = [
                await each.report(self._desk, delivery.envelope.id, recipient)
                for each in said
                if each.code is not StatusCode.ARRIVED
                for recipient in recipients
            ]
            await mail.ack(parcel)
            return reported

        return Delivery(
            body=submission.body,
            signature=signature,
            envelope=envelope,
            recipients=recipients,
            signer=signer,
            desk=self._desk,
            take=take,
            replayed=mark,
        )


def _mark(header: object, *, known: bool) -> Replayed:
    said: Mapping[str, Any] = {}
    if isinstance(header, str) and len(header) <= _LONGEST:
        try:
            read = json.loads(header)
        except (ValueError, RecursionError):
            read = None
        said = read if isinstance(read, dict) else {}
    return Replayed(
        _text(said.get("replay")), _time(said.get("at")), _text(said.get("by")), _time(said.get("accepted_at")), known
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _time(value: object) -> dt.datetime | None:
    try:
        read = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo is not None else None
