"""`axis findings` and what the doctor says of the auditor, on a fake store."""

import asyncio
import datetime as dt

import pytest

from axis.core.watching import Cause, Finding, QueueCount, look
from axis.store import FakeStore
from tests.unit.cli.conftest import Run

QUEUE = "mailbox.normal.H37"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def looked(store: FakeStore, *found: Finding, at: dt.datetime | None = None) -> None:
    moment = at or now()

    async def fill() -> None:
        await store.watches.seen([look(None, QueueCount(QUEUE, 3, 0, 0), moment)], [], moment)
        await store.watches.report(found, moment)

    asyncio.run(fill())


STUCK = Finding(Cause.NO_CONSUMER, QUEUE, dt.datetime(2026, 11, 24, 2, 12, tzinfo=dt.UTC), "H37", 3)


def test_what_is_found_is_told_with_what_to_do(run: Run, store: FakeStore) -> None:
    looked(store, STUCK)
    ran = run("findings")
    assert ran.code == 1
    # Times are those of Vietnam, wherever the machine is.
    told = "3 messages wait in mailbox.normal.H37, and nobody has been connected to it since 09:12 24/11/2026"
    assert told in ran.out
    assert "→ ask H37" in ran.out
    (found,) = run("findings", "--json").json["findings"]
    assert (found["kind"], found["cause"], found["mailbox"], found["count"]) == ("stuck", "no-consumer", "H37", 3)
    assert "không có hệ thống nào kết nối từ 09:12" in found["detail_vi"]
    assert run("findings", "--kind", "missing").code == 0


def test_it_speaks_vietnamese_where_people_read_it(run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    looked(store, STUCK)
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    assert "3 thông điệp đang chờ trong mailbox.normal.H37" in run("findings").out


def test_a_name_from_outside_cannot_move_the_cursor(run: Run, store: FakeStore) -> None:
    looked(store, Finding(Cause.HELD, "mailbox.normal.\x1b[2J[red]H37", now(), "H37"))
    out = run("findings").out
    assert "\x1b[2J" not in out
    assert "[red]H37" in out


def test_what_healed_is_listed_apart(run: Run, store: FakeStore) -> None:
    looked(store, STUCK)
    looked(store)
    assert run("findings").code == 0
    ran = run("findings", "--healed")
    assert ran.code == 0
    assert "by itself" in ran.out
    assert run("findings", "--healed", "--json").json["findings"][0]["healed"] == "itself"


def test_nobody_looking_is_said_and_is_no_good_news(run: Run, store: FakeStore) -> None:
    assert run("findings").code == 69
    looked(store, at=now() - dt.timedelta(minutes=30))
    ran = run("findings")
    assert (ran.code, "nobody is looking" in ran.out) == (69, True)
    assert told_by_the_doctor(run)["level"] == "fail"
    looked(store)
    assert run("findings").code == 0
    assert told_by_the_doctor(run)["level"] == "ok"
    looked(store, STUCK)
    assert (told_by_the_doctor(run)["level"], QUEUE in told_by_the_doctor(run)["found"]) == ("warn", True)


def told_by_the_doctor(run: Run) -> dict[str, str]:
    (check,) = [each for each in run("doctor", "--json").json["checks"] if each["name"] == "auditor"]
    return dict(check)
