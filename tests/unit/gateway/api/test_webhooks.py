"""Webhooks as agencies set them: their own, to where they may lead, and by a token that is good for one address."""

import ipaddress
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from axis.core.webhooks import CallState, call_for, name_of
from tests.builders import NOW
from tests.unit.gateway.api.office import Office, office

URL = "https://x.gov.vn/hook"


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        yield opened


def path(url: str = URL) -> str:
    return f"/v1/webhooks/{name_of(url)}"


async def put(axis: Office, code: str = "G22", url: str = URL, **more: Any) -> Any:
    return await axis.ask(code, path(url), "PUT", json={"url": url, **more})


async def test_one_is_set_changed_listed_and_removed(axis: Office) -> None:
    answer = await put(axis)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["url"], len(answer.json()["events"])) == (URL, 8)
    assert (await put(axis, events=["status"])).json()["events"] == ["status"]
    (listed,) = (await axis.got("G22", "/v1/webhooks"))["webhooks"]
    assert (listed["name"], listed["events"], listed["waiting"], listed["dead"]) == (name_of(URL), ["status"], 0, 0)
    gone = await axis.ask("G22", path(), "DELETE")
    assert (gone.status_code, gone.content) == (204, b"")
    again = await axis.ask("G22", path(), "DELETE")
    assert (again.status_code, again.json()["code"]) == (404, "webhook/unknown")
    assert [(actor, action) for actor, action, _, _ in axis.store.audits] == [
        ("G22", "webhook.put"),
        ("G22", "webhook.put"),
        ("G22", "webhook.remove"),
    ]


async def test_it_begins_with_what_happens_next(axis: Office) -> None:
    await axis.send()
    _, end = await axis.store.register.feed_span()
    assert (await put(axis)).json()["after"] == end > 0


async def test_nobody_sees_or_removes_another_s(axis: Office) -> None:
    await put(axis)
    for other in ("H37", "H37.05", "Z01"):
        assert (await axis.got(other, "/v1/webhooks"))["webhooks"] == []
        for method, where in (("DELETE", path()), ("POST", f"{path()}/retry")):
            answer = await axis.ask(other, where, method)
            assert (answer.status_code, answer.json()["code"]) == (404, "webhook/unknown")
    assert len((await axis.got("G22", "/v1/webhooks"))["webhooks"]) == 1


async def test_a_token_is_good_for_one_address(axis: Office) -> None:
    """Whoever steals one that is on its way cannot have the axis call anybody else."""
    stolen = await axis.ask("G22", path(), "PUT", json={"url": "https://evil.example/"})
    assert (stolen.status_code, stolen.json()["code"]) == (400, "webhook/malformed")
    assert await axis.store.webhooks.webhooks() == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'{"url": 1}', b'{"url": ""}', b'{"url": "https://x.gov.vn/hook", "secret": "s"}',
        b'{"url": "https://x.gov.vn/hook", "events": ["everything"]}',
        b'{"url": "https://x.gov.vn/hook", "events": "status"}',
        json.dumps({"url": URL, "events": ["status"] * 9}).encode(), b'{"url": "\xff"}',
        b'{"url": "x' + b"x" * 5_000 + b'"}',
        b'{"url": ' * 2_000,
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_refused(axis: Office, body: bytes) -> None:
    answer = await axis.ask("G22", path(), "PUT", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook/malformed")


@pytest.mark.parametrize(
    "url",
    [
        "http://x.gov.vn/",
        "https://10.0.0.5/",
        "https://169.254.169.254/",
        "https://u:p@x.gov.vn/",
        "https://x.gov.vn:25/",
    ],
)
async def test_where_the_axis_does_not_go_is_refused_at_once(axis: Office, url: str) -> None:
    answer = await put(axis, url=url)
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook/address")
    assert "u:p" not in answer.text


async def test_the_operator_s_networks_may_be_called(tmp_path: Path) -> None:
    from axis.outside import Destinations

    async with office(tmp_path, Destinations([ipaddress.ip_network("10.0.0.0/8")])) as axis:
        assert (await put(axis, url="https://10.0.0.5/")).status_code == 200


async def test_an_agency_has_so_many(axis: Office) -> None:
    for number in range(5):
        assert (await put(axis, url=f"{URL}/{number}")).status_code == 200
    answer = await put(axis)
    assert (answer.status_code, answer.json()["code"]) == (409, "webhook/too-many")
    assert (await put(axis, "H37")).status_code == 200


@pytest.mark.parametrize("name", ["x", "0" * 63, "A" * 64, "0" * 200])
async def test_a_name_is_a_digest(axis: Office, name: str) -> None:
    answer = await axis.ask("G22", f"/v1/webhooks/{name}", "PUT", json={"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (404, "webhook/unknown")


async def test_what_was_put_aside_is_shown_and_told_again_when_asked(axis: Office) -> None:
    await put(axis)
    (webhook,) = await axis.store.webhooks.webhooks()
    made = call_for(webhook, [], missed=True, identifier=webhook.id, at=NOW)
    assert made is not None
    await axis.store.webhooks.advance(webhook.id, 1, made)
    failed = made.failed("it answers 500", NOW)
    await axis.store.webhooks.settle(replace(failed, state=CallState.DEAD), done=False)
    (listed,) = (await axis.got("G22", "/v1/webhooks"))["webhooks"]
    assert (listed["dead"], listed["calls"][0]["told"]) == (1, "it answers 500")
    answer = await axis.ask("G22", f"{path()}/retry", "POST")
    assert (answer.status_code, answer.json()) == (200, {"requeued": 1})
    assert await axis.store.webhooks.next_call(webhook.id) is not None
