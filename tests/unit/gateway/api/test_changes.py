"""What changed for an agency, behind a cursor: in order, nothing twice, nothing missed, nothing of others."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import NOW
from tests.unit.gateway.api.office import Office, office


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        yield opened


async def test_each_is_told_what_is_its_own(axis: Office) -> None:
    envelope = await axis.send()
    await axis.report(envelope, "K99", "02")
    await axis.report(envelope, "H37.20", "03")
    told = {code: (await axis.got(code, "/v1/changes"))["changes"] for code in ("G22", "H37", "H37.05", "K99", "Z01")}
    assert {each["envelope"] for changes in told.values() for each in changes} == {envelope}
    statuses = {
        code: [(e["recipient"], e["code"]) for e in changes if e["kind"] == "status"] for code, changes in told.items()
    }
    assert statuses == {
        "G22": [("K99", "02"), ("H37.20", "03")],
        "H37": [("H37.20", "03")],
        "H37.05": [],
        "K99": [("K99", "02")],
        "Z01": [],
    }
    delivered = {code: {e["recipient"] for e in changes if e["kind"] == "delivered"} for code, changes in told.items()}
    assert delivered["H37"] == {"H37", "H37.20"}
    assert delivered["H37.05"] == {"H37.05"}
    assert told["Z01"] == []


async def test_who_goes_on_with_next_is_told_everything_once(axis: Office) -> None:
    for second in range(4):
        await axis.send(NOW + dt.timedelta(seconds=second))
    every = [each["seq"] for each in (await axis.got("G22", "/v1/changes?limit=200"))["changes"]]
    found, after, more = [], 0, True
    while more:
        page = await axis.got("G22", f"/v1/changes?after={after}&limit=3")
        found += [each["seq"] for each in page["changes"]]
        after, more = page["next"], page["more"]
    assert found == every == sorted(set(every))
    # Whoever is told nothing goes on as well, or what it has not missed would be forgotten behind it.
    _, last = await axis.store.register.feed_span()
    assert (await axis.got("Z01", "/v1/changes"))["next"] == after == last
    assert (await axis.got("G22", "/v1/changes?after=latest")) == {"changes": [], "next": last, "more": False}


async def test_a_cursor_that_was_pruned_or_never_given_is_told(axis: Office) -> None:
    await axis.send()
    (await axis.got("G22", "/v1/changes?after=0"))["changes"]
    await axis.store.register.prune(NOW + dt.timedelta(days=1))
    for path in ("/v1/changes?after=0", "/v1/statuses?after=0", "/v1/changes?after=999999"):
        answer = await axis.ask("G22", path)
        assert (answer.status_code, answer.json()["code"]) == (410, "api/cursor-pruned")
        assert "after" in answer.json()["remedy"]
    first, last = await axis.store.register.feed_span()
    assert (first, (await axis.got("G22", "/v1/changes"))["next"]) == (last + 1, last)
    assert (await axis.got("G22", f"/v1/changes?after={last}"))["changes"] == []


async def test_who_waits_is_told_at_once_and_not_for_another_s_news(axis: Office) -> None:
    waiting = {code: asyncio.create_task(axis.got(code, "/v1/changes?wait=30")) for code in ("H37", "Z01")}
    await asyncio.sleep(0)
    envelope = await axis.send()
    async with asyncio.timeout(20):
        told = await waiting["H37"]
    assert {each["envelope"] for each in told["changes"]} == {envelope}
    assert not waiting["Z01"].done()
    waiting["Z01"].cancel()
    await asyncio.gather(waiting["Z01"], return_exceptions=True)


async def test_a_wait_has_an_end_and_an_agency_so_many_of_them(axis: Office) -> None:
    async with asyncio.timeout(20):
        assert (await axis.got("G22", "/v1/changes?wait=0"))["changes"] == []
        assert (await axis.got("G22", "/v1/changes?wait=1"))["changes"] == []
    waiting = [asyncio.create_task(axis.ask("G22", "/v1/changes?wait=30")) for _ in range(5)]
    async with asyncio.timeout(20):
        done, still = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    (busy,) = done
    assert (busy.result().status_code, busy.result().json()["code"]) == (503, "http/busy")
    for each in still:
        each.cancel()
    await asyncio.gather(*still, return_exceptions=True)
    answer = await axis.ask("G22", "/v1/changes?wait=31")
    assert answer.json()["code"] == "http/query"


async def test_who_goes_away_leaves_the_place_to_who_comes_back(axis: Office) -> None:
    waiting = [asyncio.create_task(axis.leave("G22", "/v1/changes?wait=30")) for _ in range(4)]
    async with asyncio.timeout(20):  # far less than they would have waited
        await asyncio.gather(*waiting)
    assert axis.api.waiting.taken == 0
    assert (await axis.got("G22", "/v1/changes"))["changes"] == []


async def test_statuses_come_with_what_was_said(axis: Office) -> None:
    envelope = await axis.send()
    await axis.report(envelope, "K99", "02", "sai thẩm quyền")
    await axis.report(envelope, "H37", "01")
    await axis.report(envelope, "H37.05", "77", "mã chưa biết")
    page = await axis.got("G22", "/v1/statuses?limit=2")
    assert [(each["reporter"], each["code"], each.get("reason")) for each in page["statuses"]] == [
        ("K99", "02", "sai thẩm quyền"),
        ("H37", "01", None),
    ]
    assert page["more"]
    rest = await axis.got("G22", f"/v1/statuses?after={page['next']}")
    assert [(each["recipient"], each["code"]) for each in rest["statuses"]] == [("H37.05", "77")]
    assert not rest["more"]
    assert [each["recipient"] for each in (await axis.got("H37", "/v1/statuses"))["statuses"]] == ["H37"]
    assert (await axis.got("Z01", "/v1/statuses"))["statuses"] == []
