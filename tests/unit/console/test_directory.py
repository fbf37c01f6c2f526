"""The directory in the console: codes as of a day, what became of them, and where documents for them go."""

import csv
import datetime as dt
import html
import io
import re

import pytest

from axis.console.language import TEXTS
from axis.core.resolving import MAX_SUCCESSORS, How, Rule, resolve
from schemas import UnknownBelow
from tests.unit.console.browser import NOON, Bench
from tests.unit.core.records import BEGINNING, closed, directory, mailbox, organisation


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


# One code for each sentence that resolving may say, and what the page says in Vietnamese and in English.
SAID = (
    (How.IN_FORCE, "H37", "có hiệu lực H37 đang có hiệu lực: Lạng Sơn", "in force H37 is in force: Lạng Sơn"),
    (How.MAILBOX, "H37", "hộp thư H37 có hộp thư", "mailbox H37 has a mailbox"),
    (
        How.MAILBOX_ABOVE,
        "H37.05",
        "hộp thư cấp trên qua H37: cấp trên gần nhất của H37.05 có hộp thư",
        "mailbox above via H37: the nearest above H37.05 with a mailbox",
    ),
    (
        How.SUCCESSOR,
        "H22",
        "mã kế thừa chuyển cho mã kế thừa H37: H22 đã kết thúc ngày 01/07/2025",
        "successor via successor H37: H22 closed on 2025-07-01",
    ),
    (
        How.SUCCESSOR_ABOVE,
        "H22.05",
        "mã kế thừa chuyển cho mã kế thừa H37: H22, cấp trên của H22.05, đã kết thúc ngày 01/07/2025",
        "successor via successor H37: H22, above H22.05, closed on 2025-07-01",
    ),
    (How.NO_MAILBOX, "H38", "H38 và các cấp trên đang có hiệu lực đều không có hộp thư", "neither H38 nor any"),
    (How.NOT_YET_VALID, "G99", "G99 có hiệu lực từ ngày 02/12/2026", "G99 is in force from 2026-12-02 on"),
    (How.NO_SUCCESSOR, "G36", "G36 đã kết thúc ngày 01/07/2025 và không có mã kế thừa", "names no successor"),
    (How.NOT_FORWARDING, "G05", "không chuyển tiếp văn bản; mã kế thừa là H37", "its successor is H37"),
    (How.CIRCLE, "K01", "các mã kế thừa nối thành vòng: K01 → K02 → K01", "in a circle: K01 → K02 → K01"),
    (How.TOO_MANY, "L01", "các mã kế thừa nối nhau quá 8 cơ quan: L01 → L02", "over more than 8 organisations: L01 →"),
    (How.UNKNOWN, "M01", "N01 không có trong danh mục, các cấp trên", "N01 is not in the directory"),
    (How.NOT_REGISTERED, "M02", "hãy gửi cho H37, hoặc đề nghị đăng ký H37.99", "or have H37.99 registered"),
    (How.OPEN_BELOW, "M03", "chuyển cho H60: nơi này nhận văn bản", "via H60: it takes documents for units"),
)
RECORDS = (
    organisation("H37", name="Lạng Sơn"),
    organisation("H37.05"),
    closed("H22", "H37"),
    organisation("H22.05"),
    organisation("H38"),
    organisation("G99", valid_from=NOON + dt.timedelta(days=5)),
    closed("G36"),
    closed("G05", "H37", forwarding=False),
    closed("K01", "K02"),
    closed("K02", "K01"),
    *(closed(f"L{each:02}", f"L{each + 1:02}") for each in range(1, MAX_SUCCESSORS + 3)),
    closed("M01", "N01"),
    closed("M02", "H37.99"),
    closed("M03", "H60.99"),
    organisation("H60", unknown_below=UnknownBelow.OPEN),
)


def shown(page: str) -> str:
    """Return what is read of the steps."""
    steps = re.search(r'<ol class="moments">(.*?)</ol>', page, re.DOTALL)
    assert steps is not None
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", steps[1])).split())


async def test_the_way_to_a_mailbox_is_told_in_the_language_of_the_page() -> None:
    bench = Bench()
    await bench.people()
    await bench.store.directory.put_organisations(RECORDS)
    await bench.store.directory.put_mailbox(mailbox("H37"))
    known = directory(*RECORDS, mailbox("H37"))
    async with bench.browser("viewer") as vietnamese, bench.browser("viewer") as english:
        await english.get("/language/en")
        for how, code, local, foreign in SAID:
            steps = resolve(known, code, NOON).steps
            assert how in {step.how for step in steps}
            told = shown((await vietnamese.get(f"/directory/{code}")).text)
            assert local in told
            assert not [step.text for step in steps if step.text in told]
            told = shown((await english.get(f"/directory/{code}")).text)
            assert foreign in told
            # The English page and the command `axis explain` say the same.
            assert all(step.text in told for step in steps)


def test_every_step_and_every_rule_has_its_text() -> None:
    assert {how for how, *_ in SAID} == set(How)
    assert {f"step.{how}" for how in How} | {f"rule.{rule}" for rule in Rule} <= TEXTS.keys()


async def test_a_name_in_a_step_is_no_pattern_and_no_markup(bench: Bench) -> None:
    name = "{code.__class__} {0} %s <script>"
    await bench.store.directory.put_organisations([organisation("H40", name=name, valid_from=BEGINNING)])
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/directory/H40")).text
        assert name in shown(page)
        assert "<script>" not in page
