"""The board of agencies and the health card of one."""

import csv
import datetime as dt
import html
import io
import re
from dataclasses import replace

import pytest

from axis.console.health import Facts, Whose, judge
from axis.core.watching import MailboxWatch
from tests.unit.console.browser import NOON, Bench
from tests.unit.console.documents import put, written
from tests.unit.core.records import mailbox, organisation
from tests.unit.store.registering import keep
from tests.unit.store.rows import certificate, delivery_row, status_row

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
CELL = r'<td class="number">(.*?)</td>'
HOSTILE = "<b>Sở</b>\u202e"


def watch(code: str, ready: int, consumers: int) -> MailboxWatch:
    alone = None if consumers else NOON - 168 * MINUTE
    return MailboxWatch(f"mailbox.normal.{code}", code, NOON, ready, 0, consumers, alone, NOON if ready else None)


@pytest.fixture
async def bench() -> Bench:
    """Four agencies: one that answers, one that nobody takes for, one that is late, and one that has done nothing."""
    made = Bench()
    await made.people()
    now = made.clock.moment = dt.datetime.now(dt.UTC)
    codes = ("G22", "H37", "G01", "H29")
    await made.store.directory.put_organisations(
        [organisation(code, name=HOSTILE if code == "H37" else f"Cơ quan {code}") for code in codes]
    )
    for code in codes:
        await made.store.directory.put_mailbox(mailbox(code))
    await made.store.directory.put_certificate(certificate("H29", not_after=now + 10 * DAY).certificate)
    old, new = await put(made, written(1, ["H37", "G01"], at=now - 20 * DAY), written(2, ["G01", "H37"], at=now))
    async with made.store.transaction() as tx:
        status = status_row(new, reporter="G01", recipients=("G01",), code="03", received_at=now)
        await tx.statuses([status], {(new, "G01"): ("03", now)})
    await keep(made.store)
    await made.store.watches.seen([watch("H37", 7, 0), watch("G01", 3, 2), watch("G22", 0, 1)], [], now)
    assert old
    return made


async def test_the_worst_comes_first_and_numbers_are_rows(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/agencies")).text
        assert re.findall(r'<a class="code" href="/agencies/(\w+)"', page)[:2] == ["H37", "G01"]
        assert "<b>Sở" not in page
        assert "U+202E" in page
        table = list(csv.reader(io.StringIO((await browser.get("/agencies?as=csv")).text)))
        lines = {row[0]: row for row in table[1:]}
        assert [lines[code][3] for code in ("H37", "G01")] == ["không nhận", "chậm phản hồi"]
        assert [lines[code][2] for code in ("G22", "G01", "H29")] == ["chính thức", "chính thức", "chạy thử"]
        assert (lines["H37"][4], lines["H37"][8]) == ("7", "1")
        only = list(csv.reader(io.StringIO((await browser.get("/agencies?answers=silent&as=csv")).text)))
        assert [row[0] for row in only[1:]] == ["H37"]
        named = list(csv.reader(io.StringIO((await browser.get("/agencies?words=h29&as=csv")).text)))
        assert [row[0] for row in named[1:]] == ["H29"]
        assert (await browser.get("/agencies?answers=perhaps")).status_code == 400


async def test_every_number_of_the_board_leads_to_its_rows(bench: Bench) -> None:
    """H37.05 has a mailbox of its own, so that the late of H37 are not all that was sent to it and below."""
    now = bench.clock.now()
    await bench.store.directory.put_organisations([organisation("H37.05")])
    await bench.store.directory.put_mailbox(mailbox("H37.05"))
    bench.desk.kept.clear()
    document = written(3, [], at=now - 21 * DAY)
    rows = [delivery_row(document.envelope.id, code, mailbox=code, resolved=code) for code in ("H37", "H37.05")]
    await put(bench, replace(document, deliveries=tuple(rows)))
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/agencies")).text
        (line,) = re.findall(r'<tr><th scope="row"><a class="code" href="/agencies/H37">.*?</tr>', page, re.DOTALL)
        cells = re.findall(CELL, line)
        assert (
            len(cells) == 6
        )  # it waits for 7, 2 have not arrived, 2 were not accepted, none is due; sent and received
        assert [re.sub("<.*?>", "", each) for each in cells] == ["7", "2", "2", "0", "0", "4"]
        told = [(re.sub("<.*?>", "", each), re.findall(r'href="([^"]+)"', each)) for each in re.findall(CELL, page)]
        assert all(len(addresses) == (number != "0") for number, addresses in told)
        numbers = [(addresses[0], number) for number, addresses in told if addresses]
        for address, number in numbers:
            answer = await browser.get(html.unescape(address) + "&as=csv")
            assert answer.status_code == 200, address
            heading, *listed = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
            rows_behind = sum(int(row[2]) for row in listed) if address.startswith("/queues") else len(listed)
            assert rows_behind == int(number), (address, heading)


async def test_a_health_card_says_whose_it_is_and_its_numbers_are_rows(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/agencies/H37")).text
        assert "Phía cơ quan:" in page
        assert "7 văn bản đang chờ" in page
        figures = re.findall(r'class="figure[^"]*" href="([^"]+)">(\d+)<', page)
        assert len(figures) == 4
        assert any(int(number) for _, number in figures)
        for address, number in figures:
            answer = await browser.get(html.unescape(address) + "&as=csv")
            assert len(list(csv.reader(io.StringIO(answer.text)))) - 1 == int(number), address
        assert "còn 10 ngày" in (await browser.get("/agencies/H29")).text
        assert (await browser.get("/agencies/000.00.00.H37")).status_code == 200
        for unknown in ("H99", "%3Cscript%3E", "x" * 200, "..%2f..%2fetc"):
            assert (await browser.get(f"/agencies/{unknown}")).status_code == 404


async def test_agency_users_see_their_own_card_and_no_other(bench: Bench) -> None:
    async with bench.browser("agency") as browser:
        mine = await browser.get("/agencies/H37")
        assert mine.status_code == 200
        assert "/agencies/G22" not in mine.text
        assert "/directory/" not in mine.text
        assert (await browser.get("/agencies/G01")).status_code == 404
        assert (await browser.get("/agencies")).status_code == 403


def test_of_several_things_the_one_that_explains_the_others_is_said() -> None:
    fine = Facts(mailbox=True, watches=(watch("H37", 0, 1),), fresh=True, held={}, overdue=0, certificates=())
    alone = replace(fine, watches=(watch("H37", 3, 0),), overdue=3, held={"mailbox/not-taking": 2})
    expired = replace(fine, certificates=[certificate("H37", not_after=NOON - DAY)])
    for facts, whose, why in (
        (fine, Whose.NOBODY, "fine"),
        (replace(fine, overdue=2), Whose.AGENCY, "overdue"),
        (expired, Whose.AGENCY, "certificate"),
        (replace(fine, held={"mailbox/full": 2}), Whose.AGENCY, "not taking"),
        (alone, Whose.AGENCY, "no consumer"),
        (replace(alone, fresh=False), Whose.UNKNOWN, "not looked"),
        (replace(alone, held={"mailbox/not-ready": 1}), Whose.AXIS, "held"),
        (replace(fine, mailbox=False), Whose.AXIS, "no mailbox"),
    ):
        said = judge(facts, NOON)
        assert (said.whose, said.why) == (whose, why)
