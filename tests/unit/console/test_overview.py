"""The first page: what it shows, that its numbers are the rows behind them, and that it is live."""

import asyncio
import csv
import datetime as dt
import html
import io
import re
from typing import Any

import pytest
from starlette.types import Message, Scope

from axis.core.findings import Cause, Finding
from axis.core.records import Accepted, DeliveryState
from axis.core.watching import MailboxWatch
from axis.errors import Unavailable
from tests.unit.console.browser import NOON, Bench, Browser
from tests.unit.console.documents import put, written
from tests.unit.store.rows import accepted, delivery_row, held, quarantine_row

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    return made


def watch(queue: str, mailbox: str | None, ready: int, consumers: int = 0) -> MailboxWatch:
    alone = None if consumers else NOON - 168 * MINUTE
    return MailboxWatch(queue, mailbox, NOON, ready, 1, consumers, alone, NOON if ready else None)


async def traffic(bench: Bench) -> None:
    """Documents in every state that the page counts; the register asks the machine's clock what is late."""
    now = bench.clock.moment = dt.datetime.now(dt.UTC)
    one, two, old = written(1, [], at=now), written(2, [], at=now), written(3, ["H37", "G01"], at=now - 20 * DAY)
    refused = delivery_row(
        two.envelope.id, "H99", state=DeliveryState.REFUSED, mailbox=None, reason="recipient/unknown", detail="no such"
    )
    await put(
        bench,
        accepted(deliveries=[held(one.envelope.id, "G01"), delivery_row(one.envelope.id, "H37")], **_as(one)),
        accepted(deliveries=[refused, delivery_row(two.envelope.id, "H37")], **_as(two)),
        old,
    )
    queues = [
        watch("mailbox.normal.H37", "H37", 5),
        watch("mailbox.urgent.H37", "H37", 2),
        watch("mailbox.normal.G01", "G01", 3, consumers=2),
        watch("axis.route.normal", None, 4, consumers=1),
    ]
    await bench.store.watches.seen(queues, [], now)
    await bench.store.watches.report([Finding(Cause.NO_CONSUMER, "mailbox.normal.H37", NOON, "H37", 5)], NOON)
    async with bench.store.transaction() as tx:
        await tx.quarantine([quarantine_row(), quarantine_row(body=b"other"), quarantine_row(reason="message/poison")])


def _as(document: Accepted) -> dict[str, Any]:
    row = document.envelope
    return {"id": row.id, "body": row.body, "sent_at": row.sent_at, "accepted_at": row.accepted_at}


async def rows(browser: Browser, address: str) -> int:
    """Count the rows behind a link, as its download has them."""
    answer = await browser.get(address + ("&" if "?" in address else "?") + "as=csv")
    assert answer.status_code == 200, address
    return len(list(csv.reader(io.StringIO(answer.text)))) - 1


async def test_every_number_is_the_rows_behind_it(bench: Bench) -> None:
    await traffic(bench)
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/")).text
        figures = re.findall(r'class="figure[^"]*" href="([^"]+)">(\d+)<', page)
        reasons = re.findall(r'<li><a href="([^"]+)"><strong>(\d+)</strong>', page)
        assert [int(number) for _, number in figures[:5]] == [2, 0, 2, 2, 0]
        assert len(figures) == 8
        assert {address for address, _ in reasons} >= {
            "/deliveries?transport=held&amp;reason=mailbox/not-ready",
            "/quarantine?&amp;reason=message/poison",
        }
        for address, number in figures + reasons:
            if not address.startswith("/quarantine"):
                assert await rows(browser, html.unescape(address)) == int(number), address
        groups = re.findall(r'<tr><th scope="row"><a href="(/queues\?group=[^"]+)".*?</tr>', page, re.DOTALL)
        assert groups
        for group in groups:
            listed = list(csv.reader(io.StringIO((await browser.get(f"{group}&as=csv")).text)))[1:]
            numbers = re.findall(f'<td class="number"><a href="{re.escape(group)}">(\\d+)</a>', page)
            sums = [sum(int(each[place]) for each in listed) for place in (2, 3, 4)]
            assert [int(number) for number in numbers] == [*sums, len(listed)]
        silent = re.findall(r'href="(/queues\?mailbox=[^"]+)"><strong>(\d+)</strong>', page)
        late = re.findall(r'href="(/deliveries\?mailbox=[^"]+)">(\d+) ', page)
        assert silent
        for address, number in silent:
            listed = list(csv.reader(io.StringIO((await browser.get(f"{html.unescape(address)}&as=csv")).text)))[1:]
            assert sum(int(each[2]) for each in listed) == int(number)
        for address, number in late:
            assert await rows(browser, html.unescape(address)) == int(number), address
        assert "không có hệ thống nào kết nối" in page
        assert page.count("<tr data-at=") == 60


async def test_a_part_that_is_away_hides_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await traffic(bench)

    async def away(*_: object, **__: object) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(bench.store.register, "flow", away)
    monkeypatch.setattr(bench.store.register, "overdue", away)
    bench.clock.pass_by(minutes=10)
    async with bench.browser("viewer") as browser:
        page = await browser.get("/")
        assert page.status_code == 200
        assert "chưa rõ" in page.text
        assert "Bộ giám sát đã ngừng" in page.text
        assert "message/poison" in page.text


async def test_agency_users_are_led_to_their_agency(bench: Bench) -> None:
    async with bench.browser("agency") as browser:
        assert (await browser.get("/")).headers["location"] == "/agencies/H37"
        for path in ("/overview/live", "/queues", "/findings"):
            assert (await browser.get(path)).status_code == 403


async def test_it_is_live(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        cookies = "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())
    told, gone = asyncio.Queue[str](), asyncio.Event()

    async def send(message: Message) -> None:
        told.put_nowait(message.get("body", b"").decode())

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def until(words: str) -> str:
        while words not in (found := await told.get()):
            pass
        return found

    headers = {"host": "console.example.gov.vn", "cookie": cookies, "sec-fetch-site": "same-origin"}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/overview/live",
        "raw_path": b"/overview/live",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.7", 4),
        "server": ("console.example.gov.vn", 443),
    }
    task = asyncio.create_task(bench.app(scope, receive, send))
    async with asyncio.timeout(30):
        first = await until("read-at")
        assert 'hx-swap-oob="innerHTML"' in first
        assert "<html" not in first
        assert bench.streams.open == 1
        gone.set()
        await task
    assert bench.streams.open == 0


async def test_findings_are_open_or_healed(bench: Bench) -> None:
    await traffic(bench)
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/findings")).text
        assert "không có hệ thống nào kết nối" in page
        assert "Hỏi H37" in page
        assert await rows(browser, "/findings") == 1
        assert await rows(browser, "/findings?kind=missing") == 0
        await bench.store.watches.report([], NOON + MINUTE)
        assert await rows(browser, "/findings") == 0
        assert await rows(browser, "/findings?healed=1") == 1
        assert "tự hết" in (await browser.get("/findings?healed=1")).text
        assert (await browser.get("/findings?kind=bored")).status_code == 400
