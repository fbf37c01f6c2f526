"""A gateway in this process with four agencies and a document between them."""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from axis.blobs import Blobs
from axis.core.ids import new_id
from axis.gateway import Enrolled, Limits, create_app
from axis.gateway.api import AgencyApi
from axis.outside import Destinations
from axis.store import FakeStore
from axis.trust import SigningKey, issue_token
from tests.builders import NOW, mailbox, organisation, organisations
from tests.unit.gateway.harness import Store as Blobless
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted, delivery_row, status_row
from tests.unit.trust.certified import certified

CODES = ("G22", "H37", "H37.05", "K99", "Z01")
# H37.20 has no mailbox of its own: what is for it comes to H37. H37.05 has one.
RECIPIENTS = (("H37", "H37"), ("H37.20", "H37"), ("H37.05", "H37.05"), ("K99", "K99"))


class Office:
    """Who can be asked as; `at` is the gateway's clock."""

    def __init__(
        self, client: httpx.AsyncClient, store: FakeStore, keys: dict[str, SigningKey], api: AgencyApi, app: ASGIApp
    ) -> None:
        self.client, self.store, self.keys, self.api, self.app = client, store, keys, api, app

    async def ask(
        self, code: str, path: str, method: str = "GET", *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        token = issue_token(self.keys[key or code], code=code, method=method, path=path.partition("?")[0], now=NOW)
        headers = {"authorization": f"Bearer {token}"} | more.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **more)

    async def leave(self, code: str, path: str) -> None:
        """Ask, and go away before there is an answer; return when the gateway is done with it."""
        address, _, query = path.partition("?")
        token = issue_token(self.keys[code], code=code, method="GET", path=address, now=NOW)
        told: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return told.pop() if told else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            raise AssertionError(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": address,
            "raw_path": address.encode(),
            "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {token}".encode())],
            "state": {},
        }
        await self.app(scope, receive, send)

    async def got(self, code: str, path: str) -> Any:
        answer = await self.ask(code, path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(self, at: dt.datetime = NOW, **changes: Any) -> str:
        """Have G22 send a document to all of RECIPIENTS; return its id."""
        identifier = new_id(at)
        deliveries = [delivery_row(identifier, code, mailbox=box, resolved=box) for code, box in RECIPIENTS]
        async with self.store.transaction() as tx:
            await tx.accept([accepted(id=identifier, deliveries=changes.pop("deliveries", deliveries), **changes)])
        await self.store.mark_published([identifier], [])
        await keep(self.store)
        return identifier

    async def report(self, envelope: str, recipient: str, code: str = "01", reason: str | None = None) -> None:
        row = status_row(envelope, reporter=recipient, recipients=(recipient,), code=code, reason=reason)
        async with self.store.transaction() as tx:
            await tx.statuses([row], {(envelope, recipient): (code, NOW)})
        await keep(self.store)


@contextlib.asynccontextmanager
async def office(tmp_path: Path, targets: Destinations | None = None) -> AsyncIterator[Office]:
    made = {code: certified("ed25519", code) for code in CODES}
    enrolled = Enrolled(
        [record for _, record, _ in made.values()],
        [*organisations(["G22", "H37", "H37.05", "H37.20", "K99"]), organisation("H22", valid_to=NOW, successor="H37")],
        [mailbox(code) for code in ("G22", "H37", "H37.05", "K99")],
    )
    store = FakeStore(lambda: NOW)
    api = AgencyApi(store, enrolled, lambda: NOW, targets or Destinations())
    app = create_app(
        blobs=Blobs.open(tmp_path.as_uri()),
        store=Blobless(),
        enrolled=enrolled,
        now=lambda: NOW,
        limits=Limits(),
        api=api,
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", trust_env=False) as client:
        yield Office(client, store, {code: key for code, (key, _, _) in made.items()}, api, app)
