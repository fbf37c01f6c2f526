"""The lists of steps in axis.gateway.desk.receiving, sending and arrivals: what an end after each of them does.

The end is an answer that does not come, after which all is opened anew from what is on disk and in the store; the same
with a process that is killed is in tests/integration/test_desk.py.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from axis.client.mail import Mail
from axis.client.sqlite import SqliteLedger
from axis.core.partners import Kind, Plane
from axis.core.reading import parse_envelope
from axis.errors import Unavailable
from axis.gateway.desk import again, agencies
from axis.gateway.desk.packing import Packing
from axis.store.fake_partners import FakePartners
from schemas import StatusCode
from tests.unit.gateway.desk.harness import NORMAL, SYSTEM, Rig, came, package

Method = Callable[..., Awaitable[Any]]


def ending(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, after: bool, if_: str = "") -> list[None]:
    """Have everything end at a call, the first time it comes there; return a list that says whether it did."""
    ended: list[None] = []
    original: Method = getattr(owner, name)

    async def wrapped(self: object, *arguments: Any, **named: Any) -> Any:
        meant = not ended and (not if_ or bool(named.get(if_)))
        if meant and not after:
            ended.append(None)
            raise Unavailable("the end")
        result = await original(self, *arguments, **named)
        if meant:
            ended.append(None)
            raise Unavailable("the end")
        return result

    monkeypatch.setattr(owner, name, wrapped)
    return ended


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agencies, "_FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(again, "_FIRST_PAUSE_SECONDS", 0.01)


@pytest.mark.parametrize(
    ("owner", "name", "after", "when"),
    [
        (Packing, "pack", False, ""),
        (Packing, "pack", True, ""),
        (FakePartners, "receive", False, ""),
        (FakePartners, "receive", True, ""),
        (SqliteLedger, "write", False, "taken"),
        (SqliteLedger, "write", True, "taken"),
        (Mail, "ack", False, ""),
        (Mail, "ack", True, ""),
    ],
)
async def test_what_came_is_one_package_wherever_it_ends(
    desk: Rig, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, after: bool, when: str
) -> None:
    await desk.add()
    document = desk.world.document()
    ended = ending(monkeypatch, owner, name, after=after, if_=when)
    await came(desk, document)
    await desk.connected()
    await desk.until(lambda: ended)
    (waiting,) = await desk.waiting()
    assert waiting.message_id == document.message_id
    await desk.until(lambda: desk.world.post.unacked == [] and desk.world.post.waiting(NORMAL) == [])
    assert len(await desk.waiting()) == 1
    assert (await desk.vxp().call("updateStatus", docId=waiting.doc_id, status="done"))["status"] == "OK"
    await desk.until(lambda: desk.world.post.statuses() == [("01", "H37", None, None)])


@pytest.mark.parametrize(
    ("owner", "name", "after", "when"),
    [
        (FakePartners, "begin", False, ""),
        (FakePartners, "begin", True, ""),
        (SqliteLedger, "write", False, "entries"),
        (SqliteLedger, "write", True, "entries"),
        (FakePartners, "submitted", False, ""),
        (FakePartners, "submitted", True, ""),
    ],
)
async def test_what_is_sent_is_one_document_wherever_it_ends(
    desk: Rig, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, after: bool, when: str
) -> None:
    await desk.add()
    await desk.connected()
    ended = ending(monkeypatch, owner, name, after=after, if_=when)
    sent = package()
    first = await desk.vxp().send(sent)
    assert (first["status"], first["code"], len(ended)) == ("FAIL", "axis/unavailable", 1)
    again = await desk.vxp().send(sent)
    assert again["status"] == "OK"
    await desk.until(lambda: bool(desk.world.post.published))
    envelopes = {parse_envelope(each.body).id for each in desk.world.post.published}
    assert envelopes == {again["DocId"]}
    assert len(await desk.store.partners.sent(SYSTEM, Kind.EDOC, size=9, page=0)) == 1


async def test_01_is_one_status_when_it_ends_before_it_is_noted(desk: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.add()
    await came(desk, desk.world.document())
    await desk.connected()
    (waiting,) = await desk.waiting()
    ended = ending(monkeypatch, FakePartners, "reported", after=False)
    await desk.vxp().call("updateStatus", docId=waiting.doc_id, status="done")
    await desk.until(lambda: ended)
    desk.desk.agencies.arrivals.look()

    async def noted() -> bool:
        return await desk.store.partners.unreported(9, ["H37"]) == []

    await desk.until(noted)
    assert len({each.message_id for each in desk.world.post.published}) == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_package_that_was_not_handed_out_whole_is_handed_out_again(
    desk: Rig, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    await desk.add()
    await came(desk, desk.world.document())
    await desk.connected()
    (waiting,) = await desk.waiting()
    ended = ending(monkeypatch, FakePartners, "fetch", after=after)
    first = await desk.vxp().call("getEdoc", docId=waiting.doc_id)
    assert (first["code"], len(ended)) == ("axis/unavailable", 1)
    again = await desk.vxp().call("getEdoc", docId=waiting.doc_id)
    assert hashlib.sha256(base64.b64decode(again["data"])).hexdigest() == waiting.sha256
    assert desk.world.post.statuses() == []


@pytest.mark.parametrize("after", [False, True])
async def test_done_that_was_not_answered_is_done_once(
    desk: Rig, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    await desk.add()
    await came(desk, desk.world.document())
    await desk.connected()
    (waiting,) = await desk.waiting()
    ended = ending(monkeypatch, FakePartners, "move", after=after)
    done: dict[str, Any] = {"docId": waiting.doc_id, "status": "done"}
    assert (await desk.vxp().call("updateStatus", **done))["code"] == "axis/unavailable"
    assert ended
    assert (await desk.vxp().call("updateStatus", **done))["status"] == "OK"
    await desk.until(lambda: desk.world.post.statuses() == [("01", "H37", None, None)])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("owner", "name"), [(FakePartners, "heard"), (FakePartners, "receive"), (SqliteLedger, "finish_notice")]
)
async def test_a_status_that_came_is_one_package_wherever_it_ends(
    desk: Rig, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, after: bool
) -> None:
    await desk.add()
    await desk.connected()
    sent = await desk.vxp().send(package())
    (own,) = desk.world.post.published
    await desk.accept(own.body)
    ended = ending(monkeypatch, owner, name, after=after)
    status = desk.world.status(sent["DocId"], StatusCode.ACCEPTED)
    await desk.world.post.put("notices.H37", status)
    await desk.until(lambda: ended)
    (waiting,) = await desk.waiting(Kind.STATUS)
    assert waiting.message_id == status.message_id
    await desk.until(lambda: desk.world.post.unacked == [] and desk.world.post.waiting("notices.H37") == [])
    assert len(await desk.waiting(Kind.STATUS)) == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_receipt_is_known_wherever_it_ends(desk: Rig, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    await desk.add()
    await desk.connected()
    sent = await desk.vxp().send(package())
    ended = ending(monkeypatch, FakePartners, "answered", after=after)
    await desk.world.post.put("notices.H37", desk.world.receipt(sent["DocId"]))
    await desk.until(lambda: ended)

    async def failed() -> bool:
        (kept,) = await desk.store.partners.sent(SYSTEM, Kind.EDOC, size=9, page=0)
        return kept.state is Plane.FAIL and kept.submitted_at is not None

    await desk.until(failed)
