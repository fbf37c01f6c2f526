"""What leaves quarantine by hand, on the fake and on PostgreSQL."""

import asyncio
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
        "headers": {"axis-signature": "a..b", "axis-signature-pq": "p" * 4_926},
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
    assert await store.quarantines.drop([one, new_id(NOW), "no id", one], by="lan", why="rác") == {one}
    assert await store.quarantines.drop([one], by="lan", why="lần nữa") == frozenset()
    assert not await store.quarantines.requeue("no id", waiting(), by="lan", why="lạ")
    assert [each.id for each in await store.quarantined()] == [other]
    assert (await store.backlog.look()).quarantine["message/not-json"].count == 1
    kept = await store.quarantined_one(one)
    assert kept is not None
    assert (kept.is_in, kept.body, kept.properties) == (False, b"one", PROPERTIES)
    assert [(each.how, each.actor, each.why) for each in await store.quarantines.departures(one)] == [
        ("dropped", "lan", "rác")
    ]
    assert await store.quarantines.departures(other) == ()
    # The clock of who sees it again may lag.
    await put(store, b"one", at=NOW)
    assert {each.id for each in await store.quarantined()} == {one, other}
    assert await store.quarantines.drop([one], by="lan", why="lần nữa") == {one}


async def test_signatures_are_kept_whole_and_other_headers_as_far_as_they_are_short(store: Store) -> None:
    headers = {"axis-signature": "a" * 4_926, "axis-signature-pq": "é\0" + "b" * 9_000, "x": "c" * 9_000}
    row = quarantine_row(headers=headers)
    async with store.transaction() as tx:
        await tx.quarantine([row])
    kept = await store.quarantined_one(row.id)
    assert kept is not None
    assert kept.headers == {
        "axis-signature": headers["axis-signature"],
        "axis-signature-pq": "é\N{REPLACEMENT CHARACTER}" + "b" * 7_998,
        "x": "c" * 4_000,
    }


async def test_of_many_that_take_out_the_same_message_one_does(store: Store) -> None:
    (one,) = await put(store, b"one")
    handed = [waiting() for _ in range(6)]
    took = await asyncio.gather(
        *(store.quarantines.requeue(one, each, by=f"người {n}", why="cùng lúc") for n, each in enumerate(handed)),
        store.quarantines.drop([one], by="lan", why="cùng lúc"),
    )
    assert sum(map(bool, took)) == 1
    (departure,) = await store.quarantines.departures(one)
    assert departure.how == ("dropped" if took[-1] else "requeued")
    left = [each for each, did in zip(handed, took[:-1], strict=True) if did]
    assert await store.waiting("axis.route.normal", NOW, 10) == left


async def test_the_list_goes_on_among_what_was_seen_at_one_moment(store: Store) -> None:
    same = await put(store, *(f"{number}".encode() for number in range(5)))
    (later,) = await put(store, b"later", at=NOW + dt.timedelta(microseconds=1))
    (earlier,) = await put(store, b"earlier", at=NOW - dt.timedelta(microseconds=1))
    everything = [later, *sorted(same, reverse=True), earlier]
    for size in (1, 2, 3, 7):
        found = list(await store.quarantined(size))
        while page := await store.quarantined(size, before=found[-1].last_seen_at, behind=found[-1].id):
            found += page
        assert [each.id for each in found] == everything
    # Without the id only what is before that moment.
    assert [each.id for each in await store.quarantined(before=NOW)] == [earlier]
    of_another = await store.quarantined(before=NOW, behind=max(same), reason="message/poison")
    assert of_another == ()


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
