"""What an operator or a failover may do to a database in use: all waits, nothing is a fault of the data."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from axis.errors import Unavailable
from axis.store import Store, migrate
from axis.store import reaching as reaching_module
from axis.store.hosts import split
from axis.store.migrating import Migration, packaged
from tests.rig import until
from tests.unit.store.rows import accepted


@pytest.fixture
async def sql(database: str) -> AsyncIterator[Any]:
    link = await asyncpg.connect(database)
    yield link
    await link.close()


async def accept_one(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.accept([accepted()])


@pytest.mark.parametrize(
    ("breaks", "mends"),
    [
        ("ALTER TABLE notice RENAME TO away", "ALTER TABLE away RENAME TO notice"),
        ("ALTER TABLE envelope RENAME subject TO away", "ALTER TABLE envelope RENAME away TO subject"),
        ("ALTER SCHEMA public RENAME TO away", "ALTER SCHEMA away RENAME TO public"),
    ],
    ids=["table", "column", "schema"],
)
async def test_a_schema_that_is_not_there_yet_is_waited_for(database: str, sql: Any, breaks: str, mends: str) -> None:
    async with Store.connect(database) as store:
        await accept_one(store)
        await sql.execute(breaks)
        with pytest.raises(Unavailable, match="not as this program needs it"):
            await accept_one(store)
        await sql.execute(mends)
        await accept_one(store)


async def test_a_permission_that_was_forgotten_is_waited_for(database: str, sql: Any) -> None:
    role = f"r_{database.rpartition('/')[2]}"
    await sql.execute(f'CREATE ROLE "{role}"')
    await sql.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}"')
    try:
        async with Store.connect(f"{database}?options=-c%20role%3D{role}") as store:
            with pytest.raises(Unavailable, match="permission denied"):
                await accept_one(store)
            await sql.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}"')
            await accept_one(store)
    finally:
        await sql.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')


async def test_a_broken_migration_is_no_absence(database: str) -> None:
    broken = Migration(9_999, "9999_broken", "ALTER TABLE no_such_table ADD COLUMN x integer;")
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(database, migrations=[*packaged(), broken])


async def test_a_server_that_became_read_only_is_left_for_the_other(database: str, sql: Any) -> None:
    name = database.rpartition("/")[2]
    host = urlsplit(database).hostname
    several = database.replace(f"@{host}:", f"@{host}:1,{host}:")
    assert len(split(several)) == 2
    async with Store.connect(several) as store:
        await accept_one(store)
        await sql.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        # It holds for sessions that begin from now on.
        await sql.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )
        with pytest.raises(Unavailable):
            await accept_one(store)
        with pytest.raises(Unavailable, match="read-write"):
            await accept_one(store)
        await sql.execute("SET default_transaction_read_only = off")
        await sql.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        await accept_one(store)


async def test_connections_to_a_read_only_server_are_not_kept(database: str, sql: Any) -> None:
    name = database.rpartition("/")[2]
    await sql.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    async with Store.connect(database, connections=1) as store:
        with pytest.raises(Unavailable, match="read-only"):
            await accept_one(store)
        await sql.execute("SET default_transaction_read_only = off")
        await sql.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        await accept_one(store)


async def test_a_commit_that_waits_for_a_standby_is_never_taken_back(
    database: str, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = database.rpartition("/")[2]
    one = accepted()
    async with Store.connect(database, name=f"axis {name}") as store:
        # A lock of the deferred trigger's makes COMMIT wait, as a standby does that does not answer.
        await sql.execute("CREATE TABLE gate (id integer)")
        await sql.execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM count(*) FROM gate; RETURN NULL; END'"
        )
        await sql.execute(
            "CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON envelope DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        monkeypatch.setattr(reaching_module, "COMMAND_SECONDS", 0.5)
        async with sql.transaction():
            await sql.execute("LOCK TABLE gate IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Unavailable, match="commit"):
                async with store.transaction() as tx:
                    await tx.accept([one])
            assert await store.track(one.envelope.id) == ()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND query = 'COMMIT'"
            assert await sql.fetchval(waiting, f"axis {name}") == 1
        await until(lambda: store.track(one.envelope.id))
