"""One contract for the ledger in memory and the one on disk."""

import asyncio
import datetime as dt
import sqlite3
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from axis.client import Ledger, MemoryLedger, SqliteLedger, Suspicious, tables
from axis.client.ledger import Deferred, Entry, KeptNotice, KeptRecall, Taken
from axis.client.papers import Paper
from axis.errors import Misconfigured, Unavailable
from schemas import Action
from tests.unit.client.doubles import NOW


def entry(number: int, *, key: str | None = None, about: str = "e") -> Entry:
    return Entry(f"id{number}", key or f"key{number}", "status", about, "x", "r", "m", b"\x00\xff", "s")


def notice(number: int, *, about: str = "e", kind: str = "receipt") -> KeptNotice:
    return KeptNotice(f"n{number}", "receipt" if kind == "receipt" else "status", about, b"b", "s")


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened: Ledger = MemoryLedger() if request.param == "memory" else await SqliteLedger.open(tmp_path / "s" / "l")
    yield opened
    await opened.close()


async def test_the_first_entry_under_a_key_stays(ledger: Ledger) -> None:
    first, other = entry(1), entry(2)
    assert await ledger.write(entries=[first]) == [first]
    assert await ledger.write(entries=[other, entry(3, key="key1")]) == [other, first]
    assert await ledger.entries() == [first, other]


async def test_confirmed_entries_are_no_longer_due(ledger: Ledger) -> None:
    one, two, three = entry(1), entry(2), entry(3, about="f")
    await ledger.write(entries=[one, two, three])
    await ledger.confirm([one, entry(4)], NOW)
    await ledger.confirm([one], NOW + dt.timedelta(days=1))
    confirmed = replace(one, confirmed_at=NOW)
    assert await ledger.entries() == [two, three]
    assert await ledger.entries(about="e") == [two]
    assert await ledger.entries(about="e", unconfirmed=False) == [confirmed, two]
    assert await ledger.entries(limit=1) == [two]
    assert await ledger.write(entries=[one]) == [confirmed]
    assert await ledger.reopen("id1") == one
    assert await ledger.reopen("nobody") is None
    assert await ledger.entries() == [one, two, three]


async def test_what_is_postponed_is_not_due_before_its_time(ledger: Ledger) -> None:
    later = NOW + dt.timedelta(minutes=1)
    await ledger.write(entries=[entry(1), entry(2)])
    await ledger.confirm([entry(1)], NOW)
    assert await ledger.next_due() is None
    assert await ledger.postpone("id1", later)
    assert not await ledger.postpone("nobody", later)
    postponed = replace(entry(1), not_before=later)
    assert await ledger.entries() == [postponed, entry(2)]
    assert await ledger.entries(due=NOW) == [entry(2)]
    assert await ledger.entries(due=later) == [postponed, entry(2)]
    assert await ledger.next_due() == later
    # The confirm of the publish that was refused comes after the refusal: it must not take the entry for sent.
    # Nor when the time has come meanwhile: what was published was the entry without a time.
    for at in (NOW, later, later + dt.timedelta(minutes=1)):
        await ledger.confirm([entry(1), entry(2)], at)
        assert await ledger.entries() == [postponed]
    await ledger.confirm([postponed], later)
    assert await ledger.entries() == []
    assert await ledger.next_due() is None
    assert await ledger.reopen("id1") == entry(1)


async def test_what_was_taken_first_stays(ledger: Ledger) -> None:
    first = Taken("e", "a" * 64, NOW)
    await ledger.write(taken=[first])
    await ledger.write(taken=[Taken("e", "b" * 64, NOW)])
    assert await ledger.taken("e") == first
    assert await ledger.taken("f") is None


async def test_notices_stand_in_line_until_they_are_done(ledger: Ledger) -> None:
    await ledger.write(notices=[notice(1), notice(2, kind="status")])
    await ledger.write(notices=[notice(1), notice(3)])
    first = await ledger.next_notice(0)
    assert first is not None
    assert first.id == "n1"
    second = await ledger.next_notice(first.number)
    assert second is not None
    assert second.id == "n2"
    await ledger.finish_notice("n1")
    assert await ledger.next_notice(0) == second
    latest = await ledger.receipt_for("e")
    assert latest is not None
    assert latest.id == "n3"
    assert await ledger.receipt_for("f") is None
    assert await ledger.next_notice(latest.number) is None


async def test_evidence_is_kept_once(ledger: Ledger) -> None:
    found = Suspicious("a" * 64, "q", None, "signature/invalid", "d", NOW, b"b", "")
    await ledger.write(suspicious=[found])
    await ledger.write(suspicious=[replace(found, source="other")])
    assert await ledger.suspicious() == [found]


async def test_pruning_forgets_only_what_is_over(ledger: Ledger) -> None:
    await ledger.write(entries=[entry(1), entry(2), entry(5)], notices=[notice(1), notice(2)])
    await ledger.confirm([entry(1), entry(5)], NOW)
    await ledger.finish_notice("n1")
    await ledger.prune(before="id3")
    assert [each.id for each in await ledger.entries(unconfirmed=False)] == ["id2", "id5"]
    await ledger.prune(before="z")
    left = await ledger.next_notice(0)
    assert left is not None
    assert left.id == "n2"


async def test_two_processes_may_share_a_file(tmp_path: Path) -> None:
    one, two = await SqliteLedger.open(tmp_path / "l"), await SqliteLedger.open(tmp_path / "l")
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task((one, two)[number % 2].write(entries=[entry(number)]))
    assert len(await one.entries()) == len(await two.entries()) == 40
    await one.close()
    await two.close()


async def test_what_is_written_is_there_after_reopening_and_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "l"
    first = await SqliteLedger.open(path)
    await first.write(entries=[entry(1)], taken=[Taken("e", "a" * 64, NOW)])
    await first.close()
    again = await SqliteLedger.open(path)
    assert await again.entries() == [entry(1)]
    assert await again.taken("e") == Taken("e", "a" * 64, NOW)
    await again.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_one_write_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    ledger = await SqliteLedger.open(tmp_path / "l")
    broken = replace(entry(1), body="a lone surrogate cannot be stored: \ud800")  # type: ignore[arg-type]  # on purpose
    with pytest.raises((Unavailable, UnicodeEncodeError)):
        await ledger.write(taken=[Taken("e", "a" * 64, NOW)], entries=[broken])
    assert await ledger.taken("e") is None
    await ledger.write(taken=[Taken("e", "a" * 64, NOW)])
    await ledger.close()


async def test_files_that_are_no_ledger_are_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, and long enough to be seen as none of ours" * 20)
    with pytest.raises(Misconfigured, match="not a ledger"):
        await SqliteLedger.open(tmp_path / "text")
    with pytest.raises(Misconfigured, match="cannot be opened"):
        await SqliteLedger.open(tmp_path / "text" / "below")
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(Misconfigured, match="newer version"):
        await SqliteLedger.open(tmp_path / "newer")


async def test_a_closed_ledger_is_unavailable(tmp_path: Path) -> None:
    ledger = await SqliteLedger.open(tmp_path / "l")
    await ledger.close()
    with pytest.raises(Unavailable):
        await ledger.entries()


async def test_a_ledger_of_an_older_version_is_brought_up(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "l")
    for statement in tables.SCHEMA.split(";"):
        old.execute(statement)
    old.execute("INSERT INTO entry VALUES (1, 'id1', 'key1', 'status', 'e', 'x', 'r', 'm', x'00ff', 's', NULL)")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    for _ in range(2):
        ledger = await SqliteLedger.open(tmp_path / "l")
        assert await ledger.entries() == [entry(1)]
        await ledger.close()


async def test_recalls_are_kept_once_and_only_become_withdrawn(ledger: Ledger) -> None:
    first, second = (KeptRecall(name, "d", b"b", "s", ("H37",), "G22", "t", "agency") for name in ("first", "second"))
    await ledger.write(recalls=[first, second])
    await ledger.write(recalls=[replace(second, withdrawn=True, signature="other")])
    await ledger.write(recalls=[second])
    kept = replace(second, withdrawn=True)
    assert await ledger.recalls("d") == [first, kept]
    assert await ledger.recalls("e") == []
    assert await ledger.open_recalls() == [kept, first]
    await ledger.finish_recall("second")
    assert await ledger.open_recalls() == [first]
    assert await ledger.recalls("d") == [first, replace(kept, done=True)]


async def test_one_process_at_a_time_hands_a_recall_out(tmp_path: Path) -> None:
    recall = KeptRecall("r", "d", b"b", "s", ("H37",), "G22", "t", "agency")
    one, other = [await SqliteLedger.open(tmp_path / "l") for _ in range(2)]
    await one.write(recalls=[recall])
    minute = dt.timedelta(minutes=1)
    assert await one.hand_out("r", NOW, NOW + minute)
    assert await one.hand_out("r", NOW, NOW + minute)
    assert not await other.hand_out("r", NOW + minute - minute.resolution, NOW + 2 * minute)
    # The one has died, or sleeps: its time is over.
    assert await other.hand_out("r", NOW + minute, NOW + 2 * minute)
    assert not await one.hand_out("r", NOW + minute, NOW + 2 * minute)
    await other.close()
    assert await one.hand_out("r", NOW + minute, NOW + 2 * minute)
    await one.finish_recall("r")
    assert not await one.hand_out("r", NOW + minute, NOW + 2 * minute)
    await one.close()


async def test_what_an_application_said_about_a_kept_recall_is_not_pruned(ledger: Ledger) -> None:
    kept, gone = (replace(entry(number), about=about, confirmed_at=NOW) for number, about in ((1, "r"), (2, "x")))
    recall = KeptRecall("r", "d", b"b", "s", ("H37",), "G22", "t", "agency")
    await ledger.write(entries=[kept, gone], recalls=[recall])
    await ledger.prune("z")
    assert await ledger.entries(unconfirmed=False) == [kept]


async def test_what_was_taken_is_forgotten_but_for_its_id(ledger: Ledger) -> None:
    ours = Paper("e", "a", "G22", ("H37",), Action.NEW, None, received=False, files=("a" * 64,))
    theirs = replace(ours, received=True)
    found = Suspicious("a" * 64, "q", "e", "r", "d", NOW, b"b", "s")
    await ledger.write(taken=[Taken("e", "a" * 64, NOW)], papers=[ours, theirs], suspicious=[found])
    await ledger.forget("e")
    assert await ledger.papers(envelope_id="e") == [ours]
    assert await ledger.suspicious() == []
    assert await ledger.taken("e") is not None


async def test_what_is_set_aside_is_kept_once_in_its_order_until_it_is_finished(ledger: Ledger) -> None:
    first = Deferred("b", b"\x00", "s", ("H37", "H37.05"), "G22", "t", "agency", "seal/no-key", "chưa có khóa", NOW)
    second = replace(first, envelope_id="a")
    await ledger.write(deferred=[first, second])
    await ledger.write(deferred=[replace(first, code="other")])
    assert await ledger.deferred() == [first, second]
    assert (await ledger.deferred("a"), await ledger.deferred("c")) == ([second], [])
    await ledger.finish_deferred("b")
    await ledger.finish_deferred("b")
    assert await ledger.deferred() == [second]
