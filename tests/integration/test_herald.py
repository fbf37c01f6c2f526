"""A document, the workers as processes, and an agency's own system that is called over TLS and fails the first time."""

import asyncio
import contextlib
import json
from pathlib import Path

from axis.client import read_webhook
from axis.client.webhooks import Called
from axis.core.ids import new_id
from axis.core.webhooks import CallState, Webhook
from axis.trust import Authority
from tests.handshakes import server_side
from tests.rig import now, rig, until
from tests.services import Vhost
from tests.unit.workers.targets import answer, target


async def test_an_agencys_own_system_is_called_signed_until_it_says_yes(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    authority = Authority.create(tmp_path / "pki", now())
    server = authority.issue("server", "hook", hosts=("127.0.0.1",), now=now())
    heard: list[Called] = []
    own: list[str] = []  # our address, known when we listen

    def hear(request: bytes) -> bytes:
        """Believe what the axis signed for us, and fail once."""
        head, _, body = request.partition(b"\r\n\r\n")
        lines = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
        headers = {name.decode().lower(): value.decode() for name, _, value in lines}
        certificate = (tmp_path / "axis-key" / "certificate.pem").read_bytes()
        signature = headers["axis-signature"]
        call = read_webhook(body, signature, account="G22", url=own[0], axis_certificate=certificate, now=now())
        assert headers["axis-id"] == call.id
        assert headers["axis-timestamp"] == json.loads(body)["at"]
        heard.append(call)
        return answer(b"500 Not yet" if len(heard) == 1 else b"204 No Content")

    async with (
        rig(vhost, database, tmp_path) as axis,
        target(hear, tls=server_side(server.certificate, server.key)) as (url, targets, _),
        contextlib.AsyncExitStack() as workers,
    ):
        own.append(url)
        await axis.connect(["G22", "H37"])
        webhook = Webhook(new_id(now()), "G22", url, ("accepted",), 0, now(), "G22")
        assert await axis.store.webhooks.put(webhook, 1) == webhook
        settings = {
            "register_seconds": "0.2",
            "webhook_networks": '["127.0.0.0/8"]',
            "webhook_ports": json.dumps(targets.ports),
            "webhook_ca": str(authority.ca),
        }
        names = ("router", "registrar", "herald")
        begun = (workers.enter_async_context(axis.worker(name, **settings)) for name in names)
        _, _, herald = await asyncio.gather(*begun)
        document = axis.envelope("G22", ["H37"])
        await axis.send_as("G22", axis.submission(document))

        async def failed() -> bool:
            found = (await axis.store.webhooks.calls([webhook.id])).get(webhook.id)
            return found is not None and found.latest[0].attempts == 1

        await until(failed)
        (waiting,) = (await axis.store.webhooks.calls([webhook.id]))[webhook.id].latest
        assert (waiting.state, waiting.told, waiting.reason) == (CallState.WAITING, "it answers 500", None)
        # A minute later it would be made by itself.
        assert await axis.store.webhooks.requeue(webhook.id, now()) == 1

        async def answered() -> bool:
            return await axis.store.webhooks.calls([webhook.id]) == {}

        await until(answered)
        assert [(call.id, call.attempt, call.missed) for call in heard] == [
            (waiting.id, 1, False),
            (waiting.id, 2, False),
        ]
        assert [(change.kind, change.envelope) for change in heard[1].changes] == [("accepted", document["id"])]
        assert heard[0].changes == heard[1].changes

        async def counted() -> bool:
            outcomes = [await herald.counted("axis_webhooks_total", outcome=each) for each in ("failed", "answered")]
            return outcomes == [1, 1]

        await until(counted)
