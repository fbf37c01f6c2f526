"""The auditor as a process, as its role, on a real broker: what it heals, and that a kill costs a look."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from axis.core.watching import Cause
from tests.rig import Rig, rig, until
from tests.services import Vhost

QUEUE = "mailbox.normal.H37"


@pytest.fixture
async def axis(vhost: Vhost, database: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(vhost, database, tmp_path) as made:
        await made.connect(["G22", "H37"])
        yield made


async def _is_there(axis: Rig) -> bool:
    return (await axis.link.queue_states([QUEUE]))[QUEUE] is not None


async def _healed(axis: Rig) -> bool:
    found = await axis.store.watches.findings(open=False)
    return {(each.cause, each.healed) for each in found} == {(Cause.NOT_THERE, "auditor")}


async def test_a_lost_queue_is_made_again_and_a_killed_auditor_goes_on(axis: Rig) -> None:
    async with httpx.AsyncClient(base_url=axis.vhost.api_url, trust_env=False) as api:
        (await api.delete(f"/api/queues/{quote(axis.vhost.name, safe='')}/{QUEUE}")).raise_for_status()
    async with axis.worker("auditor", watch_seconds="0.2") as process:
        await until(lambda: _is_there(axis))
        await until(lambda: _healed(axis))
        process.kill()
        await process.died()
    before = max(each.seen_at for each in await axis.store.watches.watches())
    async with axis.worker("auditor", watch_seconds="0.2"):

        async def looked() -> bool:
            watches = await axis.store.watches.watches(["H37"])
            return len(watches) == 3 and min(each.seen_at for each in watches) > before

        await until(looked)
    assert await axis.store.watches.findings() == ()
    link = await asyncpg.connect(axis.database)
    acts = [(row["actor"], row["action"]) for row in await link.fetch("SELECT actor, action FROM audit")]
    await link.close()
    assert acts == [("auditor", "auditor.make")]
