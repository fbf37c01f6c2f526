"""Overrides of working days, and since when deliveries wait, on the fake and on PostgreSQL."""

import datetime as dt

from axis.core.ids import new_id
from axis.core.partners import Incoming, Kind, Partner, Profile
from axis.core.records import Hold
from axis.core.workdays import Override
from axis.store import Store
from tests.builders import NOW
from tests.unit.store.rows import accepted

SATURDAY, MONDAY = dt.date(2026, 8, 22), dt.date(2026, 8, 31)


async def test_what_is_said_of_days(store: Store) -> None:
    assert await store.workdays.overrides() == ()
    await store.workdays.put(Override(MONDAY, working=False, why="nghỉ Quốc khánh"))
    await store.workdays.put(Override(SATURDAY, working=False, why="nhầm"))
    await store.workdays.put(Override(SATURDAY, working=True, why="làm bù"))
    assert await store.workdays.overrides() == (
        Override(SATURDAY, working=True, why="làm bù"),
        Override(MONDAY, working=False, why="nghỉ Quốc khánh"),
    )
    assert await store.workdays.remove(MONDAY)
    assert not await store.workdays.remove(MONDAY)
    assert [each.day for each in await store.workdays.overrides()] == [SATURDAY]


async def test_since_when_a_delivery_is_held_and_when_it_was_released(store: Store) -> None:
    first = accepted(["H37", "G01"])
    async with store.transaction() as tx:
        await tx.accept([first])
    await store.hold([Hold(first.envelope.id, "G01", "mailbox.normal.G01", "mailbox/not-taking", "gone")])
    held = (await store.track(first.envelope.id))[0].deliveries
    assert (held[0].held_since, held[0].released_at) == (None, None)
    assert held[1].held_since is not None
    assert held[1].released_at is None
    await store.release("mailbox.normal.G01", [first.envelope.id])
    released = (await store.track(first.envelope.id))[0].deliveries[1]
    assert released.held_since == held[1].held_since
    assert released.released_at is not None
    assert released.released_at >= held[1].held_since
    assert released.delivered_at == released.released_at


async def test_when_a_document_system_fetched_it_from_the_gateway(store: Store) -> None:
    first = accepted(["H37", "H38"])
    async with store.transaction() as tx:
        await tx.accept([first])
    package = Incoming(
        doc_id=new_id(NOW),
        system_id="00.37.W00",
        agency="H37",
        message_id=first.envelope.id,
        kind=Kind.EDOC,
        sender="G22",
        recipients=("H37",),
        document_id=first.envelope.document_id,
        subject="Về việc",
        notation="1/VPCP",
        sha256="0" * 64,
        size=1,
        created_at=NOW,
        updated_at=NOW,
    )
    await store.partners.put(Partner("00.37.W00", Profile.VXP, codes={"H37": "H37"}, added_at=NOW))
    assert await store.partners.receive(package)
    assert [each.fetched_at for each in (await store.track(first.envelope.id))[0].deliveries] == [None, None]
    for minutes in (1, 2):
        assert await store.partners.fetch(package.doc_id, NOW + dt.timedelta(minutes=minutes))
    found = (await store.track(first.envelope.id))[0].deliveries
    assert [each.fetched_at for each in found] == [NOW + dt.timedelta(minutes=1), None]
