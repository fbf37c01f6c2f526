"""Handing a message from quarantine to the routers once more. Pure.

A router believes an account because the broker proved it when the message came. The axis cannot publish in an agency's
name, and must not be able to. So a message is not published again: it waits in the store, with the account that was
proved when it came, as a recall does that came before its document, and the router of its queue takes it up from there
and decides it by the same rules as any other. What the axis did not note when it came is not made up now.
"""

import datetime as dt

from axis.core.concerning import WAIT, Waiting
from axis.core.decisions import digest
from axis.core.lanes import LANES, route_queue
from axis.core.messages import Submission
from axis.core.reading import read_envelope
from axis.core.tracked import Quarantined
from axis.errors import Refused
from schemas import Action
from schemas.wire import SUBMIT_EXCHANGE

_STAYS = "quarantine/stays"
# Its time is over at once, however long it is since a router saw its queue empty (workers.calm).
_NOW = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def resubmission(kept: Quarantined) -> Submission:
    """Return a message as it was submitted; raise Refused quarantine/stays when not all of that is known."""
    if kept.source not in {route_queue(lane) for lane in LANES}:
        raise Refused(_STAYS, f"it came to {kept.source}, which is no queue of documents")
    if kept.account is None:
        raise Refused(_STAYS, "no account was proved when it came")
    if len(kept.body) != kept.size or digest(kept.body) != kept.sha256:
        raise Refused(_STAYS, f"{len(kept.body)} of its {kept.size} bytes were kept")
    if not {"routing_key", "type", "content_type"} <= kept.properties.keys():
        raise Refused(_STAYS, "its routing key, type or content type was not kept")
    return Submission(
        body=kept.body,
        exchange=SUBMIT_EXCHANGE,
        routing_key=kept.properties["routing_key"],
        account=kept.account,
        type=kept.properties["type"],
        content_type=kept.properties["content_type"],
        message_id=kept.message_id,
        headers=dict(kept.headers),
    )


def waiting_of(kept: Quarantined, at: dt.datetime) -> Waiting:
    """Return what a router takes up next; raise Refused for what no router could read.

    What acts on another envelope waits for that one like any other does.
    """
    submission = resubmission(kept)
    envelope = read_envelope(submission)
    return Waiting(
        id=envelope.id,
        concerns=envelope.concerns or envelope.id,
        queue=kept.source,
        account=submission.account or "",
        routing_key=submission.routing_key,
        content_type=submission.content_type or "",
        headers=dict(kept.headers),
        body=kept.body,
        sha256=kept.sha256,
        received_at=at,
        until=_NOW if envelope.action is Action.NEW else at + WAIT,
    )
