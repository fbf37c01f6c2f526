"""The SDK over the agency API: page after page, nothing twice, and what is no answer is said."""

import datetime as dt
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from axis.client.asking import changes, documents
from axis.client.gateway import Gateway
from axis.errors import Refused, Unavailable
from tests.builders import NOW
from tests.unit.gateway.api.office import Office, office


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        yield opened


def as_agency(axis: Office, code: str, transport: httpx.AsyncBaseTransport | None = None) -> Gateway:
    way = axis.client._transport if transport is None else transport
    return Gateway("http://gateway", code=code, key=axis.keys[code], now=lambda: NOW, deadline=5, transport=way)


async def test_changes_and_documents_come_one_after_the_other(axis: Office) -> None:
    sent = [await axis.send(NOW + dt.timedelta(seconds=second)) for second in range(60)]
    gateway = as_agency(axis, "H37")
    found = [each async for each in changes(gateway, None, follow=False)]
    assert [each.seq for each in found] == sorted({each.seq for each in found})
    assert {each.envelope for each in found} == set(sent)
    assert [each async for each in changes(gateway, found[-3].seq, follow=False)] == found[-2:]
    assert [each["envelope"] async for each in documents(gateway, {"words": "kết nối"})] == sent[::-1]
    assert [each async for each in documents(as_agency(axis, "Z01"), {})] == []


async def test_who_follows_is_told_of_what_comes(axis: Office) -> None:
    async with aclosing(changes(as_agency(axis, "K99"), None, follow=True)) as found:
        envelope = await axis.send()
        first = await anext(found)
        assert (first.envelope, first.kind, first.recipient) == (envelope, "delivered", "K99")
        await axis.report(envelope, "K99", "01")
        second = await anext(found)
    assert (second.kind, second.code, second.seq > first.seq) == ("status", "01", True)


async def test_a_cursor_that_is_not_kept_is_refused(axis: Office) -> None:
    await axis.send()
    await axis.store.register.prune(NOW + dt.timedelta(days=1))
    with pytest.raises(Refused) as caught:
        await anext(changes(as_agency(axis, "G22"), 0, follow=False))
    assert caught.value.code == "api/cursor-pruned"


@pytest.mark.parametrize(
    "answer", ["", "[]", "{}", '{"changes": {}, "next": 1}', '{"changes": [{"seq": "x"}], "next": 1}']
)
async def test_what_is_no_answer_is_said(axis: Office, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axis.client.gateway._WAITS", ())
    gateway = as_agency(axis, "G22", httpx.MockTransport(lambda _: httpx.Response(200, text=answer)))
    for question in (changes(gateway, 0, follow=False), documents(gateway, {})):
        with pytest.raises(Unavailable):
            await anext(question)


async def test_the_command_shows_them(axis: Office, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    from axis.cli import changes as command

    class Settings:
        gateway_url, code, key, deadline = "http://gateway", "K99", axis.keys["K99"], 5

        class tls:  # noqa: N801 - as the settings name it
            context = staticmethod(lambda: True)

    monkeypatch.setattr(command, "Gateway", lambda *_, **__: as_agency(axis, "K99"))
    envelope = await axis.send()
    await command._show(Settings(), None, follow=False, as_json=False)  # type: ignore[arg-type]  # what it reads of them
    assert f"{envelope} K99: delivered" in capsys.readouterr().out
    await command._show(Settings(), None, follow=False, as_json=True)  # type: ignore[arg-type]  # the same
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["envelope"] == envelope
