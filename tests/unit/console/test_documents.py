"""The list of documents and of deliveries, and the page of one."""

import csv
import datetime as dt
import html
import io
import re

import pytest

from axis.console.pages import PAGES
from axis.core.fate import Transport
from axis.core.ids import new_id
from axis.core.operators import Role
from axis.core.records import DeliveryState
from axis.core.tracked import Tracked
from axis.core.watching import MailboxWatch
from axis.store import Sought
from tests.unit.console.browser import NOON, Bench, Browser
from tests.unit.console.documents import put, written
from tests.unit.core.records import organisation
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted, delivery_row, held, status_row

HOSTILE = "<script>alert(1)</script>\u202e gpj.exe {{7*7}} ' OR 1=1 --"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    return made


async def test_documents_are_found_newest_first_and_paged(bench: Bench) -> None:
    await put(bench, *(written(n, ["H37"], at=NOON - n * MINUTE, subject=f"Văn bản thứ {n}") for n in range(60)))
    async with bench.browser("viewer") as browser:
        first = (await browser.get("/documents")).text
        assert re.findall(r"Văn bản thứ (\d+)", first) == [str(n) for n in range(50)]
        assert "60 văn bản" in first
        (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
        second = (await browser.get("/documents" + html.unescape(older))).text
        assert re.findall(r"Văn bản thứ (\d+)", second) == [str(n) for n in range(50, 60)]
        assert 'rel="next"' not in second
        found = (await browser.get("/documents?words=van+thu+7")).text
        assert re.findall(r"Văn bản thứ (\d+)", found) == ["7"]
        assert "1 văn bản" in found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sender=%3Cscript%3E", "sender"),
        ("since=yesterday", "since"),
        ("late=never", "late"),
        ("transport=teleport", "transport"),
        ("words=" + "x" * 501, "words"),
        ("lane=slow", "lane"),
        ("open=maybe", "open"),
    ],
)
async def test_what_cannot_be_looked_for_is_said_beside_the_form(bench: Bench, query: str, field: str) -> None:
    async with bench.browser("viewer") as browser:
        for path in ("/documents", "/deliveries"):
            answer = await browser.get(f"{path}?{query}")
            assert answer.status_code == 400
            assert 'role="alert"' in answer.text
            assert f'name="{field}"' in answer.text  # the form is there to be corrected
            assert "<script>" not in answer.text.replace("<script src", "")
            assert (await browser.get(f"{path}?{query}&as=csv")).status_code == 400
        assert (await browser.get("/documents?before=1")).status_code == 400
        assert (await browser.get("/deliveries?before=x,y")).status_code == 400


async def test_the_number_of_deliveries_is_the_number_of_rows(bench: Bench) -> None:
    waits = written(1, [])
    rows = [delivery_row(waits.envelope.id, "H37"), held(waits.envelope.id, "G01")]
    await put(bench, accepted(deliveries=rows, id=waits.envelope.id), written(2, ["H37", "H29"]))
    async with bench.browser("viewer") as browser:
        for query, expected in (
            ("", 4),
            ("?transport=held", 1),
            ("?recipient=H37", 2),
            ("?open=yes", 4),
            ("?open=no", 0),
        ):
            page = (await browser.get(f"/deliveries{query}")).text
            assert f"{expected} lượt nhận" in page
            assert page.count('<th scope="row">') == expected
            again = await browser.get(f"/deliveries{query}{'&' if query else '?'}as=csv")
            assert len(list(csv.reader(io.StringIO(again.text)))) == expected + 1


@pytest.mark.parametrize("page", ["/documents", "/deliveries"])
@pytest.mark.parametrize(
    ("query", "bounded"),
    [
        ("", False),
        ("?words=van+ban", False),
        ("?transport=routed", False),
        ("?since=2026-11-01&transport=routed", False),
        ("?reason=recipient/unknown", True),
        ("?transport=routed&sender=G22", True),
        ("?transport=teleport&sender=G22", False),
    ],
)
async def test_a_list_that_may_have_left_old_ones_out_says_so_at_its_end(
    bench: Bench, page: str, query: str, *, bounded: bool
) -> None:
    await put(bench, *(written(n, ["H37"], at=NOON - n * MINUTE, subject="Văn bản") for n in range(60)))
    async with bench.browser("viewer") as browser:
        shown = (await browser.get(page + query)).text
        at_its_end = 'rel="next"' not in shown
        assert ("chỉ các văn bản mới nhất được xem qua" in shown) == (bounded and at_its_end)
        if older := re.findall(r'rel="next" href="([^"]+)"', shown):
            last = (await browser.get(page + html.unescape(older[0]))).text
            assert ("chỉ các văn bản mới nhất được xem qua" in last) == bounded


async def test_what_agencies_wrote_is_shown_and_does_nothing(bench: Bench) -> None:
    (identifier,) = await put(bench, written(1, ["H37"], subject=HOSTILE, kind=HOSTILE, document_id=HOSTILE))
    async with bench.browser("viewer") as browser:
        for path in ("/documents", "/deliveries", f"/documents/{identifier}"):
            page = (await browser.get(path)).text
            assert "<script>alert" not in page
            assert "{{7*7}}" in page
            assert "\u202e" not in page
            assert "U+202E" in page
        table = (await browser.get("/documents?as=csv")).text
        assert HOSTILE in [cell for row in csv.reader(io.StringIO(table)) for cell in row]


async def test_agency_users_see_their_own_traffic_and_of_it_their_own_part(bench: Bench) -> None:
    mine, between, others = await put(
        bench,
        written(1, ["G01"], sender="H37", account="H37", subject="của mình"),
        written(2, ["H37", "G01"], subject="gửi hai nơi"),
        written(3, ["G01"], subject="của người khác"),
    )
    async with bench.store.transaction() as tx:
        await tx.statuses([status_row(between, reporter="G01", recipients=("G01",), reason="chuyện của G01")], {})
    await keep(bench.store)
    async with bench.browser("agency") as browser, bench.browser("viewer") as staff:
        page = (await browser.get("/documents")).text
        assert ("của mình" in page, "gửi hai nơi" in page, "của người khác" in page) == (True, True, False)
        lines = (await browser.get("/deliveries?as=csv")).text
        assert len(list(csv.reader(io.StringIO(lines)))) == 3
        assert (await browser.get(f"/documents/{mine}")).status_code == 200
        part = (await browser.get(f"/documents/{between}")).text
        assert "chuyện của G01" not in part
        assert part.count('<article class="card recipient"') == 1
        assert "chuyện của G01" in (await staff.get(f"/documents/{between}")).text
        refused = [await browser.get(f"/documents/{each}{end}") for each in (others, "x") for end in ("", "/proof")]
        assert {(each.status_code, each.headers["axis-code"]) for each in refused} == {(404, "track/unknown")}
        assert (await browser.get(f"/documents/{between}/proof")).status_code == 404
        # What is asked for in the address changes nothing of it.
        assert "của người khác" not in (await browser.get("/documents?account=G01&sender=G22")).text


async def test_other_envelopes_about_the_same_document_are_named_and_not_read_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    same, alike = "G22,2026/11/24,99/QĐ-TTg", "G22,2026/11/24,99/QĐ-TTgiao"
    first, again, elsewhere, near = await put(
        bench,
        written(1, ["H37"], document_id=same),
        written(2, ["H37", "G01"], document_id=same),
        written(3, ["G01"], document_id=same),
        written(4, ["H37"], document_id=alike),
    )
    read: list[str] = []
    track = bench.store.track

    async def noting(term: str) -> tuple[Tracked, ...]:
        read.append(term)
        return await track(term)

    monkeypatch.setattr(bench.store, "track", noting)
    async with bench.browser("agency") as browser, bench.browser("viewer") as staff:
        own, whole = [(await each.get(f"/documents/{first}")).text for each in (browser, staff)]
    assert [each in own for each in (again, elsewhere, near)] == [True, False, False]
    assert [each in whole for each in (again, elsewhere, near)] == [True, True, False]
    assert set(read) == {first}


async def test_an_envelope_about_the_same_document_is_named_however_many_are_alike(bench: Bench) -> None:
    """Each word of an id is looked for as the beginning of one, so that a short one is like many."""
    alike = [written(each, ["H37"], document_id=f"G22,2026/11/24,1{each}/QĐ-TTg") for each in range(30)]
    first, *_, again = await put(
        bench,
        written(98, ["H37"], document_id="G22,2026/11/24,1/QĐ-TTg", at=NOON - MINUTE),
        *alike,
        written(99, ["H37"], document_id="G22,2026/11/24,1/QĐ-TTg", at=NOON + MINUTE),
    )
    async with bench.browser("viewer") as staff:
        assert f'href="/documents/{first}"' in (await staff.get(f"/documents/{again}")).text


async def test_another_moment_of_a_document_keeps_which_recipients_are_shown(bench: Bench) -> None:
    (identifier,) = await put(bench, written(77, ["H37", "G01"]))
    async with bench.browser("viewer") as staff:
        page = (await staff.get(f"/documents/{identifier}?state=accepted&open=yes&at=2026-11-27T19:00:00")).text
        form = re.search(r'<form class="filters" method="get" action="/documents/.*?</form>', page, re.DOTALL)
        assert form is not None
        kept = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', form[0])
        assert kept == [("state", "accepted"), ("open", "yes")]
        assert 'href="?state=accepted&amp;open=yes"' in form[0]
        assert "chưa xong" in page


async def test_a_document_says_what_it_waits_for_and_what_happened(bench: Bench) -> None:
    document = written(7816, ["H37", "G01"], due_on="2026-12-01")
    (identifier,) = await put(bench, document)
    await bench.store.mark_published([identifier], [])
    watch = MailboxWatch("mailbox.normal.H37", "H37", NOON, 1, 0, 0, NOON - 168 * MINUTE, NOON)
    await bench.store.watches.seen([watch], [], NOON)
    status = status_row(identifier, reporter="G01", recipients=("G01",), code="02", reason="sai thẩm quyền")
    async with bench.store.transaction() as tx:
        await tx.statuses([status], {(identifier, "G01"): ("02", NOON)})
    await keep(bench.store)
    async with bench.browser("viewer") as browser:
        page = (await browser.get(f"/documents/{identifier}")).text
        assert "không có hệ thống nào nhận từ hộp thư H37" in page
        assert "02 từ chối" in page
        assert "sai thẩm quyền" in page
        assert "7816/VPCP-TTĐT" in page
        assert "hạn" in page
        assert document.envelope.sha256 in page
        assert document.receipt.id in page
        assert "chưa ghi sổ" in page
        earlier = await browser.get(f"/documents/{identifier}?at=2026-11-27T11:59")
        assert earlier.status_code == 404
        assert "chưa tiếp nhận" in earlier.text
        english = await browser.client.get(f"/language/en?to=/documents/{identifier}", follow_redirects=True)
        assert "has no consumer" in english.text


@pytest.mark.parametrize("at", ["now", "2026-13-01T00:00", "0001-01-01T00:00", "9999-12-31T23:59", "2026-11-27T25:00"])
async def test_a_time_that_is_none_is_refused(bench: Bench, at: str) -> None:
    (identifier,) = await put(bench, written(1, ["H37"]))
    async with bench.browser("viewer") as browser:
        answer = await browser.get(f"/documents/{identifier}?at={at}")
        assert (answer.status_code, answer.headers["axis-code"]) == (400, "console/form")


async def test_many_recipients_are_shown_some_at_a_time(bench: Bench) -> None:
    (identifier,) = await put(bench, written(1, [f"H{n}" for n in range(10, 99)]))
    async with bench.browser("viewer") as browser:
        first = (await browser.get(f"/documents/{identifier}")).text
        rest = (await browser.get(f"/documents/{identifier}?from=50")).text
        assert [each.count('<article class="card recipient"') for each in (first, rest)] == [50, 39]
        assert len(await bench.store.register.deliveries(Sought(transport=Transport.ACCEPTED), limit=100)) == 89
        assert (await browser.get(f"/documents/{identifier}?from=999999")).status_code == 200


async def test_agency_users_are_shown_nothing_of_how_others_stand_or_of_what_never_arrived(bench: Bench) -> None:
    identifier, never, half = new_id(NOON), new_id(NOON + MINUTE), new_id(NOON)
    await bench.store.directory.put_organisations([organisation("H37")])
    await put(
        bench,
        written(1, ["H37", "G01"], id=identifier, subject="chỉ còn nơi khác"),
        written(2, [], id=never, subject="thu hồi trước khi đến", deliveries=[
            delivery_row(never, "H37", state=DeliveryState.WITHDRAWN), delivery_row(never, "G01"),
        ]),
        written(3, [], id=half, subject="một nửa", deliveries=[
            delivery_row(half, "H37"), delivery_row(half, "H37.05", mailbox="H37", state=DeliveryState.WITHDRAWN),
        ]),
    )  # fmt: skip
    async with bench.store.transaction() as tx:
        done = status_row(identifier, reporter="H37", recipients=("H37",), code="06")
        await tx.statuses([done], {(identifier, "H37"): ("06", NOON)})
    await keep(bench.store)
    async with bench.browser("agency") as browser, bench.browser("viewer") as staff:
        for path in ("/documents", "/deliveries"):
            for form in ("", "?as=csv"):
                page = (await browser.get(f"{path}{form}")).text
                assert "thu hồi trước khi đến" not in page, (path, form)
                assert "một nửa" in page
                assert "thu hồi trước khi đến" in (await staff.get(f"{path}{form}")).text
        assert (await browser.get(f"/documents/{never}")).headers["axis-code"] == "track/unknown"
        for form in ("", "&as=csv"):
            rows = f"/reports/rows?period=2026-11&code=H37&side=received{form}"
            page = (await browser.get(rows)).text
            assert ("thu hồi trước khi đến" in page, "một nửa" in page) == (False, True)
            assert "thu hồi trước khi đến" in (await staff.get(rows)).text
        card = await browser.get("/agencies/H37")
        assert (card.status_code, "thu hồi trước khi đến" in card.text) == (200, False)
        assert "thu hồi trước khi đến" in (await staff.get("/agencies/H37")).text
        assert (await browser.get(f"/documents/{half}")).text.count('<article class="card recipient"') == 1
        for looker, left in ((browser, "0"), (staff, "1")):
            (row,) = await _rows(looker, "/documents?as=csv&number=1")
            assert row["Chưa xong"] == left
        # Nor can it be asked for.
        assert [row["Chưa xong"] for row in await _rows(browser, "/documents?as=csv&number=1&open=no")] == ["0"]
        assert await _rows(browser, "/documents?as=csv&number=1&open=yes") == []
        assert len(await _rows(staff, "/documents?as=csv&number=1&open=yes")) == 1


async def test_no_page_shows_an_agency_user_a_document_of_others_whatever_is_asked(bench: Bench) -> None:
    await bench.store.directory.put_organisations([organisation("H37"), organisation("G01")])
    (other,) = await put(bench, written(7, ["G01"], subject="của người khác"))
    asked = [
        *("", "sender=G22", "recipient=G01", "mailbox=G01", "account=G22", "words=nguoi+khac", "number=7"),
        *("below=G22", "agency=G22", "code=G22&side=sent&period=2026-11", "transport=accepted"),
        f"before={new_id(NOON + MINUTE)}",
    ]
    async with bench.browser("agency") as browser, bench.browser("viewer") as staff:
        assert "của người khác" in (await staff.get("/documents?words=nguoi+khac")).text
        for page in (each for each in PAGES if "GET" in each.methods and Role.AGENCY in each.roles):
            path = page.path.replace("{id}", other).replace("{code}", "G01")
            for query in asked:
                for form in ("", "&as=csv"):
                    answer = await browser.get(f"{path}?{query}{form}")
                    assert "của người khác" not in answer.text, (path, query, form)
                    # Of a page of something, the address is told again; else there is nothing of the others.
                    assert other not in answer.text if path == page.path else answer.status_code == 404, query


async def _rows(browser: Browser, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((await browser.get(path)).text.removeprefix("\ufeff"))))


async def test_the_numbers_of_a_document_lead_to_those_recipients(bench: Bench) -> None:
    (identifier,) = await put(bench, written(77, ["H37", "G01", "G02"]))
    async with bench.store.transaction() as tx:
        done = status_row(identifier, reporter="G01", recipients=("G01",), code="06")
        await tx.statuses([done], {(identifier, "G01"): ("06", NOON)})
    await keep(bench.store)
    async with bench.browser("viewer") as browser:
        listed = (await browser.get("/documents?number=77")).text
        ((address, number),) = re.findall(rf'href="(/documents/{identifier}\?open=yes)#recipients">(\d+)<', listed)
        page = (await browser.get(address)).text
        assert (page.count('<article class="card recipient"'), number) == (2, "2")
        assert "2 trong 3 nơi nhận" in page
        links = re.findall(r'<a href="(\?state=\w+)#recipients"><span class="badge \w+">(\d+) ', page)
        assert sorted(number for _, number in links) == ["1", "2"]
        for state, number in links:
            shown = (await browser.get(f"/documents/{identifier}{state}")).text
            assert shown.count('<article class="card recipient"') == int(number)
        assert (await browser.get(f"/documents/{identifier}?state=lost")).status_code == 400
