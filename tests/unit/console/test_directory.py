"""The directory in the console: codes as of a day, what became of them, and where documents for them go."""

import csv
import io

import pytest

from tests.unit.console.browser import Bench
from tests.unit.core.records import closed, mailbox, organisation


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    await made.store.directory.put_organisations(
        [organisation("H37", name="Lạng Sơn <b>"), closed("H22", "H37", name="Tỉnh cũ"), organisation("H38")]
    )
    await made.store.directory.put_mailbox(mailbox("H37"))
    return made


async def test_codes_are_listed_as_of_a_day(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        for query, codes in (
            ("", ["H37", "H38"]),
            ("at=2025-01-01", ["H22", "H37", "H38"]),
            ("words=lang+son", ["H37"]),
        ):
            answer = await browser.get(f"/directory?as=csv&{query}")
            assert [row[0] for row in csv.reader(io.StringIO(answer.text))][1:] == codes
            page = (await browser.get(f"/directory?{query}")).text
            assert f"{len(codes)} mã có hiệu lực" in page
            assert "<b>" not in page
        assert (await browser.get("/directory?at=someday")).status_code == 400


async def test_a_code_has_a_history_and_somebody_who_receives_for_it(bench: Bench) -> None:
    async with bench.browser("viewer") as browser, bench.browser("agency") as agency:
        old = (await browser.get("/directory/H22")).text
        assert "đã kết thúc" in old
        assert 'href="/directory/H37"' in old
        assert "Vào hộp thư H37" in old
        new = (await browser.get("/directory/000.00.00.H37")).text
        assert "Tiếp nhận từ" in new
        assert 'href="/directory/H22"' in new
        assert "Trục từ chối" in (await browser.get("/directory/H38")).text
        for unknown in ("H99", "%3Cb%3E", "x" * 300):
            assert (await browser.get(f"/directory/{unknown}")).status_code == 404
        assert {(await agency.get(path)).status_code for path in ("/directory", "/directory/H37")} == {403}
