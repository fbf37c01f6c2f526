"""The auditor on a store and a broker in memory: what it notes, says, compares and heals."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence

import pytest

from axis.core.broker_objects import Binding
from axis.core.lanes import LANES, mailbox_queue, notices_queue
from axis.core.topology import Change, places
from axis.core.watching import Cause, Finding, MailboxWatch, QueueCount
from axis.errors import Misconfigured, Unavailable
from axis.store import FakeStore
from schemas.wire import TRACK_QUEUE
from tests.builders import NOW, mailbox
from tests.unit.store.rows import accepted
from tests.unit.workers.harness import axis_of
from workers.auditor import Auditor
from workers.metrics import Metrics
from workers.runtime import Log

MINUTE = dt.timedelta(minutes=1)
PATIENCE = 15 * MINUTE
QUEUE = "mailbox.normal.H37"


class Broker:
    """Queues as numbers; `away` and `refuses` are what may go wrong with the management API."""

    def __init__(self, *codes: str) -> None:
        topology = places(codes)
        self.counts = {queue.name: QueueCount(queue.name, 0, 0, 0, 0) for queue in topology.queues}
        self.bound = {binding.key: binding for binding in topology.bindings}
        self.away = False
        self.refuses = False
        self.made: list[str] = []
        self.listings = 0

    async def queue_counts(self) -> list[QueueCount]:
        if self.away:
            raise Unavailable("the management API does not answer")
        return list(self.counts.values())

    async def bindings(self) -> list[Binding]:
        self.listings += 1
        return list(self.bound.values())

    async def apply(self, changes: Sequence[Change], progress: Callable[[str], None]) -> None:
        if self.refuses:
            raise Misconfigured("the management API refuses our account")
        for change in changes:
            self.made.append(change.name)
            if isinstance(change.item, Binding):
                self.bound[change.item.key] = change.item
            else:
                self.counts[change.name] = QueueCount(change.name, 0, 0, 0, 0)

    def set(self, queue: str = QUEUE, **numbers: int) -> None:
        self.counts[queue] = QueueCount(queue, **{"ready": 0, "unacked": 0, "consumers": 0, "taken": 0, **numbers})

    def lose(self, queue: str) -> None:
        del self.counts[queue]
        self.bound = {key: each for key, each in self.bound.items() if each.queue != queue}


class Desk:
    """An auditor, and a clock that only goes on when told to."""

    def __init__(self, log: Log, *codes: str) -> None:
        self.at = NOW
        self.store = FakeStore(lambda: self.at)
        self.broker = Broker(*codes)
        self.stop = asyncio.Event()
        self.log = log
        self.auditor = self.another()

    def another(self) -> Auditor:
        """Make an auditor that knows nothing: the process was started again."""
        self.metrics = Metrics("auditor")
        self.auditor = Auditor(
            store=self.store,
            broker=self.broker,
            patience=PATIENCE,
            relay_period=dt.timedelta(seconds=30),
            now=lambda: self.at,
            stop=self.stop,
            log=self.log,
            metrics=self.metrics,
        )
        return self.auditor

    async def looks(self, minutes: int = 1) -> tuple[Finding, ...]:
        for _ in range(minutes):
            self.at += MINUTE
            await self.auditor.look()
        return await self.store.watches.findings()

    async def deliver(self, *recipients: str) -> str:
        envelope = accepted(list(recipients), accepted_at=self.at)
        async with self.store.transaction() as tx:
            await tx.accept([envelope])
        await self.store.mark_published([envelope.envelope.id], [envelope.receipt.id])
        return envelope.envelope.id

    async def watch(self, queue: str = QUEUE) -> MailboxWatch:
        (found,) = [each for each in await self.store.watches.watches() if each.queue == queue]
        return found

    def shown(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
async def desk() -> Desk:
    axis = await axis_of([])
    made = Desk(axis.log, "H37", "G12")
    for code in ("H37", "G12"):
        await made.store.directory.put_mailbox(mailbox(code))
    return made


async def test_what_waits_too_long_is_found_told_in_numbers_and_heals_when_somebody_comes(desk: Desk) -> None:
    desk.broker.set(ready=3)
    assert await desk.looks(15) == ()
    (finding,) = await desk.looks()
    assert (finding.cause, finding.subject, finding.since) == (Cause.NO_CONSUMER, QUEUE, NOW + MINUTE)
    assert desk.shown("axis_findings", kind="stuck") == 1
    assert desk.shown("axis_mailbox_ready", lane="normal") == 3
    oldest = desk.shown("axis_mailbox_oldest_timestamp_seconds", lane="normal")
    assert oldest == (NOW + MINUTE).timestamp()
    assert desk.shown("axis_mailbox_unattended", lane="normal") == 1
    desk.broker.set(ready=0, consumers=1, taken=3)
    assert await desk.looks() == ()
    (healed,) = await desk.store.watches.findings(open=False)
    assert (healed.cause, healed.healed) == (Cause.NO_CONSUMER, "itself")
    assert desk.shown("axis_findings", kind="stuck") == 0
    assert desk.shown("axis_mailbox_consumers", lane="normal") == 1
    assert desk.shown("axis_mailbox_oldest_timestamp_seconds", lane="normal") is None


async def test_an_auditor_that_was_started_again_goes_on_with_what_stands_in_the_store(desk: Desk) -> None:
    desk.broker.set(ready=3)
    await desk.looks(10)
    desk.another()
    assert await desk.looks(5) == ()
    (finding,) = await desk.looks()
    assert finding.since == NOW + MINUTE


async def test_while_the_broker_is_away_nothing_is_concluded(desk: Desk) -> None:
    desk.broker.set(ready=3)
    found = await desk.looks(16)
    desk.broker.away = True
    desk.at += MINUTE
    with pytest.raises(Unavailable):
        await desk.auditor.look()
    assert await desk.store.watches.findings() == found
    desk.broker.away = False
    desk.at += PATIENCE
    await desk.looks()
    assert await desk.store.watches.findings() == ()  # nobody was looking for a quarter of an hour


async def test_a_store_that_was_away_costs_a_look_and_no_more(desk: Desk) -> None:
    await desk.looks()
    desk.store.available = False
    with pytest.raises(Unavailable):
        await desk.auditor.look()
    desk.store.available = True
    desk.broker.set(TRACK_QUEUE, ready=2)
    assert await desk.looks(2) == ()
    (finding,) = await desk.looks()
    assert (finding.cause, finding.count) == (Cause.UNWORKED, 2)
    assert (await desk.watch(TRACK_QUEUE)).ready == 2


async def test_a_lost_queue_is_made_again_at_the_second_look_and_what_was_in_it_is_missing(desk: Desk) -> None:
    identifier = await desk.deliver("H37")
    desk.broker.set(ready=1)
    assert await desk.looks(2) == ()
    desk.broker.lose(QUEUE)
    await desk.looks()
    assert desk.broker.made == []
    found = await desk.store.watches.findings()
    assert {(each.cause, each.mailbox) for each in found} == {(Cause.NOT_THERE, "H37")}
    assert len(found) == 2  # the queue and its binding
    await desk.looks()
    assert len(desk.broker.made) == 2
    assert {each.healed for each in await desk.store.watches.findings(open=False)} == {"auditor"}
    assert [(actor, action) for actor, action, _, _ in desk.store.audits] == [("auditor", "auditor.make")]
    assert await desk.looks(30) == ()
    await desk.auditor._pass()
    (finding,) = await desk.looks()
    assert (finding.cause, finding.about, finding.count) == (Cause.SILENT, identifier, 1)


async def test_what_our_account_may_not_make_stays_named(desk: Desk) -> None:
    await desk.looks()
    desk.broker.lose(notices_queue("G12"))
    desk.broker.refuses = True
    found = await desk.looks(5)
    assert {each.cause for each in found} == {Cause.NOT_THERE}
    assert "axis topology apply" in found[0].remedy
    assert desk.store.audits == []
    desk.broker.refuses = False
    assert await desk.looks(2) == ()
    assert len(desk.broker.made) == 2


async def test_the_long_list_of_bindings_is_asked_for_once_a_minute(desk: Desk) -> None:
    for _ in range(8):
        desk.at += MINUTE / 4
        await desk.auditor.look()
    assert desk.broker.listings == 2


async def test_what_is_unmarked_for_long_is_handed_to_the_relay_once_and_audited(desk: Desk) -> None:
    envelope = accepted(accepted_at=desk.at)
    async with desk.store.transaction() as tx:
        await tx.accept([envelope])
    (finding,) = await desk.looks(4)
    assert (finding.cause, finding.count) == (Cause.UNMARKED, 1)
    assert [each[1:] for each in desk.store.audits] == [("auditor.hasten", "stuck", {"count": 1})]
    await desk.looks(4)
    assert len(desk.store.audits) == 1  # not at every look: the relay's waits are there for a reason
    await desk.store.mark_published([envelope.envelope.id], [envelope.receipt.id])
    assert await desk.looks() == ()


async def test_a_pass_tells_what_is_missing_doubled_and_how_old_the_oldest_is(desk: Desk) -> None:
    first = await desk.deliver("H37", "G12")
    desk.broker.set(ready=1)
    desk.broker.set(mailbox_queue("normal", "G12"), ready=3)
    await desk.looks(2)
    desk.at += 60 * MINUTE  # the auditor was away
    await desk.looks(2)
    await desk.auditor._pass()
    (finding,) = await desk.looks()
    assert (finding.cause, finding.mailbox, finding.count) == (Cause.DOUBLED, "G12", 2)
    assert (await desk.watch()).oldest_at == NOW
    desk.broker.set(ready=0, taken=1)  # taken without a word, or purged
    await desk.looks(16)
    await desk.auditor._pass()
    found = {each.cause: each for each in await desk.looks()}
    assert (found[Cause.SILENT].about, found[Cause.SILENT].count) == (first, 1)


async def test_no_pass_is_begun_with_numbers_of_long_ago(desk: Desk) -> None:
    await desk.auditor._pass()
    await desk.looks()
    desk.at += PATIENCE + MINUTE
    await desk.auditor._pass()
    assert desk.auditor._counted is None


async def test_passes_go_on_until_told_to_stop_whatever_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.deliver("H37")
    await desk.looks()
    desk.store.available = False
    passed = asyncio.Event()
    monkeypatch.setattr(desk.auditor._log, "debug", lambda *_, **__: passed.set())
    counting = asyncio.create_task(desk.auditor.count(rest_seconds=0.01))
    try:
        async with asyncio.timeout(20):
            await asyncio.sleep(0.03)
            assert not passed.is_set()
            desk.store.available = True
            await passed.wait()
            desk.stop.set()
            await counting
    finally:
        counting.cancel()
    assert desk.auditor._counted is not None
    assert set(desk.auditor._counted.copies) == {QUEUE}


async def test_queues_that_are_not_the_axis_own_are_watched_and_never_judged(desk: Desk) -> None:
    desk.broker.set("somebody's", ready=9)
    assert await desk.looks(60) == ()
    assert (await desk.watch("somebody's")).mailbox is None
    del desk.broker.counts["somebody's"]
    await desk.looks()
    assert all(each.queue != "somebody's" for each in await desk.store.watches.watches())
    assert len(await desk.store.watches.watches(["H37"])) == len(LANES) + 1
