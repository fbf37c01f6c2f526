"""What has to be at the broker: exchanges, queues, bindings, accounts and rights, computed from the mailboxes.

    axis.submit (topic)   urgent.#  →  axis.route.urgent        axis.deliver (direct)   →  mailbox.urgent.<code>
                          normal.#  →  axis.route.normal                                →  mailbox.normal.<code>
    axis.status (topic)   #         →  axis.track                                       →  notices.<code>

    axis.route.*, axis.track     ── rejected by a worker ──▶  axis.quarantine
    axis.retry.<s> (fanout)      →  axis.retry.<s>  ── after <s> seconds ──▶  the queue named by the routing key

All queues are quorum queues. Their arguments cannot change once they are made, so the arguments hold what must never
be otherwise: that nothing is given up after a number of deliveries, and where what is rejected or has waited goes.
docs/decisions/0002-quorum-queue-arguments.md says why each is there and what it does on RabbitMQ 3.10 and 4.x.
The one policy is where an operator sets limits later; it also keeps a catch-all policy of somebody else, such as a
time-to-live on `.*`, away from these queues, because of several policies only the one with the highest priority
applies.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from axis.core.broker_objects import (
    Argument,
    Binding,
    Exchange,
    Item,
    Permission,
    Policy,
    Queue,
    TopicPermission,
    Topology,
    User,
    UserLimit,
)
from axis.core.difference import Change, Verb, applied, difference
from axis.core.lanes import LANES, RETRY_SECONDS, RetryDelay, mailbox_queue, notices_queue, retry_name, route_queue
from axis.core.permissions import agency_permission, agency_topic_permissions, worker_permission
from schemas import Mailbox, Quota
from schemas.wire import DELIVER_EXCHANGE, QUARANTINE_QUEUE, STATUS_EXCHANGE, SUBMIT_EXCHANGE, TRACK_QUEUE

__all__ = [
    "Binding",
    "Change",
    "Exchange",
    "Item",
    "Permission",
    "Policy",
    "Queue",
    "TopicPermission",
    "Topology",
    "User",
    "UserLimit",
    "Verb",
    "WorkerUser",
    "applied",
    "desired",
    "difference",
    "places",
    "replay_place",
]

# Practically never. RabbitMQ 4 gives a message up after 20 returned deliveries unless told otherwise, and a mailbox
# has no dead-letter target, so it would be gone. -1 means "no limit" to 4.x only; 3.10 takes it for 0.
DELIVERY_LIMIT = 1_000_000_000

POLICY = Policy(
    name="axis",
    pattern=r"^(axis|mailbox|notices|replay)\.",
    definition={"delivery-limit": DELIVERY_LIMIT, "overflow": "reject-publish"},
    priority=100,
)

_QUORUM: Mapping[str, Argument] = {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT}
# At least once: the broker takes a message out of the first queue only when the second one has confirmed it. It wants
# overflow=reject-publish for that, else it silently falls back to at most once.
_DEAD_LETTERS: Mapping[str, Argument] = {
    "x-dead-letter-exchange": "",
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


@dataclass(frozen=True, slots=True)
class WorkerUser:
    """The account of router, tracker and relay. `password_hash` in RabbitMQ's salted form."""

    name: str
    password_hash: str = field(repr=False)


def desired(
    directory_mailboxes: Iterable[Mailbox], *, worker_user: WorkerUser, at: dt.datetime, default: Quota | None = None
) -> Topology:
    """Compute what has to be there for the mailboxes in force at a time.

    `default`: limits where they have no own; None: not known here, so no limit that is there is taken away.
    """
    items: list[Item] = [POLICY, *_axis_objects()]
    items += [User(worker_user.name, worker_user.password_hash), worker_permission(worker_user.name)]
    for mailbox in _in_force(directory_mailboxes, at):
        items += _mailbox_objects(mailbox)
        items += _user_limits(mailbox.code, mailbox.quota, default)
    return Topology.of(items)


def places(codes: Iterable[str]) -> Topology:
    """Compute the queues of the axis and of some mailboxes, and what binds them: what needs no password to be made."""
    items = [*_axis_objects(), *(item for code in codes for item in _mailbox_places(code))]
    return Topology.of(item for item in items if isinstance(item, Queue | Binding))


def replay_place(name: str) -> Queue:
    """Describe a queue for a replay: as safe as a mailbox, written to by its name, and nobody's in the directory."""
    return Queue(name, _QUORUM)


def _axis_objects() -> list[Item]:
    items: list[Item] = [
        Exchange(SUBMIT_EXCHANGE, "topic"),
        Exchange(STATUS_EXCHANGE, "topic"),
        Exchange(DELIVER_EXCHANGE, "direct"),
        Queue(QUARANTINE_QUEUE, _QUORUM),
        _worked_queue(TRACK_QUEUE),
        Binding(STATUS_EXCHANGE, TRACK_QUEUE, "#"),
    ]
    for lane in LANES:
        items += [_worked_queue(route_queue(lane)), Binding(SUBMIT_EXCHANGE, route_queue(lane), f"{lane}.#")]
    for seconds in RETRY_SECONDS:
        name = retry_name(seconds)
        items += [Exchange(name, "fanout"), _retry_queue(seconds), Binding(name, name, "")]
    return items


def _worked_queue(name: str) -> Queue:
    return Queue(name, {**_QUORUM, **_DEAD_LETTERS, "x-dead-letter-routing-key": QUARANTINE_QUEUE})


def _retry_queue(seconds: RetryDelay) -> Queue:
    # Without a dead-letter routing key the message keeps the one it was published with: the queue to go back to.
    return Queue(retry_name(seconds), {**_QUORUM, **_DEAD_LETTERS, "x-message-ttl": seconds * 1000})


def _mailbox_objects(mailbox: Mailbox) -> list[Item]:
    code = mailbox.code
    return [
        *_mailbox_places(code),
        User(code, mailbox.password_hash),
        *agency_topic_permissions(code),
        agency_permission(code),
    ]


def _mailbox_places(code: str) -> list[Item]:
    names = [*(mailbox_queue(lane, code) for lane in LANES), notices_queue(code)]
    return [*(Queue(name, _QUORUM) for name in names), *(Binding(DELIVER_EXCHANGE, name, name) for name in names)]


def _user_limits(user: str, own: Quota, default: Quota | None) -> list[Item]:
    holds = own.or_else(default or Quota())
    limits = {
        "max-connections": (own.connections, holds.connections),
        "max-channels": (own.channels, holds.channels),
    }
    return [
        UserLimit(user, name, value)
        for name, (said, value) in limits.items()
        if value is not None or (said is None and default is None)
    ]


def _in_force(mailboxes: Iterable[Mailbox], at: dt.datetime) -> list[Mailbox]:
    """Take one mailbox for each code; of two periods in force, the later one holds the password."""
    valid = [m for m in mailboxes if m.valid_from <= at and (m.valid_to is None or at < m.valid_to)]
    latest = {mailbox.code: mailbox for mailbox in sorted(valid, key=lambda m: m.valid_from)}
    return [latest[code] for code in sorted(latest)]
