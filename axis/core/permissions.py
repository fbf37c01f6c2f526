r"""What each broker account may do, as the regular expressions RabbitMQ wants.

RabbitMQ matches permissions as regular expressions on names, unanchored. The axis writes every code as an escaped
literal between `^` and `$`, for each account. The broker's own `{username}` placeholder is of no use here: it is put
into the expression as it stands, so for the account `H37.05` it would also accept `H37X05` (tried on 3.10.8).

What an agency gets:
- make nothing;
- write to the exchanges axis.submit and axis.status, and there only under keys with its own code or one below it;
- read its own three queues, and the one that a replay may fill for it.

What the workers' account gets:
- make nothing;
- write to axis.deliver and, for what has to wait, to the retry exchanges;
- read the queues of the axis itself; no mailbox.

Only letters, digits, `^ $ | ( )` and `\.` are used, which mean the same in Erlang's PCRE and in Python's `re`.
"""

import re

from axis.core.broker_objects import Permission, TopicPermission
from axis.core.lanes import LANES, RETRY_SECONDS, mailbox_queue, notices_queue, replay_queue, retry_name, route_queue
from schemas.wire import DELIVER_EXCHANGE, QUARANTINE_QUEUE, STATUS_EXCHANGE, SUBMIT_EXCHANGE, TRACK_QUEUE

NOTHING = "^$"


def agency_permission(code: str) -> Permission:
    """Give an agency its own queues to read and the two exchanges to write to."""
    own = [*(mailbox_queue(lane, code) for lane in LANES), notices_queue(code), replay_queue(code)]
    return Permission(user=code, configure=NOTHING, write=exactly(SUBMIT_EXCHANGE, STATUS_EXCHANGE), read=exactly(*own))


def agency_topic_permissions(code: str) -> tuple[TopicPermission, ...]:
    """Bind an agency's writing to keys with its own code or one below it."""
    own = re.escape(code) + r"(\.|$)"
    lanes = "|".join(LANES)
    return (
        TopicPermission(user=code, exchange=SUBMIT_EXCHANGE, write=rf"^({lanes})\.{own}", read=NOTHING),
        TopicPermission(user=code, exchange=STATUS_EXCHANGE, write=f"^{own}", read=NOTHING),
    )


def worker_permission(user: str) -> Permission:
    """Give the workers' account what routing and tracking need, and no mailbox to read."""
    return Permission(
        user=user,
        configure=NOTHING,
        write=exactly(DELIVER_EXCHANGE, *(retry_name(seconds) for seconds in RETRY_SECONDS)),
        read=exactly(*(route_queue(lane) for lane in LANES), TRACK_QUEUE, QUARANTINE_QUEUE),
    )


def exactly(*names: str) -> str:
    """Write the expression that matches these names and nothing else."""
    return "^(" + "|".join(re.escape(name) for name in names) + ")$"
