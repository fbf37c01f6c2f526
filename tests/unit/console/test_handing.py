"""A group that is requeued while nobody waits: how far it is, who went away, and how it ends."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest

from axis.console import handing
from axis.console.handing import Groups
from axis.errors import NotFound, Refused
from axis.evidence import quarantined
from axis.store.fake_quarantine import FakeQuarantine
from axis.web.problems import HttpRefused
from tests.unit.console.browser import NOON, Bench
from tests.unit.workers.harness import set_aside

SECONDS = 30.0
REASON = "message/poison"


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    return made


async def put(bench: Bench, count: int, **changes: object) -> list[str]:
    rows = [set_aside(**changes) for _ in range(count)]
    async with bench.store.transaction() as tx:
        await tx.quarantine(rows)
    return [row.id for row in rows]


@contextlib.asynccontextmanager
async def working(bench: Bench) -> AsyncIterator[asyncio.Task[None]]:
    """Do what the process does besides answering."""
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        task = group.create_task(bench.desk.groups.work(bench.store, bench.clock.now))
        try:
            yield task
        finally:
            bench.desk.groups.end()


async def until_ended(groups: Groups) -> None:
    while groups.under_way:  # noqa: ASYNC110 - it tells nobody; `working` has the deadline
        await asyncio.sleep(0.001)


def left(bench: Bench) -> list[tuple[str, str]]:
    return [(actor, subject) for actor, action, subject, _ in bench.store.audits if action == "quarantine.requeued"]


class Gate:
    """Lets the store take out one message at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._let = asyncio.Semaphore(0)
        self._passed = asyncio.Semaphore(0)
        original = FakeQuarantine.requeue

        async def requeue(store: FakeQuarantine, *arguments: object, **named: object) -> bool:
            await self._let.acquire()
            try:
                return await original(store, *arguments, **named)  # type: ignore[arg-type]
            finally:
                self._passed.release()

        monkeypatch.setattr(FakeQuarantine, "requeue", requeue)

    async def pass_on(self, count: int) -> None:
        for _ in range(count):
            self._let.release()
            await self._passed.acquire()
        await asyncio.sleep(0)  # until it is shown


async def test_a_page_tells_how_far_it_is_until_it_has_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantined, "EVERY", 0.0)
    ids = await put(bench, 3)
    (unproved,) = await put(bench, 1, account=None)
    gate = Gate(monkeypatch)
    async with working(bench), bench.browser("viewer") as viewer, bench.browser("agency") as agency:
        async with bench.browser("operator") as browser:
            fields = {"csrf": await browser.csrf(), "act": "requeue", "why": "đã sửa", "reason": REASON}
            asked = await browser.post("/quarantine/act", {**fields, "id": [*ids, unproved]})
            assert asked.status_code == 303
            path = asked.headers["location"]
            assert re.fullmatch(r"/quarantine/requeues/[0-9a-f-]{36}", path)
            await gate.pass_on(2)
        # Whoever asked has gone; others see it go on.
        page = await viewer.get(path)
        assert "2 / 4 gói tin" in page.text
        assert "đã sửa" in page.text
        assert f'hx-get="{path}" hx-trigger="every 1s"' in page.text
        part = await viewer.get(path, hx_request="true")
        assert part.text.lstrip().startswith('<div id="group" hx-get')
        assert "<html" not in part.text
        assert f'<a href="{path}">' in (await viewer.get("/quarantine")).text
        assert (await agency.get(path)).status_code == 403
        await gate.pass_on(1)
        await until_ended(bench.desk.groups)
        part = await viewer.get(path, hx_request="true")
        assert "hx-get" not in part.text  # it asks no more
        assert "Đã đưa 3 gói tin vào xử lý lại." in part.text
        assert f'id="stayed-{unproved}" href="/quarantine/{unproved}"' in part.text
        assert path not in (await viewer.get("/quarantine")).text
        for missing in ("/quarantine/requeues/x", "/quarantine/requeues/01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"):
            gone = await viewer.get(missing, hx_request="true")
            assert (gone.status_code, gone.headers["axis-code"]) == (404, "quarantine/unknown")
    assert left(bench) == [("operator", each) for each in ids]


async def test_a_console_that_ends_ends_between_two(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantined, "EVERY", 0.0)
    first, second = await put(bench, 4), await put(bench, 2)
    gate, groups = Gate(monkeypatch), bench.desk.groups
    one, other = (groups.add(ids, at=NOON, by="lan", why="thử", reason=REASON) for ids in (first, second))
    async with working(bench) as task:
        await gate.pass_on(1)
        groups.end()
        await gate.pass_on(1)  # what is under way is handed over
        await task
    assert (one.far.done, one.far.untouched, one.ended) == (2, tuple(first[2:]), True)
    assert (other.far.done, other.far.untouched, other.ended) == (0, tuple(second), True)
    assert {each.id for each in await bench.store.quarantined()} == {*first[2:], *second}
    assert left(bench) == [("lan", each) for each in first[:2]]
    with pytest.raises(HttpRefused, match="http/busy"):  # nobody would come to it
        groups.add(second, at=NOON, by="lan", why="thử", reason=REASON)


async def test_a_fault_ends_a_group_and_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantined, "EVERY", 0.0)
    first, second, third = [await put(bench, 2) for _ in range(3)]
    original = FakeQuarantine.requeue

    async def requeue(store: FakeQuarantine, identifier: str, *arguments: object, **named: object) -> bool:
        if identifier == first[1]:
            bench.store.available = False
        if identifier == second[0]:
            raise ZeroDivisionError
        try:
            return await original(store, identifier, *arguments, **named)  # type: ignore[arg-type]
        finally:
            bench.store.available = True

    monkeypatch.setattr(FakeQuarantine, "requeue", requeue)
    groups = [bench.desk.groups.add(ids, at=NOON, by="lan", why="thử", reason=REASON) for ids in (first, second, third)]
    async with working(bench), bench.browser("viewer") as viewer:
        await until_ended(bench.desk.groups)
        assert [each.far.done for each in groups] == [1, 0, 2]
        pages = [(await viewer.get(f"/quarantine/requeues/{each.id}")).text for each in groups]
    assert re.findall(r'class="problem">.*<code>(.*)</code>', "".join(pages)) == ["axis/unavailable", "axis/internal"]
    assert "chưa đến lượt xử lý" in pages[0]


async def test_what_is_asked_for_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "_KEPT", 2)
    monkeypatch.setattr(quarantined, "EVERY", 0.0)
    (one,), groups = await put(bench, 1), bench.desk.groups
    with pytest.raises(Refused, match="quarantine/asked"):
        groups.add([one], at=NOON, by="lan", why=" ", reason="")
    with pytest.raises(Refused, match="quarantine/asked"):
        groups.add(map(str, range(51)), at=NOON, by="lan", why="thử", reason="")
    made = [groups.add([one], at=NOON, by="lan", why="thử", reason="") for _ in range(handing.MOST_WAITING)]
    async with bench.browser("operator") as browser:
        fields = {"csrf": await browser.csrf(), "act": "requeue", "why": "thử", "id": [one, made[0].id]}
        busy = await browser.post("/quarantine/act", fields)
        assert (busy.status_code, busy.headers["axis-code"]) == (503, "http/busy")
    async with working(bench):
        await until_ended(groups)
        groups.add([one], at=NOON, by="lan", why="thử", reason="")
        with pytest.raises(NotFound):
            groups.one(made[0].id)
        assert groups.one(made[-1].id).ended
    # Asked for twenty times, by whoever pressed twice: handed over once.
    assert len(left(bench)) == 1
