import asyncio
from dataclasses import replace

import pytest

from axis.core.webhooks import CallState, call_for
from axis.store import FakeStore
from tests.builders import NOW
from tests.unit.cli.conftest import Run

URL = "https://x.gov.vn/hook"


def test_one_is_added_shown_and_removed(run: Run, store: FakeStore) -> None:
    assert run("webhook", "add", "000.00.00.H37", URL, "--event", "status").code == 0
    (shown,) = run("webhook", "list", "--json").json["webhooks"]
    identifier = shown["webhook"]["id"]
    assert (shown["webhook"]["account"], shown["webhook"]["events"]) == ("H37", ["status"])
    assert URL in run("webhook", "list", "H37").out.replace("\n", "")
    assert run("webhook", "list", "G22", "--json").json == {"webhooks": []}
    assert run("webhook", "remove", identifier).code == 0
    assert run("webhook", "remove", identifier).code == 66
    assert [(action, subject) for _, action, subject, _ in store.audits] == [
        ("webhook.put", identifier),
        ("webhook.remove", identifier),
    ]


def test_what_was_put_aside_is_shown_and_made_again(run: Run, store: FakeStore) -> None:
    identifier = run("webhook", "add", "H37", URL, "--json").json["webhook"]["id"]

    async def fail() -> None:
        (webhook,) = await store.webhooks.webhooks()
        made = call_for(webhook, [], missed=True, identifier=webhook.id, at=NOW)
        assert made is not None
        await store.webhooks.advance(webhook.id, 1, made)
        dead = replace(made.failed("it answers 500", NOW), state=CallState.DEAD)
        await store.webhooks.settle(dead, done=False)

    asyncio.run(fail())
    (shown,) = run("webhook", "list", "--json").json["webhooks"]
    assert (shown["calls"]["dead"], shown["calls"]["latest"][0]["told"]) == (1, "it answers 500")
    assert "axis webhook retry" in run("webhook", "list").out
    assert run("webhook", "retry", identifier, "--json").json == {"requeued": 1}
    assert "retry" not in run("webhook", "list").out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("H37", "http://x.gov.vn/"), "webhook/address"),
        (("H37", "https://10.0.0.5/"), "webhook/address"),
        (("H37", "https://x.gov.vn/" + "x" * 500), "webhook/address"),
        (("H37", URL, "--event", "everything"), "webhook/malformed"),
        (("x", URL), "code/malformed"),
    ],
)
def test_what_cannot_be_is_said(run: Run, store: FakeStore, arguments: tuple[str, ...], code: str) -> None:
    ran = run("webhook", "add", *arguments)
    assert (ran.code, code in ran.err) == (65, True)
    for number in range(5):
        assert run("webhook", "add", "H37", f"{URL}/{number}").code == 0
    assert "webhook/too-many" in run("webhook", "add", "H37", URL).err
    assert "webhook/unknown" in run("webhook", "retry", "x").err
