"""The management API: what is at the broker, and the changes that make it what it has to be."""

import contextlib
import datetime as dt
import ssl
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import httpx

from axis.core.topology import (
    Binding,
    Change,
    Exchange,
    Item,
    Permission,
    Policy,
    Queue,
    TopicPermission,
    Topology,
    User,
    UserLimit,
    Verb,
)
from axis.core.watching import QueueCount
from axis.errors import Misconfigured, Unavailable
from axis.tls import Credentials, told

_HASHING = "rabbit_password_hashing_sha256"
_PORTS = {"http": 15672, "https": 15671}
_DEADLINE_SECONDS = 30.0  # listing thousands of queues takes a while

Progress = Callable[[str], None]


class ManagementApi:
    """Look at and change one virtual host.

    `url`: http[s]://user:password@host:port of an administrator, with `?cafile=…&certfile=…&keyfile=…` over TLS.
    """

    def __init__(self, url: str, vhost: str) -> None:
        parts = urlsplit(url)
        self._where = f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, _PORTS['http'])}"
        self._vhost = vhost
        self._client = httpx.AsyncClient(
            base_url=f"{parts.scheme}://{self._where}/api/",
            auth=(unquote(parts.username or ""), unquote(parts.password or "")),
            timeout=_DEADLINE_SECONDS,
            verify=Credentials.of(dict(parse_qsl(parts.query))).context() if parts.scheme == "https" else True,
            trust_env=False,  # a proxy of the environment does not lead to the broker
        )

    async def __aenter__(self) -> Self:
        """Use the API for a block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the HTTP connections."""
        await self._client.aclose()

    async def actual(self) -> Topology:
        """Read what is there; an absent virtual host is an empty one. Users are all of the broker's."""
        vhost = _q(self._vhost)
        users = [_user(raw) for raw in await self._list("users")]
        if await self._get(f"vhosts/{vhost}") is None:
            return Topology.of(users)
        items: list[Item] = [*users, *await self._user_limits()]
        items += [
            Exchange(r["name"], r["type"], r["durable"]) for r in await self._list(f"exchanges/{vhost}") if r["name"]
        ]
        items += [Queue(r["name"], r["arguments"], r["durable"]) for r in await self._list(f"queues/{vhost}")]
        items += await self.bindings()
        items += [
            Policy(r["name"], r["pattern"], r["definition"], r["priority"], r["apply-to"])
            for r in await self._list(f"policies/{vhost}")
        ]
        items += [
            Permission(r["user"], r["configure"], r["write"], r["read"])
            for r in await self._list(f"vhosts/{vhost}/permissions")
        ]
        items += [
            TopicPermission(r["user"], r["exchange"], r["write"], r["read"])
            for r in await self._list(f"vhosts/{vhost}/topic-permissions")
        ]
        return Topology.of(items)

    async def apply(self, changes: Iterable[Change], progress: Progress) -> None:
        """Carry the changes out in their order, telling each; conflicts are left alone."""
        await self._request("PUT", f"vhosts/{_q(self._vhost)}", json={})
        for change in changes:
            if change.verb is Verb.CONFLICT:
                continue
            progress(change.text)
            if change.verb is Verb.DELETE:
                await self._delete(change.item)
            else:
                await self._put(change.item)

    async def remove_queue(self, name: str) -> None:
        """Remove a queue with all in it: only one of copies that the store has. It need not be there."""
        await self._request("DELETE", f"queues/{_q(self._vhost)}/{_q(name)}")

    async def queue_consumers(self, name: str) -> int:
        """Count a queue's consumers as the broker sees them; 0 when there is no such queue."""
        raw = await self._get(f"queues/{_q(self._vhost)}/{_q(name)}")
        return 0 if raw is None else len(raw.get("consumer_details") or ())

    async def queue_depths(self) -> dict[str, int]:
        """Return queue -> messages, ready and unacked together; a little behind, as statistics are."""
        return {raw["name"]: raw.get("messages", 0) for raw in await self._list(f"queues/{_q(self._vhost)}")}

    async def queue_counts(self) -> list[QueueCount]:
        """Return the numbers of every queue, from one listing; 0 where there is none yet (just made)."""
        asked = "name,messages_ready,messages_unacknowledged,consumers,message_stats"
        return [
            QueueCount(
                raw["name"],
                raw.get("messages_ready") or 0,
                raw.get("messages_unacknowledged") or 0,
                raw.get("consumers") or 0,
                _taken(raw.get("message_stats") or {}),
            )
            for raw in await self._list(f"queues/{_q(self._vhost)}?columns={asked}")
        ]

    async def bindings(self) -> list[Binding]:
        """Return what binds queues to exchanges, but for the default exchange."""
        return [
            Binding(raw["source"], raw["destination"], raw["routing_key"])
            for raw in await self._list(f"bindings/{_q(self._vhost)}")
            if raw["source"] and raw["destination_type"] == "queue"
        ]

    async def running(self) -> dt.timedelta | None:
        """Return how long the node that was started first has been running: what was confirmed since is not lost.

        None for the first seconds, while a node that runs has not told yet.
        """
        told = [node.get("uptime") for node in await self._list("nodes") if node.get("running")]
        milliseconds = [each for each in told if each]
        return dt.timedelta(milliseconds=max(milliseconds)) if milliseconds and len(milliseconds) == len(told) else None

    async def version(self) -> str:
        """Return RabbitMQ's version."""
        overview = await self._get("overview")
        return "" if overview is None else str(overview["rabbitmq_version"])

    async def alarmed(self) -> bool:
        """Say whether a node has an alarm and takes no messages; a connection is told of it only once it publishes."""
        response = await self._request("GET", "health/checks/alarms", failed_ok=True)
        return response.status_code == httpx.codes.SERVICE_UNAVAILABLE

    async def _user_limits(self) -> list[UserLimit]:
        """Read what accounts are held to; a broker that cannot (before 3.8.10) has none."""
        return [
            UserLimit(raw["user"], name, value)
            for raw in await self._list("user-limits")
            for name, value in raw["value"].items()
        ]

    async def _put(self, item: Item) -> None:
        vhost = _q(self._vhost)
        match item:
            case Exchange():
                await self._request(
                    "PUT", f"exchanges/{vhost}/{_q(item.name)}", json={"type": item.type, "durable": item.durable}
                )
            case Queue():
                body: dict[str, Any] = {"durable": item.durable, "arguments": dict(item.arguments)}
                await self._request("PUT", f"queues/{vhost}/{_q(item.name)}", json=body)
            case Binding():
                path = f"bindings/{vhost}/e/{_q(item.exchange)}/q/{_q(item.queue)}"
                await self._request("POST", path, json={"routing_key": item.routing_key})
            case Policy():
                body = {
                    "pattern": item.pattern,
                    "definition": dict(item.definition),
                    "priority": item.priority,
                    "apply-to": item.apply_to,
                }
                await self._request("PUT", f"policies/{vhost}/{_q(item.name)}", json=body)
            case User():
                body = {"password_hash": item.password_hash, "hashing_algorithm": _HASHING, "tags": ",".join(item.tags)}
                path = f"users/{_q(item.name)}"
                # Of two that make one account at once, RabbitMQ 4 refuses the second, which asked again changes it.
                if (await self._request("PUT", path, json=body, failed_ok=True)).is_error:
                    await self._request("PUT", path, json=body)
            case UserLimit():
                await self._request("PUT", f"user-limits/{_q(item.user)}/{_q(item.name)}", json={"value": item.value})
            case TopicPermission():
                body = {"exchange": item.exchange, "write": item.write, "read": item.read}
                await self._request("PUT", f"topic-permissions/{vhost}/{_q(item.user)}", json=body)
            case Permission():
                body = {"configure": item.configure, "write": item.write, "read": item.read}
                await self._request("PUT", f"permissions/{vhost}/{_q(item.user)}", json=body)

    async def _delete(self, item: Item) -> None:
        vhost = _q(self._vhost)
        match item:
            case Exchange():
                await self._request("DELETE", f"exchanges/{vhost}/{_q(item.name)}")
            case Queue():
                raise Misconfigured(f"the plan deletes the queue {item.name}; queues hold documents and are kept")
            case Binding():
                # The API names a binding by its key, or `~` when that is empty.
                path = f"bindings/{vhost}/e/{_q(item.exchange)}/q/{_q(item.queue)}/{_q(item.routing_key) or '~'}"
                await self._request("DELETE", path)
            case Policy():
                await self._request("DELETE", f"policies/{vhost}/{_q(item.name)}")
            case User():
                await self._request("DELETE", f"users/{_q(item.name)}")
            case UserLimit():
                await self._request("DELETE", f"user-limits/{_q(item.user)}/{_q(item.name)}")
            case TopicPermission():
                await self._request("DELETE", f"topic-permissions/{vhost}/{_q(item.user)}")
            case Permission():
                await self._request("DELETE", f"permissions/{vhost}/{_q(item.user)}")

    async def _list(self, path: str) -> list[Mapping[str, Any]]:
        found = await self._get(path)
        return [] if found is None else found

    async def _get(self, path: str) -> Any:
        response = await self._request("GET", path, absent_ok=True)
        return None if response.status_code == httpx.codes.NOT_FOUND else response.json()

    async def _request(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        absent_ok: bool = False,
        failed_ok: bool = False,
    ) -> httpx.Response:
        try:
            response = await self._client.request(method, path, json=json)
        except (httpx.HTTPError, ssl.SSLError) as error:  # what comes after the handshake httpx hands on as it is
            where = f"the management API at {self._where}"
            raise told(error, where) or Unavailable(f"{where} does not answer: {type(error).__name__}") from error
        if response.status_code == httpx.codes.NOT_FOUND and (absent_ok or method == "DELETE"):
            return response
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise Misconfigured(f"the management API at {self._where} refuses our account (AXIS_RABBITMQ_API_URL)")
        if response.is_error and not failed_ok:
            raise Unavailable(
                f"the management API answered {response.status_code} to {method} {path}: {_reason(response)}"
            )
        return response


def _user(raw: Mapping[str, Any]) -> User:
    tags = raw["tags"]  # text with commas up to 3.8, a list since
    names = tags.split(",") if isinstance(tags, str) else tags
    return User(raw["name"], raw["password_hash"], tuple(sorted(tag for tag in names if tag)))


def _taken(stats: Mapping[str, Any]) -> int | None:
    """Add up what left a queue for good: acked, or handed out without; None where the broker counts nothing."""
    told = [stats[name] for name in ("ack", "deliver_no_ack", "get_no_ack") if name in stats]
    return sum(told) if told else None


def _reason(response: httpx.Response) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(response.json()["reason"])[:300]
    return response.text[:300]


def _q(name: str) -> str:
    return quote(name, safe="")
