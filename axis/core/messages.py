"""A message as the broker hands it over, before anything in it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from axis.core.quotas import OverLimit

Lane = Literal["urgent", "normal"]


@dataclass(frozen=True, slots=True)
class Submission:
    """The bytes and the AMQP properties of one message.

    `account` is the `user_id` property: when present the broker has checked it against the connection's user,
    so it is the one thing here that is proved. `over_limit` is not the sender's: how it is to be refused unread.
    """

    body: bytes
    exchange: str
    routing_key: str
    account: str | None
    type: str | None
    content_type: str | None
    message_id: str | None
    headers: Mapping[str, object] = field(default_factory=dict)
    redelivered: bool = False
    over_limit: OverLimit | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose key made a signature, as the enrolled certificate says.

    `evidence` names what shows that the certificate is not revoked, in the store; None: nothing does. `second`: the
    certificate of the second signature (ML-DSA-65) that was verified beside it.
    """

    organisation: str
    thumbprint: str
    role: Literal["agency", "gateway", "axis"] = "agency"
    evidence: int | None = None
    second: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish: persistent, mandatory and confirmed.

    `bcc` names further routing keys (queues) for the same single publish; a key without a queue is skipped by the
    broker without a word, so name only queues that were checked.
    """

    exchange: str
    routing_key: str
    body: bytes
    type: str
    content_type: str
    message_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    bcc: tuple[str, ...] = ()
    user_id: str | None = None
