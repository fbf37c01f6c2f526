"""Who may say what: the claim and its witnesses must agree (design.md, "Who may say what").

The envelope's sender is the claim. The witnesses are the broker account, the signer's certificate and the routing
key; the lane must be the one the document's priority demands. The routing key alone proves nothing: on RabbitMQ 3.10
a CC header carries a message past the topic permission.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from axis.core.codes import is_within, lineage
from axis.core.directory import Directory
from axis.core.ids import time_of
from axis.core.lanes import lane_of, route_queue, submit_key
from axis.core.messages import Signer, Submission
from axis.errors import Refused
from schemas import Envelope, Status, UnknownBelow

_ROUTING_HEADERS = frozenset({"CC", "BCC"})


def refuse_smuggled_routes(headers: Mapping[str, object]) -> None:
    """Refuse CC and BCC headers: they route past the topic permissions of RabbitMQ 3.10."""
    if smuggled := _ROUTING_HEADERS.intersection(headers):
        raise Refused("abuse/routing-headers", f"header {', '.join(sorted(smuggled))} is not allowed")


def refuse_over_limit(submission: Submission) -> None:
    """Refuse what is over its account's limit, before anything about it is read or proved; raise Refused limit/*."""
    if (over := submission.over_limit) is not None:
        raise Refused(over.code, over.detail, retry_after=over.retry_after)


def admit_envelope(
    envelope: Envelope, submission: Submission, signer: Signer, directory: Directory, at: dt.datetime
) -> None:
    """Check that account, signer, routing key and lane all support the envelope's sender; raise Refused abuse/*."""
    refuse_smuggled_routes(submission.headers)
    _check_account(envelope.sender, submission.account, directory, at)
    check_signer(envelope.sender, signer)
    _check_in_force(envelope.sender, directory, at)
    wanted = submit_key(lane_of(envelope.document.priority), envelope.sender)
    if submission.routing_key != wanted:
        lane, _, said = submission.routing_key.partition(".")
        code = "lane/mismatch" if said == envelope.sender and lane in {"urgent", "normal"} else "abuse/routing-key"
        raise Refused(code, f"the routing key is “{submission.routing_key}”, must be “{wanted}”")


def admit_source(envelope: Envelope, queue: str) -> None:
    """Check that an admitted envelope came through the queue of its lane; raise Refused abuse/routing-headers.

    The broker takes the BCC header out when it delivers. A copy that it led into the other lane, past the documents
    waiting there, is known only by where it arrived.
    """
    wanted = route_queue(lane_of(envelope.document.priority))
    if queue != wanted:
        raise Refused("abuse/routing-headers", f"it came to {queue}, and its routing key leads to {wanted}")


def admit_status(status: Status, submission: Submission, signer: Signer, directory: Directory, at: dt.datetime) -> None:
    """Check that account, signer and routing key all support the status's reporter; raise Refused abuse/*."""
    refuse_smuggled_routes(submission.headers)
    _check_account(status.reporter, submission.account, directory, at)
    check_signer(status.reporter, signer)
    if submission.routing_key != status.reporter:
        raise Refused(
            "abuse/routing-key", f"the routing key is “{submission.routing_key}”, must be “{status.reporter}”"
        )


@dataclass(frozen=True, slots=True)
class IdWindow:
    """How far the time in an id may be from now: ids choose the month partition, where uniqueness is checked."""

    past: dt.timedelta
    future: dt.timedelta

    def check(self, identifier: str, at: dt.datetime, code: str) -> None:
        """Refuse an id whose time is outside, with the code given."""
        try:
            made = time_of(identifier)
        except OverflowError as error:  # 48 bits of milliseconds reach beyond the year 9999
            raise Refused(code, "the time in the id is beyond the calendar") from error
        if not at - self.past <= made <= at + self.future:
            raise Refused(code, f"the id was made at {made.isoformat()}, now it is {at.isoformat()}")


def _check_account(claim: str, account: str | None, directory: Directory, at: dt.datetime) -> None:
    if account is None or not directory.holds(account, claim, at):
        raise Refused("abuse/account", f"account {account or 'absent'} does not hold {claim}")


def _check_in_force(sender: str, directory: Directory, at: dt.datetime) -> None:
    """Refuse a sender that is closed or was never registered; below an `open` organisation any unit may speak.

    Statuses are not held to this: an organisation that closed may still finish what it received.
    """
    for code in lineage(sender):
        organisation = directory.organisation(code, at)
        if organisation is None and directory.closed(code, at) is not None:
            raise Refused("abuse/sender", f"{code} is closed")
        if organisation is not None:
            if code != sender and organisation.unknown_below is not UnknownBelow.OPEN:
                raise Refused("abuse/sender", f"{sender} is not registered below {code}")
            return
    raise Refused("abuse/sender", f"{sender} is not in the directory")


def check_concerned(envelope: Envelope, account: str, *, sender: str) -> None:
    """Check that the envelope acted on, sent by `sender`, is the submitter's own; raise Refused abuse/concerned.

    Recipients destroy a document on its issuer's recall (QĐ 28/2018 article 9.2), so nobody else may ask for it.
    """
    if envelope.sender != sender and not is_within(sender, account):
        raise Refused("abuse/concerned", f"{envelope.concerns} was sent by {sender}")


def check_signer(claim: str, signer: Signer) -> None:
    """Check that the certificate may sign for the claim: enrolled for it, above it, or as its gateway.

    A unit never speaks for its parent, and the axis's own key speaks for nobody.
    """
    if signer.role == "axis" or not is_within(claim, signer.organisation):
        raise Refused("abuse/signer", f"the certificate is for {signer.organisation}, the message says {claim}")
