"""Believing a call of a webhook: for whoever receives one."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from axis.client.asking import Change, change_of
from axis.client.certificates import pinned
from axis.core.webhooks import SCHEMA
from axis.errors import Refused, Unavailable
from axis.trust import Keyring

_FRESH = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Called:
    """A call of the axis. One whose answer was lost comes again under the same `id`.

    `missed`: before it, things were forgotten that were never told.
    """

    id: str
    attempt: int
    missed: bool
    changes: tuple[Change, ...]


def read_webhook(
    body: bytes, signature: str | None, *, account: str, url: str, axis_certificate: bytes, now: dt.datetime
) -> Called:
    """Return what a call says, after its signature (header `axis-signature`) was verified.

    `axis_certificate` (PEM) is the one in the profile. Raises Refused: signature/… and certificate/… where the axis did
    not sign these bytes, webhook/malformed where they are no call to us at this address, or an old one.
    """
    Keyring(pinned(axis_certificate)).verify(body, signature, now)
    try:
        members: Mapping[str, Any] = json.loads(body)
        meant = (members["schema"], members["account"], members["url"]) == (SCHEMA, account, url)
        at = dt.datetime.fromisoformat(members["at"])
        if meant and abs(now - at) <= _FRESH:
            changes = tuple(change_of(each) for each in members["events"])
            return Called(str(members["id"]), int(members["attempt"]), bool(members["missed"]), changes)
    except (KeyError, TypeError, ValueError, RecursionError, Unavailable) as error:
        raise Refused("webhook/malformed", f"no call of a webhook: {error!r}"[:200]) from error
    raise Refused("webhook/malformed", f"not a call to {account} at {url}, or one of {members['at']}")
