"""Limits with real workers: one agency that floods, the others beside it, and the SDK that comes back by itself."""

import datetime as dt
import time
from collections import Counter
from pathlib import Path

import aiormq
import asyncpg
import pytest
from aiormq.exceptions import AMQPError

from axis.core.messages import Outgoing
from schemas import Quota, Receipt
from tests.builders import mailbox
from tests.rig import Process, Rig, envelope_id, hash_of, rig, until
from tests.services import Vhost

VISITS = 4
LIMIT = 30  # messages a minute: one in two seconds, so a test sees none run out that it did not wait for


async def limit(axis: Rig, code: str, **limits: int) -> None:
    await axis.store.directory.put_mailbox(mailbox(code, password_hash=hash_of(code), quota=Quota(**limits)))


async def sent_by(axis: Rig, sender: str, count: int, **changes: object) -> list[Outgoing]:
    messages = [axis.submission(axis.envelope(sender, ["H37"], **changes)) for _ in range(count)]
    await axis.send_as(sender, *messages)
    return messages


def codes(receipts: list[Receipt]) -> Counter[str | None]:
    return Counter(each.code for each in receipts)


async def _counted_together(database: str, account: str) -> None:
    """Wait until each of two routers has told the store what it let pass, and learned there what both did.

    Each comes about once a second (workers.quotas), so four visits from now on are two of each.
    """
    link = await asyncpg.connect(database)
    visits: set[dt.datetime | None] = set()

    async def enough() -> bool:
        visits.add(await link.fetchval("SELECT at FROM quota_level WHERE account = $1", account))
        return len(visits - {None}) > VISITS

    try:
        await until(enough)
    finally:
        await link.close()


async def _counted(router: Process, over: int) -> bool:
    return await router.counted("axis_messages_total", reason="limit/messages") == over


async def test_who_floods_is_refused_beyond_its_share_and_nobody_else(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H26", "H37"])
        await limit(axis, "G22", messages_per_minute=LIMIT)
        flood = await sent_by(axis, "G22", 10 * LIMIT)
        others = await sent_by(axis, "H26", 20)
        urgent = await sent_by(axis, "G22", 5, document={"priority": "express"})
        async with axis.worker("router") as router:
            receipts = await axis.receipts("G22", len(flood) + len(urgent))
            over = sum(each.code is not None for each in receipts)
            await until(lambda: _counted(router, over))
            assert codes(await axis.receipts("H26", len(others))) == {None: len(others)}
        taken = {each.message_id for each in receipts if each.code is None}
        # Its urgent ones have a share of their own. While the batches are decided, a few more may have become due.
        assert {each.message_id for each in urgent} <= taken
        assert LIMIT <= len(taken) - len(urgent) <= LIMIT + 3
        refused = [each for each in receipts if each.code is not None]
        assert codes(refused) == {"limit/messages": len(refused)}
        after = [each.retry_after or 0 for each in refused]
        # One after the other, not all at once.
        assert (after[0] <= 2, max(after) > len(after), len(set(after)) > len(after) - LIMIT) == (True, True, True)
        assert await axis.store.quarantined() == ()
        delivered = {envelope_id(each) for each in await axis.mail("H37", LIMIT + len(others))}
        assert not delivered & {each.message_id for each in refused}


async def test_several_routers_hold_one_account_to_one_limit(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        await limit(axis, "G22", messages_per_minute=LIMIT)
        async with axis.worker("router") as one, axis.worker("router") as two:
            started = time.monotonic()
            await sent_by(axis, "G22", LIMIT)
            await axis.receipts("G22", LIMIT)
            while not all([await each.counted("axis_messages_total") for each in (one, two)]):
                await sent_by(axis, "G22", 2)  # who has taken none of an account's learns nothing of the other's
                await axis.receipts("G22", 2)
            await _counted_together(axis.database, "G22")
            await sent_by(axis, "G22", 4 * LIMIT)
            receipts = await axis.receipts("G22", 4 * LIMIT)
            minutes = (time.monotonic() - started) / 60
        # What has become due meanwhile, and a few; without each other's count they would let half of LIMIT more pass.
        assert codes(receipts)[None] <= LIMIT * minutes + 4


async def test_a_limit_is_heeded_and_lifted_without_a_restart(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with axis.worker("router") as router:

            async def said(event: str, times: int) -> None:
                await until(lambda: len([each for each in router.events() if each["event"] == event]) >= times)

            await said("directory read", 1)  # from then on it hears of every change
            await limit(axis, "G22", messages_per_minute=1)
            await said("directory changed", 1)
            await sent_by(axis, "G22", 3)
            assert codes(await axis.receipts("G22", 3)) == {None: 1, "limit/messages": 2}
            await limit(axis, "G22")
            await said("directory changed", 2)
            await sent_by(axis, "G22", 3)
            assert codes(await axis.receipts("G22", 3)) == {None: 3}


async def test_statuses_are_held_to_the_limit_as_well(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        await limit(axis, "H37", messages_per_minute=2)
        (document,) = await sent_by(axis, "G22", 1)
        async with axis.worker("router"), axis.worker("tracker"):
            await axis.notices("G22", 1)
            await axis.send_as("H37", *(axis.status("H37", document.message_id, "03") for _ in range(5)))
            assert len(await axis.notices("G22", 2)) == 2
            assert codes(await axis.receipts("H37", 3)) == {"limit/messages": 3}


async def test_messages_that_prove_no_account_share_one_limit(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        hidden = [axis.submission(axis.envelope(), user_id=None) for _ in range(4)]
        async with axis.worker("router", quota='{"messages_per_minute": 1}') as router:
            await axis.send_as("G22", *hidden)
            await until(lambda: len([e for e in router.events() if e["event"] == "refused"]) == 4)
        # Nobody can be told, so the bytes are kept.
        reasons = Counter(each.reason for each in await axis.store.quarantined())
        assert reasons == {"abuse/account": 1, "limit/messages": 3}


async def test_connections_and_channels_are_limited_by_the_broker(
    own_vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(own_vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])

        async def apply(**limits: int) -> None:
            await limit(axis, "H37", **limits)
            await axis.apply_topology()
            await axis.apply_topology()  # and then it agrees

        await apply(connections=2, channels=3)
        first, second = [await aiormq.connect(axis.url_of("H37")) for _ in range(2)]
        with pytest.raises((AMQPError, ConnectionError)):
            await aiormq.connect(axis.url_of("H37"))
        for connection in (first, second, first):
            await connection.channel()
        with pytest.raises((AMQPError, ConnectionError)):
            await second.channel()
        async with aiormq.connect(axis.url_of("G22")):
            await apply(connections=5)
        await first.close()
        async with aiormq.connect(axis.url_of("H37")) as one, aiormq.connect(axis.url_of("H37")) as other:
            for connection in (one, other):
                for _ in range(4):
                    await connection.channel()
        await apply()
