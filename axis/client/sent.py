"""What became of a document that was sent."""

import datetime as dt
from dataclasses import dataclass

from axis.client.ledger import Entry
from axis.core.messages import Lane
from axis.core.reading import parse_envelope
from axis.errors import Refused, Unavailable


@dataclass(frozen=True, slots=True)
class Sent:
    """A document that the broker has confirmed; what the axis makes of it, its receipt says."""

    envelope_id: str
    lane: Lane
    confirmed_at: dt.datetime
    sealed_for: tuple[str, ...] = ()  # the mailboxes that can open it, where it is sealed


class NotConfirmed(Unavailable):
    """Report that the broker did not confirm in time; the envelope is kept and sent again under the same id."""

    code = "axis/not-confirmed"

    def __init__(self, envelope_id: str) -> None:
        super().__init__(
            f"the broker has not confirmed {envelope_id}; it is kept in the outbox and sent again until it is, "
            "also at the next connect: do not send the document anew"
        )
        self.envelope_id = envelope_id


def refuse_given_up(entry: Entry) -> None:
    """Raise Refused concerns/refused for an envelope that is never sent."""
    if entry.given_up:
        raise Refused("concerns/refused", f"{entry.id} was not sent: {entry.waits_for} was refused")


def sent_by(entry: Entry) -> Sent:
    """Say when the broker confirmed a document; raise NotConfirmed while it has not."""
    if entry.confirmed_at is None:
        raise NotConfirmed(entry.id)
    lane, _, _ = entry.routing_key.partition(".")
    sealed = parse_envelope(entry.body).sealed
    mailboxes = () if sealed is None else tuple(sealed.mailboxes)
    return Sent(entry.id, "urgent" if lane == "urgent" else "normal", entry.confirmed_at, mailboxes)
