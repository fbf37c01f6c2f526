"""Quarantine to its end: what was refused for a cause that is mended is accepted; kill -9 loses and doubles nothing."""

import asyncio
import datetime as dt
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from axis.core.lanes import mailbox_queue
from axis.core.records import QuarantineRow
from axis.core.tracked import Quarantined
from axis.evidence import quarantined
from axis.evidence.quarantined import Examiner, requeue
from axis.store import Store
from axis.store.reaching import options
from axis.trust import enrol
from tests.builders import NOW
from tests.programs import AXIS, ran
from tests.rig import Rig, envelope_id, now, rig, until
from tests.services import Vhost, role_variables
from tests.unit.workers.harness import set_aside

TESTS = Path(__file__).parents[1]
POISON = "POISON"  # tests/poisoning.py
SOURCE = "axis.route.normal"
WHY = "đã sửa lỗi và cập nhật chứng thư"


async def command(environment: Mapping[str, str], *arguments: str, script: str | None = None) -> tuple[int, str]:
    """Run `axis` as a user does, or a program of tests/ in its place; return the exit code and what it answered."""
    program = AXIS if script is None else (script,)
    env = {**os.environ, **environment, "PYTHONPATH": str(TESTS.parent)}
    code, told, _ = await ran(*program, *arguments, env=env, stderr=None)
    return code, told.decode()


async def test_what_was_refused_for_a_cause_that_is_mended_is_accepted(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POISON_AT", "committing")
    monkeypatch.setenv("PYTHONPATH", str(TESTS.parent))
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        await axis.certify("G22", named="late", enrolled=False)
        choking = axis.submission(axis.envelope(document={"subject": POISON}))
        early = axis.submission(axis.envelope(), key="late")
        await axis.send_as("G22", choking, early)
        async with axis.worker("router", script=str(TESTS / "poisoning.py")):
            refused = {each.message_id: each.code for each in await axis.receipts("G22", 2)}
        assert refused == {choking.message_id: "message/poison", early.message_id: "certificate/unknown"}
        kept = {each.message_id: each for each in await axis.store.quarantined()}
        assert kept.keys() == refused.keys()
        # The fault is mended with the next version of the router, the certificate with its enrolment.
        await axis.store.directory.put_certificate(
            enrol(axis.pems["late"], "G22", "agency", now(), allow_demonstration=True)
        )
        ids = [each.id for each in kept.values()]
        asked = ("quarantine", "requeue", *ids, "--why", WHY, "--json")
        async with asyncio.TaskGroup() as beside:
            requeueing = beside.create_task(command(axis.environment(), *asked))  # while the router starts
            async with axis.worker("router"):
                code, told = await requeueing
                assert (code, json.loads(told)) == (0, {"requeued": 2, "stayed": {}, "untouched": []})
                await _accepted_once(axis, kept, choking.message_id)
        assert await axis.waiting(mailbox_queue("normal", "H37")) == 0
        assert len(await axis.store.track(choking.message_id)) == 1
        assert await axis.store.waiting(SOURCE, now(), 10) == []
        assert await axis.store.quarantined() == ()


async def _accepted_once(axis: Rig, kept: Mapping[str | None, Quarantined], choking: str) -> None:
    ids = [each.id for each in kept.values()]
    accepted = {each.message_id: each for each in await axis.receipts("G22", 2)}
    assert {each: receipt.outcome for each, receipt in accepted.items()} == dict.fromkeys(kept, "accepted")
    assert {envelope_id(each) for each in await axis.mail("H37", 2)} == set(kept)
    await _told_as_accepted(axis, ids)
    # Asked for again it stays out; set aside and asked for again it is receipted again, and is no second document.
    again = await requeue(axis.store, ids, now(), by="lan", why=WHY)
    assert (again.done, len(again.stayed)) == (0, 2)
    async with axis.store.transaction() as tx:
        await tx.quarantine([_as_it_came(kept[choking])])
    third = await requeue(axis.store, [kept[choking].id], now(), by="lan", why=WHY)
    assert third.done == 1
    (receipt,) = await axis.receipts("G22", 1)
    assert receipt == accepted[choking]


async def _told_as_accepted(axis: Rig, ids: list[str]) -> None:
    assert await axis.store.quarantined() == ()
    examiner = await Examiner.of(
        axis.store, now(), past=dt.timedelta(days=31), future=dt.timedelta(hours=1), hybrid=frozenset()
    )
    for each in ids:
        row = await axis.store.quarantined_one(each)
        assert row is not None
        assert not row.is_in
        (departure,) = await axis.store.quarantines.departures(each)
        assert (departure.how, departure.why) == ("requeued", WHY)
        outcome = await examiner.check(row)
        assert (outcome.code, outcome.known) == (None, True)


def _as_it_came(kept: Quarantined) -> QuarantineRow:
    return QuarantineRow(
        id=kept.id,
        received_at=now(),
        source=kept.source,
        reason=kept.reason,
        detail=kept.detail,
        account=kept.account,
        message_id=kept.message_id,
        body=kept.body,
        sha256=kept.sha256,
        headers=kept.headers,
        properties=kept.properties,
    )


@pytest.mark.parametrize(("point", "gone"), [("before commit", 2), ("after commit", 3)])
async def test_whoever_requeues_is_killed_in_the_middle_of_a_group(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, gone: int
) -> None:
    environment = {
        "AXIS_HOME": str(tmp_path),
        "AXIS_AMQP_URL": "amqp://guest:guest@127.0.0.1:1/",
        "AXIS_RABBITMQ_API_URL": "http://guest:guest@127.0.0.1:1",
        "AXIS_DATABASE_URL": database,
        **role_variables(database),
        "CRASH_AT": point,
    }
    rows = [set_aside(received_at=NOW) for _ in range(6)]
    ids = [row.id for row in rows]
    sql = await asyncpg.connect(database, **options("test"))
    try:
        async with Store.connect(database) as store:
            async with store.transaction() as tx:
                await tx.quarantine(rows)
            script = str(TESTS / "crashing_requeueing.py")
            assert (await command(environment, "quarantine", "requeue", *ids, "--why", WHY, script=script))[0] == -9
            # What its server process was at is over when that is gone.
            await until(lambda: _nobody_else(sql))
            assert await _handed(sql) == sorted(ids[:gone])
            assert {each.id for each in await store.quarantined()} == set(ids[gone:])
            # Whoever asks for the whole group again gets the rest of it.
            monkeypatch.setattr(quarantined, "EVERY", 0.0)
            rest = await requeue(store, ids, NOW, by="lan", why=WHY)
            assert (rest.done, [each for each, _ in rest.stayed]) == (6 - gone, ids[:gone])
            assert await _handed(sql) == sorted(ids)
            assert await store.quarantined() == ()
    finally:
        await sql.close()


async def _nobody_else(sql: Any) -> bool:
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'axis cli'"
    )
    return bool(await sql.fetchval(others) == 0)


async def _handed(sql: Any) -> list[str]:
    """List what left quarantine; it waits for a router, is told of and audited, each once."""
    left = await sql.fetch("SELECT id, message_id FROM quarantine WHERE left_at IS NOT NULL ORDER BY id")
    waiting = await sql.fetch("SELECT id FROM waiting ORDER BY id")
    departures = await sql.fetch("SELECT message FROM quarantine_departure ORDER BY message")
    audited = await sql.fetch("SELECT subject FROM audit WHERE action = 'quarantine.requeued' ORDER BY subject")
    ids = [str(each["id"]) for each in left]
    assert sorted(each["message_id"] for each in left) == [str(each["id"]) for each in waiting]
    assert ids == [str(each["message"]) for each in departures] == [each["subject"] for each in audited]
    return ids
