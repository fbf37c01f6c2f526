"""What leaves quarantine by hand, on the fake and on PostgreSQL."""

import datetime as dt

from axis.core.concerning import Waiting
from axis.core.ids import new_id
from axis.store import Store
from tests.builders import NOW
from tests.unit.store.rows import quarantine_row, sha256

PROPERTIES = {"routing_key": "normal.G22", "type": "document", "content_type": "application/json"}


def waiting(**changes: object) -> Waiting:
    identifier = new_id(NOW)
    given: dict[str, object] = {
        "id": identifier,
        "concerns": identifier,
        "queue": "axis.route.normal",
        "account": "G22",
        "routing_key": "normal.G22",
        "content_type": "application/json",
        "headers": {"axis-signature": "a..b"},
        "body": b"{}",
        "sha256": sha256(b"{}"),
        "received_at": NOW,
        "until": NOW,
    }
    return Waiting(**{**given, **changes})  # type: ignore[arg-type]


async def put(store: Store, *bodies: bytes, at: dt.datetime = NOW) -> list[str]:
    rows = [quarantine_row(body=body, received_at=at, properties=PROPERTIES) for body in bodies]
    async with store.transaction() as tx:
        await tx.quarantine(rows)
    return [row.id for row in rows]


async def test_what_is_dropped_is_out_and_in_again_when_it_comes_again(store: Store) -> None:
    one, other = await put(store, b"one", b"other")
    assert await store.quarantines.drop([one, new_id(NOW)], by="lan", why="rác") == 1
    assert await store.quarantines.drop([one], by="lan", why="lần nữa") == 0
    assert [each.id for each in await store.quarantined()] == [other]
    assert (await store.backlog.look()).quarantine["message/not-json"].count == 1
    kept = await store.quarantined_one(one)
    assert kept is not None
    assert (kept.is_in, kept.body, kept.properties) == (False, b"one", PROPERTIES)
    assert [(each.how, each.actor, each.why) for each in await store.quarantines.departures(one)] == [
        ("dropped", "lan", "rác")
    ]
    assert await store.quarantines.departures(other) == ()
    await put(store, b"one", at=dt.datetime.now(dt.UTC) + dt.timedelta(days=365))
    assert {each.id for each in await store.quarantined()} == {one, other}


async def test_what_is_requeued_is_handed_over_once(store: Store) -> None:
    one, other = await put(store, b"one", b"other")
    handed = waiting()
    assert await store.quarantines.requeue(one, handed, by="lan", why="đã sửa")
    assert not await store.quarantines.requeue(one, waiting(), by="lan", why="lần nữa")  # it has left
    assert not await store.quarantines.requeue(other, handed, by="lan", why="cùng mã")  # its id waits already
    assert [each.id for each in await store.quarantined()] == [other]
    assert await store.waiting("axis.route.normal", NOW, 10) == [handed]
    assert [each.how for each in await store.quarantines.departures(one)] == ["requeued"]
    assert await store.quarantines.departures(other) == ()
