"""Status 01 through several agencies, of which one is slow or refuses."""

import asyncio
from typing import Any, cast

from axis.client import Agency
from axis.core.partners import Incoming, Kind, Plane
from axis.errors import Refused
from axis.gateway.desk.arrivals import Arrivals
from axis.store import FakeStore
from tests.unit.client.doubles import Clock


class Reporter:
    """The part of an agency that reports."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.said: list[str] = []
        self.slow = False

    async def report(self, _: str, __: object, *, recipient: str) -> None:
        if self.slow:
            await asyncio.Event().wait()
        if recipient.endswith(".99"):
            raise Refused("status/not-recipient")
        self.said.append(recipient)


def package(agency: str, clock: Clock, *recipients: str) -> Incoming:
    told: dict[str, Any] = {"sha256": "0" * 64, "size": 1, "created_at": clock(), "updated_at": clock()}
    return Incoming(
        doc_id=f"{agency}-1",
        system_id=agency,
        agency=agency,
        message_id=f"{agency}-envelope",
        kind=Kind.EDOC,
        sender="G22",
        recipients=recipients,
        document_id="G22,2026/11/24,1/VPCP",
        subject="",
        notation="",
        state=Plane.DONE,
        **told,
    )


async def test_a_slow_agency_holds_up_no_other_and_a_refusal_no_other_recipient() -> None:
    clock = Clock()
    store = FakeStore(clock).partners
    arrivals = Arrivals(store, clock)
    slow, well = Reporter("H37"), Reporter("H53")
    slow.slow = True
    await store.receive(package("H37", clock, "H37"))
    await store.receive(package("H53", clock, "H53.99", "H53", "H53.01"))
    tasks = [asyncio.create_task(arrivals.run(cast("Agency", each))) for each in (slow, well)]
    try:
        async with asyncio.timeout(20):
            while await store.unreported(9, ["H53"]):  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.005)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert well.said == ["H53", "H53.01"]
    assert [each.agency for each in await store.unreported(9, ["H37", "H53"])] == ["H37"]
