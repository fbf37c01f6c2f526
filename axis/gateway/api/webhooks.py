"""Webhooks, set by the agency itself.

One is named by the SHA-256 of its address, as a blob is by that of its bytes: so a stolen token can only set, or
remove, the address that its owner set or removed within the same minute.
"""

import re
from contextlib import aclosing
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from axis.core.ids import new_id
from axis.core.registered import News
from axis.core.webhooks import LONGEST_URL, MOST_WEBHOOKS, Call, Webhook, name_of
from axis.errors import NotFound, Refused
from axis.gateway.api.agency import AgencyApi, present, told
from axis.gateway.api.asking import Query
from axis.gateway.observing import entry_of
from axis.store import Calls
from axis.web.body import read_body
from axis.web.limits import Limits

_NAME = re.compile(r"[0-9a-f]{64}")
_LONGEST_BODY = 4_096
_SHOWN = 5


class Wanted(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]
    events: Annotated[list[str], Field(max_length=len(News))] = []


class Webhooks:
    """Answer about the webhooks of whoever asks."""

    def __init__(self, api: AgencyApi, limits: Limits) -> None:
        self._api = api
        self._limits = limits

    async def page(self, request: Request) -> Response:
        """Answer with all of them, and what each is still to be told."""
        async with self._api.asked(request, "webhooks") as account:
            Query(request, ())
            found = await self._api.store.webhooks.webhooks(account)
            calls = await self._api.store.webhooks.calls([each.id for each in found], _SHOWN)
            return told({"webhooks": [_webhook(each, calls.get(each.id)) for each in found]})

    async def put(self, request: Request) -> Response:
        """Have an address called from now on, or about other events."""
        account = self._api.who(request, "webhook")
        wanted = _read(await self._body(request))
        name = self._named(request)
        if name_of(wanted.url) != name:
            raise Refused("webhook/malformed", "the name in the address is not the SHA-256 of the url")
        self._api.targets.check(wanted.url)
        async with self._api.slots.take(account):
            _, end = await self._api.store.register.feed_span()
            at = self._api.now()
            webhook = Webhook(new_id(at), account, wanted.url, tuple(wanted.events), end, at, account)
            kept = await self._api.store.webhooks.put(webhook, MOST_WEBHOOKS)
            if kept is None:
                raise Refused("webhook/too-many", f"{account} has {MOST_WEBHOOKS}")
            detail = {"url": kept.url, "events": [*kept.events]}
            await self._api.store.audit(account, "webhook.put", kept.id, detail)
        return told(_webhook(kept, None))

    async def remove(self, request: Request) -> Response:
        """Call an address no more."""
        async with self._api.asked(request, "webhook") as account:
            found = await self._found(request, account)
            await self._api.store.webhooks.remove(found.id)
            await self._api.store.audit(account, "webhook.remove", found.id, {"url": found.url})
            return Response(None, 204, {"cache-control": "no-store"})

    async def retry(self, request: Request) -> Response:
        """Have what was put aside told again, and what waits told now."""
        async with self._api.asked(request, "webhook") as account:
            found = await self._found(request, account)
            count = await self._api.store.webhooks.requeue(found.id, self._api.now())
            return told({"requeued": count})

    async def _found(self, request: Request, account: str) -> Webhook:
        Query(request, ())
        name = self._named(request)
        for each in await self._api.store.webhooks.webhooks(account):
            if each.name == name:
                return each
        raise NotFound(f"{account} has no webhook {name}", code="webhook/unknown")

    def _named(self, request: Request) -> str:
        name: str = request.path_params["name"]
        entry_of(request).subject = name[:64]
        if not _NAME.fullmatch(name):
            raise NotFound("a webhook is named by the SHA-256 of its address", code="webhook/unknown")
        return name

    async def _body(self, request: Request) -> bytes:
        read = bytearray()
        async with aclosing(read_body(request.receive, self._limits)) as pieces:
            async for piece in pieces:
                read += piece
                if len(read) > _LONGEST_BODY:
                    raise Refused("webhook/malformed", f"more than {_LONGEST_BODY} bytes")
        return bytes(read)


def _read(body: bytes) -> Wanted:
    try:
        wanted = Wanted.model_validate_json(body)
    except (ValidationError, RecursionError) as error:
        why = (
            "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:3])
            if isinstance(error, ValidationError)
            else "nested too deeply"
        )
        raise Refused("webhook/malformed", why[:300]) from error
    if strange := [each for each in wanted.events if each not in frozenset(News)]:
        raise Refused("webhook/malformed", f"{strange[0][:40]!r} is none of {', '.join(News)}")
    return wanted


def _webhook(webhook: Webhook, calls: Calls | None) -> dict[str, Any]:
    calls = calls or Calls(0, 0, ())
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.events or tuple(News),
        "after": webhook.cursor,
        "added_at": webhook.added_at,
        "added_by": "agency" if webhook.added_by == webhook.account else "operator",
        "waiting": calls.waiting,
        "dead": calls.dead,
        "calls": [_call(each) for each in calls.latest],
    }


def _call(call: Call) -> dict[str, Any]:
    return present(
        {
            "id": call.id,
            "state": call.state.value,
            "events": len(call.events),
            "attempts": call.attempts,
            "tried_at": call.tried_at,
            "due_at": call.due_at,
            "told": call.told or None,
        }
    )
