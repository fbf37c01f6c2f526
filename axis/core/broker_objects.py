"""What there can be at the broker, as plain values: compared, planned and shown, never connected.

Each object has a `kind` and a `key`; two objects with the same kind and key are the same thing in the broker's eyes,
and differ only in what can be changed (or not) about it. All of them belong to one virtual host except users and their
limits, which the broker shares between all of its virtual hosts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar, Self

Key = tuple[str, ...]
Argument = str | int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange; `type`: topic, direct, fanout, headers, or what a plugin brings."""

    kind: ClassVar[str] = "exchange"
    name: str
    type: str
    durable: bool = True

    @property
    def key(self) -> Key:
        """What the broker tells it apart by."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue; its arguments, `x-queue-type` among them, are fixed when it is made."""

    kind: ClassVar[str] = "queue"
    name: str
    arguments: Mapping[str, Argument]
    durable: bool = True

    @property
    def key(self) -> Key:
        """What the broker tells it apart by."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Binding:
    """Messages of `exchange` under `routing_key` (a pattern for topic exchanges) go into `queue`."""

    kind: ClassVar[str] = "binding"
    exchange: str
    queue: str
    routing_key: str

    @property
    def key(self) -> Key:
        """What the broker tells it apart by."""
        return (self.exchange, self.queue, self.routing_key)


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits laid over all objects whose name matches `pattern`; of several, only the highest priority applies."""

    kind: ClassVar[str] = "policy"
    name: str
    pattern: str
    definition: Mapping[str, Argument]
    priority: int
    apply_to: str = "queues"

    @property
    def key(self) -> Key:
        """What the broker tells it apart by."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class User:
    """A broker account. `password_hash`: RabbitMQ's salted SHA-256 form (rabbit_password_hashing_sha256), base64."""

    kind: ClassVar[str] = "user"
    name: str
    password_hash: str = field(repr=False)
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """What the broker tells it apart by."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Permission:
    """Which exchanges and queues an account may make, write to and read from; regular expressions on their names."""

    kind: ClassVar[str] = "permission"
    user: str
    configure: str
    write: str
    read: str

    @property
    def key(self) -> Key:
        """What the broker tells it apart by."""
        return (self.user,)


@dataclass(frozen=True, slots=True)
class TopicPermission:
    """Under which routing keys an account may write to (read from) one topic exchange; without one, under all."""

    kind: ClassVar[str] = "topic permission"
    user: str
    exchange: str
    write: str
    read: str

    @property
    def key(self) -> Key:
        """What the broker tells it apart by."""
        return (self.user, self.exchange)


@dataclass(frozen=True, slots=True)
class UserLimit:
    """How much of something an account may have open at once; `name`: max-connections or max-channels.

    `value` is None in what is wanted where nobody here knows: whatever the broker has is left then.
    """

    kind: ClassVar[str] = "user limit"
    user: str
    name: str
    value: int | None

    @property
    def key(self) -> Key:
        """What the broker tells it apart by."""
        return (self.user, self.name)


Item = Exchange | Queue | Binding | Policy | User | UserLimit | Permission | TopicPermission


@dataclass(frozen=True, slots=True)
class Topology:
    """All objects of one virtual host that matter, in the order in which they can be made.

    Policies come before queues, so that no queue is there for a moment without its limits; limits of accounts and
    topic permissions come before permissions, because an account that may write to an exchange and has no topic
    permission yet may write under every key.
    """

    policies: tuple[Policy, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = ()
    bindings: tuple[Binding, ...] = ()
    users: tuple[User, ...] = ()
    user_limits: tuple[UserLimit, ...] = ()
    topic_permissions: tuple[TopicPermission, ...] = ()
    permissions: tuple[Permission, ...] = ()

    def items(self) -> Iterator[Item]:
        """Go through all objects in the order in which they can be made."""
        for part in fields(self):
            yield from getattr(self, part.name)

    @classmethod
    def of(cls, items: Iterable[Item]) -> Self:
        """Sort objects of all kinds into a topology."""
        known = tuple(items)
        return cls(
            policies=tuple(item for item in known if isinstance(item, Policy)),
            exchanges=tuple(item for item in known if isinstance(item, Exchange)),
            queues=tuple(item for item in known if isinstance(item, Queue)),
            bindings=tuple(item for item in known if isinstance(item, Binding)),
            users=tuple(item for item in known if isinstance(item, User)),
            user_limits=tuple(item for item in known if isinstance(item, UserLimit)),
            topic_permissions=tuple(item for item in known if isinstance(item, TopicPermission)),
            permissions=tuple(item for item in known if isinstance(item, Permission)),
        )
