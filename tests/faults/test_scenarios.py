"""Short versions of the scenarios that share a field: nothing lost, doubled, misordered or unexplained."""

import pytest

from axis.faults.account import Account
from axis.faults.field import Field
from axis.faults.playing import play_on
from axis.faults.scenario import Budget
from axis.faults.scenarios import SCENARIOS

# The deadlines are those of the field; this one is for a machine that has many other things to do.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(500)]


async def _play(field: Field, name: str, *, events: int, seed: int = 1) -> Account:
    found = await play_on(field, SCENARIOS[name], Budget(events=events), seed=seed)
    assert found.clean, "\n".join(found.findings)
    assert field.events.total() >= events
    assert found.sent
    assert found.deliveries
    assert found.statuses
    return found


async def test_workers_killed_and_drained(field: Field) -> None:
    await _play(field, "workers", events=4, seed=11)
    assert {"kill -9 of a router", "kill -9 of a tracker", "SIGTERM to a router"} <= field.events.keys()


async def test_the_same_thing_twice(field: Field) -> None:
    await _play(field, "duplicates", events=25)
    assert len(field.events) >= 4


async def test_a_mailbox_that_nobody_reads_and_one_that_takes_no_more(field: Field) -> None:
    await _play(field, "mailbox", events=2)
    assert len(field.events) == 2


async def test_whatever_a_message_does_to_its_worker_its_neighbours_pass(field: Field) -> None:
    await _play(field, "poison", events=3)
    assert len(field.events) == 3
    rows = await field.database.execute("SELECT reason, source FROM quarantine ORDER BY source")
    assert [(row["reason"], row["source"][:10]) for row in rows] == [
        ("message/poison", "axis.quara"),
        ("message/poison", "axis.quara"),
        ("message/poison", "axis.route"),
    ]


async def test_alarms_at_the_broker(field: Field) -> None:
    before = field.traffic.not_confirmed
    await _play(field, "alarms", events=1)
    assert field.traffic.not_confirmed > before


async def test_the_broker_killed(field: Field) -> None:
    await _play(field, "broker", events=1)
    assert "kill -9 of the broker" in field.events
