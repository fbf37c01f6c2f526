"""From what is at the broker to what has to be: the changes, in an order in which each is safe.

Things are made first and taken away after, and an account loses its rights before anything else is taken. Rules:

- A queue is never deleted: it may hold documents. One that is not wanted any more, and anything that exists with
  traits the broker cannot change, is reported as a conflict for a person to decide.
- Only what is the axis's own is taken away: exchanges and policies called axis…, bindings from or to the axis's
  exchanges and queues, and accounts that are called by an identifier code and have rights in this virtual host.
  Everything else, the operators' accounts above all, is left alone.
- An account that is not wanted is deleted, not merely stripped: deleting is what closes its open connections.
  Accounts belong to the whole broker, so there can be one axis to a broker.
- A policy of somebody else that would override the axis's is reported as a conflict: a time-to-live or a length limit
  in it would make documents vanish.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from axis.core.broker_objects import (
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
from axis.core.lanes import notices_queue
from schemas.base import CODE_PATTERN

_OWN_NAMES = re.compile(r"(axis|mailbox|notices)\.")
_OWN_POLICY = re.compile(r"axis(-.*)?")
_CODE = re.compile(CODE_PATTERN.removesuffix("$"))
_FIXED = frozenset({Exchange.kind, Queue.kind})  # the broker cannot change them once they are made
_NOTICES = notices_queue("")
_AWAY = (Permission.kind, TopicPermission.kind, UserLimit.kind, User.kind, Binding.kind, Exchange.kind, Policy.kind)


class Verb(StrEnum):
    """What is to be done about one object; `conflict` is for a person, a program does nothing about it."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do. `item`: the object as it is to be, or, for delete and conflict, as it is."""

    verb: Verb
    kind: str
    name: str
    text: str
    item: Item


def difference(wanted: Topology, actual: Topology) -> tuple[Change, ...]:
    """Compute what turns `actual` into `wanted`, in the order to do it."""
    have = {(item.kind, item.key): item for item in actual.items()}
    want = {(item.kind, item.key): item for item in wanted.items()}
    changes = [
        _toward(item, have.get(place))
        for place, item in want.items()
        if have.get(place) != item and not (isinstance(item, UserLimit) and item.value is None)
    ]
    extra = [item for place, item in have.items() if place not in want]
    kept = {item.name for item in wanted.users}
    ours = kept | {item.user for item in actual.permissions if _CODE.fullmatch(item.user)}
    away = [_away(item, kept) for item in extra if _is_own(item, ours)]
    changes.sort(key=_completes_a_mailbox)
    return (*changes, *sorted(away, key=_order), *_overridden(wanted, actual))


def _completes_a_mailbox(change: Change) -> int:
    """Put a mailbox's notices queue and its binding last.

    The router takes a mailbox for ready when its queues are there, and the broker skips a BCC key without a binding in
    silence. So the last of the queues is made when every other queue is bound, and an interrupted run leaves a mailbox
    that is held back, never one that swallows documents.
    """
    item = change.item
    if isinstance(item, Queue):
        return int(item.name.startswith(_NOTICES))
    return 2 if isinstance(item, Binding) and item.queue.startswith(_NOTICES) else 0


def applied(actual: Topology, changes: Iterable[Change]) -> Topology:
    """Return what is there after the changes; what they call a conflict stays as it is."""
    items = {(item.kind, item.key): item for item in actual.items()}
    for change in changes:
        place = (change.item.kind, change.item.key)
        if change.verb in {Verb.CREATE, Verb.UPDATE}:
            items[place] = change.item
        elif change.verb is Verb.DELETE:
            del items[place]
    return Topology.of(list(items.values()))


def _toward(item: Item, existing: Item | None) -> Change:
    name = _name(item)
    if existing is None:
        return Change(Verb.CREATE, item.kind, name, f"create {item.kind} {name}", item)
    if item.kind in _FIXED:
        text = (
            f"{item.kind} {name} is there with other traits, which the broker cannot change: {_traits(existing, item)}"
        )
        return Change(Verb.CONFLICT, item.kind, name, text, existing)
    return Change(Verb.UPDATE, item.kind, name, f"update {item.kind} {name}", item)


def _away(item: Item, kept: set[str]) -> Change:
    name = _name(item)
    if isinstance(item, Queue):
        text = f"queue {name} is not wanted any more; left alone, it may hold messages"
        return Change(Verb.CONFLICT, item.kind, name, text, item)
    if isinstance(item, TopicPermission) and item.user in kept:
        # The broker can only take away all topic permissions of an account at once, the wanted ones with them; for
        # that moment the account could write under any key. This one grants nothing: writing needs a permission too.
        text = f"topic permission {name} is not wanted; left alone, it grants nothing"
        return Change(Verb.CONFLICT, item.kind, name, text, item)
    return Change(Verb.DELETE, item.kind, name, f"delete {item.kind} {name}", item)


def _is_own(item: Item, ours: set[str]) -> bool:
    match item:
        case Exchange() | Queue():
            return _OWN_NAMES.match(item.name) is not None
        case Policy():
            return _OWN_POLICY.fullmatch(item.name) is not None
        case Binding():
            # The default exchange's bindings come and go with the queues and cannot be taken away.
            return item.exchange != "" and any(_OWN_NAMES.match(name) for name in (item.exchange, item.queue))
        case User():
            return item.name in ours
        case Permission() | TopicPermission() | UserLimit():
            return item.user in ours


def _overridden(wanted: Topology, actual: Topology) -> list[Change]:
    """Report the policies of others that would apply to the axis's queues instead of its own."""
    least = min((policy.priority for policy in wanted.policies), default=0)
    return [
        Change(Verb.CONFLICT, policy.kind, policy.name, f"policy {policy.name} may override ours on {queue}", policy)
        for policy in actual.policies
        if policy.priority >= least and policy.apply_to != "exchanges" and not _OWN_POLICY.fullmatch(policy.name)
        if (queue := _first_matched(policy.pattern, wanted)) is not None
    ]


def _first_matched(pattern: str, wanted: Topology) -> str | None:
    try:
        expression = re.compile(pattern)
    except re.error:  # fit for Erlang only; a person has to look
        return "(its pattern cannot be read here)"
    return next((queue.name for queue in wanted.queues if expression.search(queue.name)), None)


def _order(change: Change) -> int:
    return _AWAY.index(change.kind) if change.verb is Verb.DELETE else len(_AWAY)


def _name(item: Item) -> str:
    return " → ".join(part for part in item.key if part)


def _traits(existing: Item, item: Item) -> str:
    if isinstance(existing, Queue) and isinstance(item, Queue):
        wrong = {
            k for k in {*existing.arguments, *item.arguments} if existing.arguments.get(k) != item.arguments.get(k)
        }
        return ", ".join(
            f"{key} is {existing.arguments.get(key)!r}, not {item.arguments.get(key)!r}" for key in sorted(wrong)
        )
    return f"{existing!r}, not {item!r}"
