"""Plans made while the tables are empty, as they are on the first of a month, must be right when they are full."""

import re
from collections.abc import AsyncIterator
from importlib import resources
from typing import Any

import asyncpg
import pytest

from axis.store.queries import load
from axis.store.reaching import options

GROUPS = sorted(entry.name.removesuffix(".sql") for entry in resources.files("axis.store").joinpath("sql").iterdir())
HOT = [(group, name) for group in ("accepting", "blobs", "publishing", "seen", "tracking") for name in load(group)]
HOT += [("backlog", name) for name in ("envelopes", "notices", "held")]  # every 15 seconds; the quarantine is bounded
HOT += [("evidence", "quarantined")]
# Addresses that are called are few, and so are calls: one that was answered is gone. What the heralds ask all the time
# goes by one address all the same, for one that is away for days lets its calls pile up.
HOT += [("webhooks", name) for name in load("webhooks") if name not in {"claim", "count", "prune"}]
WHOLE = re.compile(r"Seq Scan(?: on (?P<table>\w+))?|Hash Join|Merge Join|hashed SubPlan|Hash Semi")


@pytest.fixture
async def sql(database: str) -> AsyncIterator[Any]:
    link = await asyncpg.connect(database, **options("axis plans"))
    await link.execute("SET plan_cache_mode = force_generic_plan")
    yield link
    await link.close()


@pytest.mark.parametrize("group", GROUPS)
async def test_every_query_is_understood(sql: Any, group: str) -> None:
    for query in load(group).values():
        if "{" not in query:  # what is put together for each use is prepared by what uses it
            await sql.prepare(query)


@pytest.mark.parametrize(("group", "name"), HOT)
async def test_no_plan_reads_a_whole_table(sql: Any, group: str, name: str) -> None:
    plan = await _plan(sql, load(group)[name])
    assert not WHOLE.search(plan), plan


async def test_heralds_look_through_no_more_than_the_addresses(sql: Any) -> None:
    plan = await _plan(sql, load("webhooks")["claim"])
    assert {found["table"] for found in WHOLE.finditer(plan)} == {"webhook"}, plan


async def test_a_page_of_the_register_begins_where_the_last_one_ended(sql: Any) -> None:
    walk = re.compile(
        r"Index (?:Only )?Scan Backward using register_\w+ on register_\w+\n +Index Cond: .*envelope_id.* < "
    )
    for kind in (
        *("window", "newest", "delivery_window", "deliveries_newest"),
        *("waiting_window", "late_newest", "deliveries_late_newest"),
    ):
        plan = await _plan(sql, load("register")[kind])
        assert walk.search(plan), plan


async def _plan(sql: Any, query: str) -> str:
    parameters = len((await sql.prepare(query)).get_parameters())
    nothing = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    await sql.execute(f"PREPARE looked_at AS {query}")
    plan = await sql.fetch(f"EXPLAIN (COSTS OFF) EXECUTE looked_at {nothing}")
    await sql.execute("DEALLOCATE looked_at")
    return "\n".join(record[0] for record in plan)
