"""The RabbitMQ seam: publish, consume, look at and change the topology.

What it promises: a publish that returns is on disk in every queue it was routed to; a message is the broker's until it
is settled, and comes again when a connection, a process or the broker dies before that.
"""

from axis.broker.address import split_address, unsafe_hosts, vhost_of
from axis.broker.consumer import GIVEN_BACK, Batch, Consumer, Received
from axis.broker.fake import FakeBroker
from axis.broker.link import Link, QueueState
from axis.broker.management import ManagementApi
from axis.broker.peeking import peek
from axis.broker.publisher import Publisher

__all__ = [
    "GIVEN_BACK",
    "Batch",
    "Consumer",
    "FakeBroker",
    "Link",
    "ManagementApi",
    "Publisher",
    "QueueState",
    "Received",
    "peek",
    "split_address",
    "unsafe_hosts",
    "vhost_of",
]
