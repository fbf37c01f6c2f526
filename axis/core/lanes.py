"""Lanes, and the names of the queues and keys that carry them; fixed names are in schemas.wire.

NĐ 30/2020 article 4 wants every document marked khẩn, thượng khẩn, hỏa tốc or hỏa tốc hẹn giờ passed on at once. So
urgent documents have queues of their own all the way: a mountain of ordinary documents in the normal lane delays none
of them. The lane follows from the document's priority and from nothing else.
"""

from typing import Literal, get_args

from axis.core.messages import Lane
from schemas import Priority

LANES: tuple[Lane, ...] = ("urgent", "normal")

# One queue for each delay: messages leave a queue at its head only, so a short delay behind a long one would wait
# for it (measured on RabbitMQ 3.10, documented for all versions).
RetryDelay = Literal[5, 60, 600]
RETRY_SECONDS: tuple[RetryDelay, ...] = get_args(RetryDelay)


def lane_of(priority: Priority) -> Lane:
    """Return the lane the law wants for a priority: urgent for all but `normal`."""
    return "normal" if priority is Priority.NORMAL else "urgent"


def submit_key(lane: Lane, sender: str) -> str:
    """Name the routing key under which a sender submits."""
    return f"{lane}.{sender}"


def route_queue(lane: Lane) -> str:
    """Name the queue the router reads for a lane."""
    return f"axis.route.{lane}"


def mailbox_queue(lane: Lane, code: str) -> str:
    """Name the queue in which a mailbox receives the documents of a lane."""
    return f"mailbox.{lane}.{code}"


def notices_queue(code: str) -> str:
    """Name the queue in which a mailbox receives receipts, and the statuses of what it sent."""
    return f"notices.{code}"


def retry_name(seconds: RetryDelay) -> str:
    """Name the exchange and the queue in which a message waits before it goes back to the queue it came from."""
    return f"axis.retry.{seconds}"


def replay_queue(code: str) -> str:
    """Name the queue in which a mailbox gets documents once more, out of the store; it is there for a replay alone."""
    return f"replay.{code}"
