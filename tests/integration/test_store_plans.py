"""Plans made while the tables are empty, as they are on the first of a month, must be right when they are full."""

import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from axis.store.queries import load
from axis.store.reaching import options

HOT = [(group, name) for group in ("accepting", "blobs", "publishing", "tracking") for name in load(group)]
HOT += [("backlog", name) for name in ("envelopes", "notices", "held")]  # every 15 seconds; the quarantine is bounded
COLD = ("comparing", "directory", "evidence", "partners", "register", "registering", "replaying", "watching")
ALL = [
    *HOT,
    ("backlog", "quarantine"),
    *((group, name) for group in COLD for name, query in load(group).items() if "{" not in query),
]


@pytest.fixture
async def sql(database: str) -> AsyncIterator[Any]:
    link = await asyncpg.connect(database, **options("axis plans"))
    await link.execute("SET plan_cache_mode = force_generic_plan")
    yield link
    await link.close()


@pytest.mark.parametrize(("group", "name"), ALL)
async def test_every_query_is_understood(sql: Any, group: str, name: str) -> None:
    await sql.prepare(load(group)[name])


@pytest.mark.parametrize(("group", "name"), HOT)
async def test_no_plan_reads_a_whole_table(sql: Any, group: str, name: str) -> None:
    query = load(group)[name]
    parameters = len((await sql.prepare(query)).get_parameters())
    nothing = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    await sql.execute(f"PREPARE looked_at AS {query}")
    plan = "\n".join(record[0] for record in await sql.fetch(f"EXPLAIN (COSTS OFF) EXECUTE looked_at {nothing}"))
    assert not re.search(r"Seq Scan|Hash Join|Merge Join|hashed SubPlan|Hash Semi", plan), plan
