"""The reports page: numbers, the rows behind them, files, and whose they are."""

import csv
import html
import io
import re

import pytest

from tests.builders import organisation
from tests.unit.console.browser import Bench, Browser
from tests.unit.store.lives import play

PERIOD = "2026-09-29..2026-10-03"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    await made.store.directory.put_organisations(
        [organisation("H37", name="UBND tỉnh Lạng Sơn"), organisation("G22", name=HOSTILE)]
    )
    await play(made.store, seed=15, documents=12)
    return made


async def rows_behind(browser: Browser, address: str) -> int:
    answer = await browser.get(address + "&as=csv")
    assert answer.status_code == 200, address
    return len(list(csv.reader(io.StringIO(answer.text)))) - 1


async def test_every_number_leads_to_as_many_rows(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        after = "2026-10-04..2026-10-08"  # all of its numbers are of the period before
        for period, below in ((PERIOD, ""), (PERIOD, "H37"), (after, "")):
            page = (await browser.get(f"/reports?period={period}&below={below}")).text
            links = set(re.findall(r'<a href="(/reports/rows[^"]+)">([0-9]+)</a>', page))
            assert len(links) > 20
            for address, _ in links:
                rows = (await browser.get(html.unescape(address))).text
                assert f'<a href="/reports?period={period}{"&amp;below=H37" if below else ""}">←' in rows, address
            for address, number in links:
                assert await rows_behind(browser, html.unescape(address)) == int(number), address
            assert all(number != "0" for _, number in links)
        shown = await browser.get(html.unescape(min(links)[0]))
        assert shown.status_code == 200
        assert "/documents/" in shown.text


async def test_a_report_is_shown_as_it_is_printed(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/reports?since=2026-09-29&until=2026-10-03")).text
        for words in ("Kỳ báo cáo", "Đơn vị báo cáo", "Văn phòng Chính phủ (toàn quốc)", "Độc lập – Tự do", "Lạng Sơn"):
            assert words in page
        assert HOSTILE not in page
        assert html.escape(HOSTILE) in page
        assert "chưa kết thúc" not in page
        assert "chưa kết thúc" in (await browser.get("/reports")).text  # this quarter
        await browser.get("/language/en")
        assert "Period before" in (await browser.get("/reports?period=2026-Q4")).text


async def test_a_report_comes_as_a_file(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        answer = await browser.get(f"/reports?period={PERIOD}&below=H37&as=csv")
        assert "bao-cao-2026-09-29_2026-10-03-H37.csv" in answer.headers["content-disposition"]
        assert answer.content.startswith(b"\xef\xbb\xbf")
        assert (await browser.get("/reports?period=2026-Q3&as=xlsx")).content.startswith(b"PK")


async def test_an_agency_sees_the_report_of_its_own_code(bench: Bench) -> None:
    async with bench.browser("agency") as browser:
        page = (await browser.get(f"/reports?period={PERIOD}&below=G22")).text
        assert "UBND tỉnh Lạng Sơn (H37)" in page
        assert ">G22<" not in page
        assert (await browser.get(f"/reports?period={PERIOD}&as=csv")).text.count("\nH37") >= 2
        for other in ("code=G22", "", "code=H370", "code=H3"):
            refused = await browser.get(f"/reports/rows?period={PERIOD}&{other}")
            assert refused.status_code == 403, other
        received = "side=received&code=H37"
        own = (await browser.get(f"/reports/rows?period={PERIOD}&{received}&as=csv")).text
    async with bench.browser("viewer") as browser:
        everything = (await browser.get(f"/reports/rows?period={PERIOD}&{received}&as=csv")).text
    assert set(own.splitlines()) <= set(everything.splitlines())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/reports?period=2199", 400, "report/future"),
        ("/reports?period=1926-01-01..2026-01-01", 400, "report/period"),
        ("/reports?since=2026-10-03&until=2026-09-29", 400, "report/period"),
        ("/reports?below=H99", 404, "report/code"),
        ("/reports?below=x", 400, "console/form"),
        ("/reports?period=%00", 400, "console/form"),
        ("/reports?period=2199&as=csv", 400, "report/future"),
        ("/reports?as=exe", 400, "console/form"),
        ("/reports/rows?side=both", 400, "console/form"),
        ("/reports/rows?measure=x", 400, "console/form"),
        ("/reports/rows?side=received&measure=documents", 400, "console/form"),
        ("/reports/rows?before=1", 400, "console/form"),
    ],
)
async def test_what_cannot_be_reported_is_refused(bench: Bench, path: str, status: int, code: str) -> None:
    async with bench.browser("viewer") as browser:
        answer = await browser.get(path)
    assert answer.status_code == status
    assert code in answer.text
