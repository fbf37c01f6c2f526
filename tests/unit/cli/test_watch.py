"""`axis watch`: one look, and how it is shown."""

import asyncio
import datetime as dt
from typing import Self

import pytest
from rich.console import Console

from axis.cli import overview, watch
from axis.cli.overview import Overview, overlook
from axis.core.deadlines import Targets, deadlines
from axis.core.register import register
from axis.core.watching import MailboxWatch, QueueCount
from axis.core.workdays import Calendar
from axis.errors import Unavailable
from axis.settings import Settings
from axis.store import FakeStore
from tests.builders import NOW, organisation
from tests.unit.cli.conftest import Run
from tests.unit.core.histories import minute
from tests.unit.store.rows import accepted, quarantine_row


class Broker:
    """The management API, or none."""

    counts = (QueueCount("mailbox.urgent.H37", 2, 0, 0), QueueCount("axis.route.urgent", 1, 1, 1))
    away = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def queue_counts(self) -> tuple[QueueCount, ...]:
        if self.away:
            raise Unavailable("the broker is away")
        return self.counts


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    found = Broker()
    monkeypatch.setattr(overview, "management", lambda _: found)
    return found


def text(seen: Overview, width: int = 120) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(watch.render(seen, width))
    return captured.get()


async def fill(store: FakeStore) -> None:
    await store.directory.put_organisations([organisation("H37", name="Cơ quan H37 của một tỉnh rất dài tên")])
    late = accepted(["H37"], sent_at=NOW, accepted_at=NOW)
    async with store.transaction() as tx:
        await tx.accept([late])
        await tx.quarantine(
            [quarantine_row(received_at=NOW, reason="signature/invalid", account="G09", detail="\x1b[2J!")]
        )
    await store.mark_published([late.envelope.id], [])
    await store.register.keep(
        10, lambda subjects: [register(s, lambda d, p: deadlines(d, p, Calendar(), Targets())) for s in subjects]
    )
    await store.watches.seen(
        [
            MailboxWatch("mailbox.normal.H37", "H37", minute(0), 3, 1, 0, NOW, NOW),
            MailboxWatch("axis.route.normal", None, minute(0), 7, 2, 1, None, None),
        ],
        [],
        minute(24 * 60),
    )


def test_one_look_at_everything(store: FakeStore, broker: Broker) -> None:
    asyncio.run(fill(store))
    seen = asyncio.run(overlook(store, Settings.load(), minute(24 * 60)))
    assert seen.trouble == []
    assert seen.lanes is not None
    lanes = {each.name: (each.ready, each.unacked, each.consumers) for each in seen.lanes}
    assert (lanes["route normal"], lanes["mailboxes normal"]) == ((7, 2, 1), (3, 1, 0))
    assert seen.agencies is not None
    assert [(each.mailbox, each.overdue, each.waiting, each.no_consumer_since) for each in seen.agencies] == [
        ("H37", 1, 3, NOW)
    ]
    assert seen.refusals is not None
    assert [(each.where, each.who, each.reason) for each in seen.refusals] == [
        ("quarantine", "G09", "signature/invalid")
    ]
    shown = text(seen)
    assert "H37" in shown
    for width in (80, 120):
        (line,) = [each for each in text(seen, width).splitlines() if each.startswith("H37")]
        assert "Cơ quan H37" in line  # a code alone says little to who is new here
        assert len(line.rstrip()) <= width
    later = asyncio.run(overlook(store, Settings.load(), minute(9 * 24 * 60))).agencies
    assert later is not None
    assert [(each.name, each.overdue, each.unaccepted) for each in later] == [
        ("Cơ quan H37 của một tỉnh rất dài tên", 1, 1)
    ]
    assert "0 !" in shown  # said in a sign too, not in colour alone
    assert "\x1b[2J" not in shown
    narrow = text(seen, 60)
    assert max(map(len, narrow.splitlines())) <= 60
    assert "signature" in narrow


def test_what_is_absent_is_said_and_the_broker_is_asked_itself(store: FakeStore, broker: Broker) -> None:
    seen = asyncio.run(overlook(store, Settings.load(), NOW))
    assert [each.split(":")[0] for each in seen.trouble] == ["the auditor has not looked yet"]
    assert seen.agencies is not None
    assert [(each.mailbox, each.waiting) for each in seen.agencies] == [("H37", 2)]
    assert "the auditor has not looked yet" in text(seen)


def test_an_auditor_that_stopped_and_a_broker_that_is_away(store: FakeStore, broker: Broker) -> None:
    asyncio.run(fill(store))
    broker.away = True
    seen = asyncio.run(overlook(store, Settings.load(), minute(24 * 60 + 10)))
    assert "the auditor does not look any more" in seen.trouble[0]
    assert "the broker is away" in seen.trouble[1]
    assert seen.lanes is None
    assert seen.refusals is not None
    assert len(seen.refusals) == 1


def test_a_register_that_is_behind_is_said(store: FakeStore, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lag() -> tuple[int, dt.datetime | None]:
        return 41, NOW

    monkeypatch.setattr(store.register, "lag", lag)
    seen = asyncio.run(overlook(store, Settings.load(), minute(5)))
    assert any("300 s behind (41 changes wait)" in each for each in seen.trouble)


def test_with_the_database_away_nothing_is_made_up(store: FakeStore, broker: Broker) -> None:
    store.available = False
    seen = asyncio.run(overlook(store, Settings.load(), NOW))
    assert (seen.flow, seen.lanes, seen.agencies, seen.refusals, seen.findings) == (None,) * 5
    assert len(seen.trouble) == 5
    assert text(seen).count("not known") >= 5


def test_without_a_terminal_it_prints_once(run: Run, store: FakeStore, broker: Broker) -> None:
    asyncio.run(fill(store))
    ran = run("watch")
    assert ran.code == 0
    assert "signature/invalid" in ran.out
    found = run("watch", "--once", "--json").json
    assert [each["where"] for each in found["refusals"]] == ["quarantine"]
    assert run("watch", "--every", "0").code == 2


def test_in_vietnamese(store: FakeStore, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "speaks_vietnamese", lambda: True)
    asyncio.run(fill(store))
    shown = text(asyncio.run(overlook(store, Settings.load(), minute(24 * 60))))
    assert "cơ quan" in shown
    assert "lưu lượng mỗi phút" in shown


def test_live_it_looks_again_and_ends_by_ctrl_c(
    store: FakeStore, broker: Broker, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    looks = []

    async def counted(*arguments: object) -> Overview:
        looks.append(arguments)
        if len(looks) == 3:
            raise KeyboardInterrupt
        return Overview(NOW)

    monkeypatch.setattr(watch, "overlook", counted)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("axis.cli.watch.asyncio.sleep", lambda _: _nothing())
    assert run("watch").code == 130
    assert len(looks) == 3


async def _nothing() -> None:
    pass
