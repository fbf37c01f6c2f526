"""Webhooks in the console: everybody's to staff, the own to agency users, and tried again by operators alone."""

import datetime as dt
import html
import re
from dataclasses import replace

import pytest

from axis.core.ids import new_id
from axis.core.registered import News
from axis.core.webhooks import Call, CallState, Webhook
from axis.store import SoughtActs
from tests.unit.console.browser import NOON, Bench

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    for code, events in (("H37", ("status", "late")), ("G22", ()), ("G01", tuple(News))):
        kept = Webhook(new_id(NOON), code, f"https://{code.lower()}.gov.vn/axis", events, 41, NOON, code)
        assert await made.store.webhooks.put(kept, 5)
        if code != "G01":
            call = Call(new_id(NOON), kept.id, (), missed=True, since=NOON - dt.timedelta(days=9), due_at=NOON)
            await made.store.webhooks.advance(kept.id, 42, call)
            await made.store.webhooks.settle(call.failed(f"500 {HOSTILE}", NOON), done=False)
    return made


async def test_staff_sees_all_and_an_agency_its_own(bench: Bench) -> None:
    async with bench.browser("viewer") as viewer, bench.browser("agency") as agency:
        everything = (await viewer.get("/webhooks")).text
        assert all(f"https://{code}.gov.vn/axis" in everything for code in ("h37", "g22", "g01"))
        assert "bị để riêng" in everything
        assert "trạng thái xử lý, quá hạn" in everything
        assert "<dd>42</dd>" in everything
        assert HOSTILE not in everything
        assert "500 &lt;script&gt;" in everything
        assert "/retry" not in everything
        one = (await viewer.get("/webhooks?agency=g22")).text
        assert "g22.gov.vn" in one
        assert "h37.gov.vn" not in one
        assert (await viewer.get("/webhooks?agency=%3C")).status_code == 400
        for address in ("/webhooks", "/webhooks?agency=G22"):
            own = (await agency.get(address)).text
            assert "h37.gov.vn" in own
            assert "g22.gov.vn" not in own
        await viewer.get("/language/en?to=/webhooks")
        assert "set aside" in (await viewer.get("/webhooks")).text


async def test_an_operator_has_calls_made_again_and_it_is_audited(bench: Bench) -> None:
    webhook = (await bench.store.webhooks.webhooks("H37"))[0]
    address = f"/webhooks/{webhook.id}/retry"
    for login in ("viewer", "agency"):
        async with bench.browser(login) as browser:
            assert (await browser.send(address)).status_code == 403
    assert (await bench.store.webhooks.count())[CallState.DEAD] == 2
    async with bench.browser("operator") as browser:
        assert address in (await browser.get("/webhooks")).text
        assert (await browser.post(address)).status_code == 403
        done = await browser.send(address)
        assert (done.status_code, done.headers["location"]) == (303, "/webhooks?agency=H37&done=1")
        assert "1 lời gọi" in (await browser.get(done.headers["location"])).text
        for unknown in (new_id(NOON), "x"):
            assert (await browser.send(f"/webhooks/{unknown}/retry")).status_code == 404
    assert await bench.store.webhooks.count() == {CallState.DEAD: 1, CallState.WAITING: 1}
    acts = await bench.store.operators.acts(SoughtActs(actor="operator"))
    assert ("webhook.retry", webhook.id) in [(act.action, act.subject) for act in acts]


async def test_the_card_of_an_agency_leads_there(bench: Bench) -> None:
    from tests.unit.core.records import organisation

    await bench.store.directory.put_organisations([organisation("H37")])
    async with bench.browser("agency") as browser:
        page = (await browser.get("/agencies/H37")).text
        assert 'href="/webhooks?agency=H37"' in page
        assert 'href="/webhooks"' in page


async def test_how_many_calls_wait_or_were_set_aside_leads_to_them(bench: Bench) -> None:
    webhook = (await bench.store.webhooks.webhooks("H37"))[0]
    for number in range(24):
        call = Call(new_id(NOON), webhook.id, (), missed=False, since=NOON, due_at=NOON)
        await bench.store.webhooks.advance(webhook.id, 43 + number, call)
        if number % 12 == 0:
            gone = replace(call, since=NOON - dt.timedelta(days=9))
            await bench.store.webhooks.settle(gone.failed("500", NOON), done=False)
    async with bench.browser("viewer") as browser:
        page = (await browser.get("/webhooks?agency=H37")).text
        assert page.count('<tr><th scope="row">') == 20  # the latest
        linked = re.findall(r'<dd><a href="(/webhooks\?[^"]+)"><span class="badge \w+">(\d+)</span></a></dd>', page)
        assert sorted(number for _, number in linked) == ["22", "3"]
        for address, number in linked:
            rows = (await browser.get(html.unescape(address))).text
            assert rows.count('<tr><th scope="row">') == int(number)
            assert '<a href="/webhooks?agency=H37">←' in rows
        assert (await browser.get("/webhooks?webhook=x")).status_code == 200
        assert (await browser.get("/webhooks?state=lost")).status_code == 400
    async with bench.browser("agency") as browser:
        other = (await bench.store.webhooks.webhooks("G22"))[0]
        assert "g22.gov.vn" not in (await browser.get(f"/webhooks?webhook={other.id}")).text
