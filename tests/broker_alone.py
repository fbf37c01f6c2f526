"""What an agency's account may try at the broker, and the broker's answer; docs/four-facts.md shows it.

H37 is the one that tries, H26 another one. The answers are AMQP's and HTTP's codes, `taken` where the broker does it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiormq.abc import AbstractChannel
from pamqp.commands import Basic
from pamqp.common import Arguments

TAKEN = "taken"
Do = Callable[[AbstractChannel], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something tried on a channel. `then`: what comes of it where the broker takes it."""

    name: str
    do: Do
    answers: tuple[str, ...] = ("403",)
    then: str = ""
    confirms: bool = True


@dataclass(frozen=True, slots=True)
class Login:
    """A connection tried; `vhost` None is the agency's own."""

    name: str
    user: str
    password: str
    vhost: str | None
    answers: tuple[str, ...]
    then: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A call of the management API with the agency's name and password; `{v}` is its virtual host."""

    name: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    answers: tuple[str, ...] = ("401",)
    then: str = ""


def _get(queue: str) -> Do:
    return lambda channel: channel.basic_get(queue, no_ack=True)


def _consume(queue: str, *, no_ack: bool = False, exclusive: bool = False) -> Do:
    async def ignore(_: object) -> None:
        """Leave what comes unacked: it goes back with the channel."""

    return lambda channel: channel.basic_consume(queue, ignore, no_ack=no_ack, exclusive=exclusive)


def _declare(queue: str, arguments: Arguments | None = None, *, passive: bool = False) -> Do:
    return lambda channel: channel.queue_declare(queue, passive=passive, durable=True, arguments=arguments)


def _declare_exchange(name: str, arguments: Arguments | None = None, *, passive: bool = False) -> Do:
    return lambda channel: channel.exchange_declare(
        name, exchange_type="topic", passive=passive, durable=True, arguments=arguments
    )


def _publish(exchange: str, key: str, **properties: Any) -> Do:
    return lambda channel: channel.basic_publish(
        b"{}", exchange=exchange, routing_key=key, properties=Basic.Properties(**properties)
    )


def _purge(queue: str) -> Do:
    return lambda channel: channel.queue_purge(queue)


def _delete(queue: str) -> Do:
    return lambda channel: channel.queue_delete(queue)


def _in_a_transaction(key: str) -> Do:
    async def do(channel: AbstractChannel) -> None:
        await channel.tx_select()
        await channel.basic_publish(b"{}", exchange="axis.submit", routing_key=key)
        await channel.tx_commit()

    return do


def _at_once(channel: AbstractChannel) -> Awaitable[object]:
    return channel.basic_publish(b"{}", exchange="axis.submit", routing_key="normal.H37", immediate=True)


_OTHERS = ("mailbox.normal.H26", "mailbox.urgent.H26", "notices.H26")
_AXIS = ("axis.route.normal", "axis.route.urgent", "axis.track", "axis.quarantine", "axis.retry.5")
_ROUTER = "the router refuses it"
_EITHER = (TAKEN, "403")  # RabbitMQ 3.10; since 4.0.4

ATTEMPTS = [
    # Reading
    *(Attempt(f"get from {queue}", _get(queue)) for queue in (*_OTHERS, *_AXIS)),
    *(Attempt(f"consume {queue}", _consume(queue)) for queue in (*_OTHERS, *_AXIS)),
    *(Attempt(f"purge {queue}", _purge(queue)) for queue in (*_OTHERS, *_AXIS)),
    Attempt("get from its own mailbox", _get("mailbox.normal.H37"), (TAKEN,), "this is how it receives"),
    Attempt(
        "consume its own mailbox exclusively",
        _consume("mailbox.normal.H37", exclusive=True),
        (TAKEN,),
        "shuts out its own programs, nobody else's",
    ),
    Attempt(
        "purge its own mailbox",
        _purge("mailbox.normal.H37"),
        (TAKEN,),
        "its own documents; no status 01 comes for them, and `axis audit` puts them back",
    ),
    Attempt(
        "consume amq.rabbitmq.reply-to",
        _consume("amq.rabbitmq.reply-to", no_ack=True),
        (TAKEN,),
        "nobody answers there: no account of an agency may publish to the default exchange",
    ),
    # Looking
    *(
        Attempt(
            f"look at {queue} (passive declare)",
            _declare(queue, passive=True),
            (TAKEN,),
            "**known leak**: how many messages wait there and how many consumers it has, never what they say",
        )
        for queue in ("mailbox.normal.H26", "axis.route.normal")
    ),
    Attempt("look at mailbox.normal.H99 (passive declare)", _declare("mailbox.normal.H99", passive=True), ("404",)),
    Attempt(
        "look at axis.deliver (passive declare)",
        _declare_exchange("axis.deliver", passive=True),
        (TAKEN,),
        "tells that it exists",
    ),
    # Making and taking away
    Attempt("declare a queue", _declare("mine")),
    Attempt("declare a queue the broker names", _declare("")),
    Attempt("declare its own mailbox as it is", _declare("mailbox.normal.H37", {"x-queue-type": "quorum"})),
    Attempt("declare a mailbox that is not there", _declare("mailbox.normal.H99", {"x-queue-type": "quorum"})),
    Attempt("declare a queue that expires (x-expires)", _declare("mine", {"x-expires": 1000})),
    Attempt("declare a stream", _declare("mine", {"x-queue-type": "stream"})),
    Attempt(
        "declare a queue that dead-letters into axis.deliver",
        _declare(
            "mine",
            {
                "x-message-ttl": 0,
                "x-dead-letter-exchange": "axis.deliver",
                "x-dead-letter-routing-key": "mailbox.normal.H26",
            },
        ),
    ),
    *(Attempt(f"delete {queue}", _delete(queue)) for queue in (*_OTHERS, *_AXIS)),
    Attempt("delete its own mailbox", _delete("mailbox.normal.H37")),
    Attempt("declare an exchange", _declare_exchange("mine")),
    Attempt(
        "declare an exchange with an alternate one", _declare_exchange("mine", {"alternate-exchange": "axis.deliver"})
    ),
    Attempt("delete axis.submit", lambda channel: channel.exchange_delete("axis.submit")),
    # Binding
    Attempt(
        "bind its own mailbox to axis.submit",
        lambda channel: channel.queue_bind("mailbox.normal.H37", "axis.submit", "normal.#"),
    ),
    Attempt(
        "bind its own mailbox to what H26 gets",
        lambda channel: channel.queue_bind("mailbox.normal.H37", "axis.deliver", "mailbox.normal.H26"),
    ),
    Attempt(
        "bind its own notices to amq.rabbitmq.trace",
        lambda channel: channel.queue_bind("notices.H37", "amq.rabbitmq.trace", "#"),
    ),
    Attempt(
        "unbind another's mailbox",
        lambda channel: channel.queue_unbind("mailbox.normal.H26", "axis.deliver", "mailbox.normal.H26"),
    ),
    Attempt(
        "unbind axis.route.normal",
        lambda channel: channel.queue_unbind("axis.route.normal", "axis.submit", "normal.#"),
    ),
    Attempt(
        "bind axis.deliver to axis.submit",
        lambda channel: channel.exchange_bind(destination="axis.deliver", source="axis.submit", routing_key="#"),
    ),
    # Publishing where it may not
    *(
        Attempt(f"publish to {exchange or 'the default exchange'} for {queue}", _publish(exchange, queue))
        for exchange in ("axis.deliver", "")
        for queue in ("mailbox.normal.H26", "mailbox.normal.H37", "notices.H26", "axis.route.normal", "axis.quarantine")
    ),
    *(
        Attempt(f"publish to {exchange}", _publish(exchange, "mailbox.normal.H26"))
        for exchange in ("axis.retry.5", "amq.topic", "amq.direct", "amq.fanout", "amq.match", "amq.rabbitmq.trace")
    ),
    *(
        Attempt(f"publish to axis.submit under “{key}”", _publish("axis.submit", key))
        for key in (
            "normal.H26",
            "urgent.H26",
            "normal.H3",
            "normal.H370",
            "normal.H37X05",
            "other.H37",
            "H37",
            "#",
            "",
        )
    ),
    *(Attempt(f"publish to axis.status under “{key}”", _publish("axis.status", key)) for key in ("H26", "H3", "")),
    # Publishing where it may, but not so
    Attempt("publish with user_id H26", _publish("axis.submit", "normal.H37", user_id="H26"), ("406",)),
    Attempt("publish with a bad expiration", _publish("axis.submit", "normal.H37", expiration="soon"), ("406",)),
    Attempt("publish with the flag immediate", _at_once, ("540",)),
    Attempt("publish another's key in a transaction", _in_a_transaction("normal.H26"), confirms=False),
    Attempt(
        "publish its own key in a transaction",
        _in_a_transaction("normal.H37"),
        (TAKEN,),
        "like any other message",
        confirms=False,
    ),
    *(
        Attempt(
            f"publish with {header} to another's key",
            _publish("axis.submit", "normal.H37", headers={header: ["normal.H26"]}),
            _EITHER,
            f"{_ROUTER}: `abuse/routing-headers`",
        )
        for header in ("CC", "BCC")
    ),
    Attempt(
        "publish under a key of 255 bytes",
        _publish("axis.submit", "normal.H37." + "X" * 244),
        (TAKEN,),
        f"{_ROUTER}: `abuse/routing-key`",
    ),
    Attempt(
        "publish under its own key with a line feed",
        _publish("axis.submit", "normal.H37\n"),
        (TAKEN,),
        f"{_ROUTER}: `abuse/routing-key`",
    ),
    Attempt(
        "publish with an expiration",
        _publish("axis.submit", "normal.H37", expiration="600000"),
        (TAKEN,),
        "where it waits longer it ends in the quarantine: `message/dead-lettered`",
    ),
    Attempt(
        "publish with priority 9",
        _publish("axis.submit", "normal.H37", priority=9),
        (TAKEN,),
        "quorum queues of 3.x ignore it; those of 4.x hand out two of priority 5 and above for one below",
    ),
    Attempt(
        "publish as not persistent",
        _publish("axis.submit", "normal.H37", delivery_mode=1),
        (TAKEN,),
        "a quorum queue keeps it all the same",
    ),
]

CONNECTING = [
    Login("its own account, its own virtual host", "H37", "secret-H37", None, (TAKEN,)),
    Login("with another's password", "H37", "secret-H26", None, ("403",)),
    Login("with an account that is not there", "H99", "secret-H99", None, ("403",)),
    Login("to the virtual host /", "H37", "secret-H37", "%2F", ("530",)),
    Login("to a virtual host that is not there", "H37", "secret-H37", "nowhere", ("530",)),
]

MANAGEMENT = [
    *(
        Request(f"read {path}", "GET", path)
        for path in (
            "overview",
            "whoami",
            "nodes",
            "vhosts",
            "users",
            "connections",
            "channels",
            "consumers",
            "definitions",
            "permissions",
            "policies",
            "parameters",
            "queues/{v}",
            "queues/{v}/mailbox.normal.H37",
            "exchanges/{v}",
            "bindings/{v}",
            "user-limits",
        )
    ),
    # 404 where the plugin is not enabled.
    *(Request(f"read {path}", "GET", path, answers=("401", "404")) for path in ("shovels", "federation-links")),
    Request(
        "read another's mailbox",
        "POST",
        "queues/{v}/mailbox.normal.H26/get",
        {"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"},
    ),
    Request("purge another's mailbox", "DELETE", "queues/{v}/mailbox.normal.H26/contents"),
    Request("delete another's mailbox", "DELETE", "queues/{v}/mailbox.normal.H26"),
    Request("make a queue", "PUT", "queues/{v}/mine", {"durable": True}),
    Request(
        "publish to axis.deliver",
        "POST",
        "exchanges/{v}/axis.deliver/publish",
        {"properties": {}, "routing_key": "mailbox.normal.H26", "payload": "{}", "payload_encoding": "string"},
    ),
    Request(
        "set a policy (expires) on the axis's queues",
        "PUT",
        "policies/{v}/x",
        {"pattern": ".*", "definition": {"expires": 1000}, "priority": 999},
    ),
    Request(
        "set up a shovel",
        "PUT",
        "parameters/shovel/{v}/x",
        {"value": {"src-uri": "amqp://", "src-queue": "mailbox.normal.H26", "dest-uri": "amqp://", "dest-queue": "x"}},
    ),
    Request(
        "set up federation",
        "PUT",
        "parameters/federation-upstream/{v}/x",
        {"value": {"uri": "amqp://h26@127.0.0.1"}},
    ),
    Request("set a global parameter", "PUT", "global-parameters/x", {"value": {}}),
    Request("give itself a tag", "PUT", "users/H37", {"password": "secret-H37", "tags": "administrator"}),
    Request("give itself rights", "PUT", "permissions/{v}/H37", {"configure": ".*", "write": ".*", "read": ".*"}),
    Request("take away its own topic permissions", "DELETE", "topic-permissions/{v}/H37"),
    Request("lift its own limits", "DELETE", "user-limits/H37/max-connections"),
    Request("make a virtual host", "PUT", "vhosts/mine", {}),
    Request("close all connections of an account", "DELETE", "connections/username/H26"),
    Request("import definitions", "POST", "definitions", {"users": []}),
]
