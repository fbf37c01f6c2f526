"""What an agency asks the axis about its own documents: the agency API of the gateway, page after page."""

import datetime as dt
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from axis.client.gateway import Gateway
from axis.errors import Unavailable

_WAIT_SECONDS = 25


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed for an agency; keep `seq`, and go on behind it the next time.

    `kind`: accepted, delivered, held, undeliverable, withdrawn, status, conversation or late; `code`: which status,
    reason or deadline.
    """

    seq: int
    kind: str
    envelope: str
    recipient: str | None
    code: str | None
    at: dt.datetime


async def changes(gateway: Gateway, after: int | None, *, follow: bool) -> AsyncGenerator[Change, None]:
    """Yield what changed behind a number (None: all that is kept), in order; `follow`: wait for what comes, for ever.

    Raises Refused api/cursor-pruned when what came behind the number is not kept any more, and what `Gateway` does.
    """
    cursor = None if after is None else str(after)
    while True:
        wait = _WAIT_SECONDS if follow else 0
        query = {"wait": str(wait)} | ({} if cursor is None else {"after": cursor})
        page = await gateway.ask("/v1/changes", query, patience=wait)
        for each in _listed(page, "changes"):
            yield change_of(each)
        cursor = str(_member(page, "next"))
        if not follow and not _member(page, "more"):
            return


async def documents(gateway: Gateway, query: Mapping[str, str]) -> AsyncGenerator[Mapping[str, Any], None]:
    """Yield an agency's documents that fit, the newest first, as agency.openapi.json describes them."""
    before: dict[str, str] = {}
    while True:
        page = await gateway.ask("/v1/documents", {**query, **before})
        for each in _listed(page, "documents"):
            yield each
        if (last := _member(page, "next")) is None:
            return
        before = {"before": str(last)}


def change_of(members: Mapping[str, Any]) -> Change:
    """Read a change; raise Unavailable for what is none."""
    try:
        return Change(
            seq=int(members["seq"]),
            kind=str(members["kind"]),
            envelope=str(members["envelope"]),
            recipient=members.get("recipient"),
            code=members.get("code"),
            at=dt.datetime.fromisoformat(members["at"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _strange() from error


def _listed(page: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = _member(page, name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _strange()
    return found


def _member(page: Mapping[str, Any], name: str) -> Any:
    if name not in page:
        raise _strange()
    return page[name]


def _strange() -> Unavailable:
    return Unavailable("the gateway's answer is not one of the agency API")
