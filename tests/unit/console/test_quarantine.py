"""Quarantine in the console: shown safely, and left by operators alone, with a reason."""

import csv
import html
import io
import re

import pytest

from axis.console.pages.quarantine import hexadecimal
from tests.unit.console.browser import Bench
from tests.unit.store.rows import quarantine_row

HOSTILE = "<script>alert(1)</script>\u202e{{7*7}}\x00\x1b[2J"


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    rows = [
        quarantine_row(body=HOSTILE.encode(), detail=HOSTILE, headers={HOSTILE: HOSTILE}, message_id=HOSTILE),
        quarantine_row(body=b"two"),
        quarantine_row(body=b"three", reason="message/poison", account=None),
    ]
    async with made.store.transaction() as tx:
        await tx.quarantine(rows)
    return made


async def rows(bench: Bench, browser: object, reason: str = "") -> int:
    answer = await browser.get(f"/quarantine?as=csv&reason={reason}")  # type: ignore[attr-defined]
    return len(list(csv.reader(io.StringIO(answer.text)))) - 1


async def test_groups_are_counted_as_their_rows(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/quarantine")).text
        groups = re.findall(r'href="/quarantine\?reason=([^"]+)"[^>]*><strong>(\d+)<', page)
        assert {(html.unescape(code), number) for code, number in groups} == {
            ("message%2Fnot-json", "2"),
            ("message%2Fpoison", "1"),
        }
        for code, number in groups:
            assert await rows(bench, browser, html.unescape(code)) == int(number)
        assert "/quarantine/act" not in (await browser.get("/quarantine?reason=message/poison")).text.replace(
            'action="/quarantine/act"', ""
        )
        assert (await browser.get("/quarantine?before=never")).status_code == 400


async def test_what_was_set_aside_at_one_moment_is_listed_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axis.console.pages.quarantine.PAGE", 2)
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/quarantine")).text
        older = re.search(r'rel="next" href="([^"]+)"', page)
        assert older is not None
        page += (await browser.get("/quarantine" + html.unescape(older[1]))).text
        for each in await bench.store.quarantined():
            assert f'href="/quarantine/{each.id}"' in page
        for asked in ("2026-11-27", "x,y", "0001-01-01T00:00:00%2B14:00,x", "2026-11-27T00:00:00%2B07:00,x"):
            assert (await browser.get(f"/quarantine?before={asked}")).status_code == 400


async def test_a_message_is_shown_and_does_nothing(bench: Bench) -> None:
    kept = next(each for each in await bench.store.quarantined() if HOSTILE.encode() == each.body)
    async with bench.browser("operator") as browser, bench.browser("agency") as agency:
        page = await browser.get(f"/quarantine/{kept.id}")
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text
        assert "\x1b" not in page.text
        assert "{{7*7}}" in page.text
        assert "000000  3c 73 63 72" in page.text
        assert "quarantine/stays" in page.text
        assert (await browser.get("/quarantine/nothing")).status_code == 404
        assert (await browser.get("/quarantine/01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11")).status_code == 404
        assert {(await agency.get(path)).status_code for path in ("/quarantine", f"/quarantine/{kept.id}")} == {403}


async def test_operators_drop_with_a_reason_and_it_is_noted(bench: Bench) -> None:
    ids = [each.id for each in await bench.store.quarantined() if each.reason == "message/not-json"]
    async with bench.browser("operator") as browser, bench.browser("viewer") as viewer:
        assert (await viewer.send("/quarantine/act", act="drop", id=ids[0], why="x")).status_code == 403
        for fields, status in (({"why": ""}, 400), ({"act": "burn"}, 400), ({"id": "../x"}, 400)):
            sent = {"act": "drop", "id": ids[0], "why": "x", **fields}
            assert (await browser.send("/quarantine/act", **sent)).status_code == status
        done = await browser.send("/quarantine/act", act="drop", id=ids[0], why="rác", reason="message/not-json")
        assert done.headers["location"].endswith("how=drop&done=1")
        assert "Đã loại bỏ 1" in (await browser.get(done.headers["location"])).text
        assert await rows(bench, browser) == 2
        page = (await browser.get(f"/quarantine/{ids[0]}")).text
        assert "không còn trong cách ly" in page
        assert "rác" in page
        stayed = await browser.send("/quarantine/act", act="requeue", id=ids[1], why="thử")
        assert (stayed.status_code, stayed.headers["axis-code"]) == (409, "quarantine/stays")
    assert [(actor, subject) for actor, action, subject, _ in bench.store.audits if action == "quarantine.dropped"] == [
        ("operator", ids[0])
    ]


def test_bytes_are_written_in_lines_of_sixteen() -> None:
    lines = hexadecimal(bytes(range(60, 77))).split("\n")
    assert [len(line.split("  ")[0]) for line in lines] == [6, 6]
    assert lines[0].endswith("<=>?@ABCDEFGHIJK")
