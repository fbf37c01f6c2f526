"""The registrar as a process, killed in the middle of a batch, and two of them at once."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from axis.store import Sought, Store
from tests.rig import until
from tests.services import role_variables
from tests.unit.store.rows import accepted

DOCUMENTS = 600  # more than a batch


@contextlib.asynccontextmanager
async def registrar(database: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one as a process until the block ends; it needs no broker."""
    env = {
        **os.environ,
        "AXIS_HOME": str(folder),
        "AXIS_DATABASE_URL": database,
        **role_variables(database),
        "AXIS_AMQP_URL": "amqp://127.0.0.1:1/",  # demanded of all, and not used
        "AXIS_RABBITMQ_API_URL": "http://127.0.0.1:1",
        "AXIS_REGISTER_SECONDS": "0.2",
        "AXIS_METRICS_PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "workers", "registrar", env=env)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _accept(store: Store, count: int) -> set[str]:
    documents = sorted((accepted(["H37"]) for _ in range(count)), key=lambda each: each.envelope.id)
    async with store.transaction() as tx:
        await tx.accept(documents)
    return {each.envelope.id for each in documents}


async def test_killed_in_a_batch_and_two_at_once_register_and_tell_everything_once(
    database: str, tmp_path: Path
) -> None:
    async with Store.connect(database) as store:
        await killed_and_two(store, database, tmp_path)


async def killed_and_two(store: Store, database: str, folder: Path) -> None:
    first = await _accept(store, DOCUMENTS)
    blocker = await asyncpg.connect(database)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE feed IN SHARE MODE")  # the last that a batch writes

            async def waits() -> bool:
                asked = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'feed'::regclass AND NOT granted)"
                return bool(await blocker.fetchval(asked))

            async with registrar(database, folder) as process:
                await until(waits)
                process.kill()
                await process.wait()
            assert (await store.register.lag())[0] == DOCUMENTS
            assert await store.register.search(Sought()) == ()
    finally:
        await blocker.close()

    async def done() -> bool:
        return (await store.register.lag())[0] == 0

    async with registrar(database, folder), registrar(database, folder):
        second = await _accept(store, DOCUMENTS)
        await store.mark_published(sorted(first), [])
        await until(done)
    assert await store.register.count(Sought(), most=5_000) == 2 * DOCUMENTS
    told = await store.register.feed("G22", 0, 10_000)
    assert sorted(each.envelope_id for each in told if each.kind.value == "accepted") == sorted(first | second)
    assert sorted(each.envelope_id for each in told if each.kind.value == "delivered") == sorted(first)
    seen: dict[str, list[str]] = {}
    for each in told:
        seen.setdefault(each.envelope_id, []).append(each.kind.value)
    assert {tuple(each) for each in seen.values()} <= {("accepted", "delivered"), ("accepted",)}
    numbers = [each.seq for code in ("G22", "H37") for each in await store.register.feed(code, 0, 10_000)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
