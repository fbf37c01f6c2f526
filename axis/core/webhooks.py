"""Webhooks: calls to an agency's own system about what changed for it, beside its queue and never instead of it.

A webhook reads the feed of its agency with a cursor of its own. What is new goes into a call; a call is made until it
is answered with 2xx, later each time, for three days, and is then put aside until somebody has it made again. There is
one call of a webhook at a time, so what an agency is told comes in order, but for what was put aside.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from schemas.reasons import REASONS

MOST_EVENTS = 100  # in one call
MOST_WEBHOOKS = 5  # of one agency
LONGEST_URL = 500
SCHEMA = "axis.webhook/1"

_WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 360))
_PATIENCE = dt.timedelta(days=3)
_LONGEST_TOLD = 200


class CallState(StrEnum):
    """How far a call is; one that was answered is forgotten."""

    WAITING = "waiting"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changed, as the feed of the agency has it; `seq` rises."""

    seq: int
    kind: str
    envelope: str
    recipient: str | None
    code: str | None
    at: dt.datetime

    def as_json(self) -> dict[str, Any]:
        """Write it for JSON; what is not there is left out."""
        members = {
            "seq": self.seq,
            "kind": self.kind,
            "envelope": self.envelope,
            "recipient": self.recipient,
            "code": self.code,
            "at": self.at.isoformat(),
        }
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> "Event":
        """Read what `as_json` wrote."""
        return cls(
            seq=members["seq"],
            kind=members["kind"],
            envelope=members["envelope"],
            recipient=members.get("recipient"),
            code=members.get("code"),
            at=dt.datetime.fromisoformat(members["at"]),
        )


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where an agency wants to be called, about which events (none: all), from behind which number of its feed."""

    id: str
    account: str
    url: str
    events: tuple[str, ...]
    cursor: int
    added_at: dt.datetime
    added_by: str

    @property
    def name(self) -> str:
        """The SHA-256 of its address: what it is called by over HTTP."""
        return name_of(self.url)

    def wants(self, kind: str) -> bool:
        """Say whether it is to be called about such an event."""
        return not self.events or kind in self.events


@dataclass(frozen=True, slots=True)
class Call:
    """What a webhook is to be told. `missed`: before it, things were forgotten that it was never told.

    `since`: from when its three days count; `told`: how the last attempt ended, after the code where there is one.
    """

    id: str
    webhook: str
    events: tuple[Event, ...]
    missed: bool
    since: dt.datetime
    due_at: dt.datetime
    attempts: int = 0
    state: CallState = CallState.WAITING
    told: str = ""
    tried_at: dt.datetime | None = None

    @property
    def reason(self) -> str | None:
        """Return the code of the catalogue for which the axis refused to go on; None: the target failed by itself."""
        code = self.told.partition(": ")[0]
        return code if code in REASONS else None

    def failed(self, told: str, at: dt.datetime) -> "Call":
        """Return it after an attempt that was not answered with 2xx: to be made again, or put aside."""
        wait = _WAITS[min(self.attempts, len(_WAITS) - 1)]
        tried = replace(self, attempts=self.attempts + 1, told=told[:_LONGEST_TOLD], tried_at=at)
        if at + wait > self.since + _PATIENCE:
            return replace(tried, state=CallState.DEAD)
        return replace(tried, due_at=at + wait)


def name_of(url: str) -> str:
    """Return the name of a webhook at an address. By it a stolen token can only say again what it was made to say."""
    return hashlib.sha256(url.encode()).hexdigest()


def body_of(call: Call, webhook: Webhook, at: dt.datetime) -> bytes:
    """Write the body of an attempt: what is signed names the call, to whom it goes, and when."""
    members = {
        "schema": SCHEMA,
        "id": call.id,
        "account": webhook.account,
        "url": webhook.url,
        "at": at.isoformat(),
        "attempt": call.attempts + 1,
        "missed": call.missed,
        "events": [event.as_json() for event in call.events],
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def call_for(
    webhook: Webhook, found: Sequence[Event], *, missed: bool, identifier: str, at: dt.datetime
) -> Call | None:
    """Return the call about what was found behind its cursor; None: there is nothing that it wants to be told."""
    wanted = tuple(event for event in found if webhook.wants(event.kind))
    if not wanted and not missed:
        return None
    return Call(id=identifier, webhook=webhook.id, events=wanted, missed=missed, since=at, due_at=at)
