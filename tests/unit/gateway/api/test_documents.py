"""What an agency may ask about documents: its own, and of those what is its own to know."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from axis.core.ids import new_id
from axis.core.records import DeliveryState
from tests.builders import NOW
from tests.unit.gateway.api.office import CODES, Office, office
from tests.unit.store.rows import delivery_row

ABSENT = "01a20c91-a000-7d5e-b781-ba6282d01594"  # the same in every process that collects these tests


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        yield opened


def recipients(document: Any) -> list[str]:
    return [each["recipient"] for each in document["deliveries"]]


async def test_the_sender_sees_what_became_of_every_copy(axis: Office) -> None:
    envelope = await axis.send()
    await axis.report(envelope, "K99", "02", "sai thẩm quyền")
    seen = await axis.got("G22", f"/v1/documents/{envelope}")
    assert (seen["side"], seen["sender"], seen["subject"]) == ("sent", "G22", "V/v kết nối, liên thông")
    assert recipients(seen) == ["H37", "H37.20", "H37.05", "K99"]
    assert [each["transport"] for each in seen["deliveries"]] == ["routed", "routed", "routed", "taken"]
    assert seen["deliveries"][0]["waiting_for"] == "taking"
    assert (seen["deliveries"][3]["business"], "waiting_for" in seen["deliveries"][3]) == ("02", False)
    (status,) = seen["statuses"]
    assert (status["reporter"], status["reason"]) == ("K99", "sai thẩm quyền")


async def test_a_recipient_sees_its_own_copy_and_who_else_was_addressed(axis: Office) -> None:
    envelope = await axis.send()
    await axis.report(envelope, "K99", "02", "sai thẩm quyền")
    await axis.report(envelope, "H37.20")
    seen = await axis.got("H37", f"/v1/documents/{envelope}")
    assert seen["side"] == "received"
    assert seen["addressed"] == ["H37", "H37.20", "H37.05", "K99"]
    assert recipients(seen) == ["H37", "H37.20"]
    assert [each["recipients"] for each in seen["statuses"]] == [["H37.20"]]
    # A unit below with a mailbox of its own is another agency, and so is the one above it.
    assert recipients(await axis.got("H37.05", f"/v1/documents/{envelope}")) == ["H37.05"]
    other = await axis.got("K99", f"/v1/documents/{envelope}")
    assert (recipients(other), [each["reporter"] for each in other["statuses"]]) == (["K99"], ["K99"])


@pytest.mark.parametrize("identifier", [ABSENT, "x", "G22,2026", "..%2f..", "%00", "0" * 400])
async def test_what_is_not_there_and_what_is_not_ones_own_are_answered_alike(axis: Office, identifier: str) -> None:
    envelope = await axis.send()
    strange = await axis.ask("Z01", f"/v1/documents/{envelope}")
    absent = await axis.ask("Z01", f"/v1/documents/{identifier}")
    assert (strange.status_code, strange.json()["code"]) == (404, "api/unknown-document")
    assert absent.status_code == 404
    if absent.json()["code"] != "http/address":
        assert {**absent.json(), "detail": ""} == {**strange.json(), "detail": ""}


async def test_what_was_recalled_before_it_arrived_was_never_there(axis: Office) -> None:
    identifier = new_id(NOW)
    rows = [
        delivery_row(identifier, "H37", state=DeliveryState.WITHDRAWN),
        delivery_row(identifier, "K99", state=DeliveryState.REFUSED, reason="recipient/closed"),
        delivery_row(identifier, "H37.05"),
    ]
    envelope = await axis.send(deliveries=rows)
    for code in ("H37", "K99"):
        assert (await axis.ask(code, f"/v1/documents/{envelope}")).status_code == 404
        assert (await axis.got(code, "/v1/documents"))["documents"] == []
        assert (await axis.got(code, "/v1/changes"))["changes"] == []
    assert "withdrawn" in {each["kind"] for each in (await axis.got("G22", "/v1/changes"))["changes"]}
    assert recipients(await axis.got("H37.05", f"/v1/documents/{envelope}")) == ["H37.05"]
    assert len((await axis.got("G22", f"/v1/documents/{envelope}"))["deliveries"]) == 3


async def test_the_list_has_ones_own_documents_and_nobody_elses_state(axis: Office) -> None:
    envelope = await axis.send()
    await axis.report(envelope, "K99", "06")
    (sent,) = (await axis.got("G22", "/v1/documents"))["documents"]
    assert (sent["envelope"], sent["side"], sent["open"], sent["recipients"]) == (envelope, "sent", 3, 4)
    (received,) = (await axis.got("H37", "/v1/documents"))["documents"]
    assert (received["side"], "open" in received, recipients(received)) == ("received", False, ["H37", "H37.20"])
    (below,) = (await axis.got("H37.05", "/v1/documents"))["documents"]
    assert recipients(below) == ["H37.05"]
    assert (await axis.got("Z01", "/v1/documents"))["documents"] == []
    # Who was addressed stands in the envelope; what another did with it cannot be asked for either.
    assert len((await axis.got("H37", "/v1/documents?recipient=K99"))["documents"]) == 1
    for question in ("status=06", "state=taken", "status=06&recipient=K99", "state=taken&recipient=K99"):
        assert (await axis.got("H37", f"/v1/documents?{question}"))["documents"] == []
        assert len((await axis.got("G22", f"/v1/documents?{question}"))["documents"]) == 1


async def test_documents_are_found_by_what_is_known_of_them(axis: Office) -> None:
    await axis.send()
    for question in ("words=ket+noi", "sender=G22", "since=2026-11-24T00:00:00Z", "side=received", "state=routed"):
        assert len((await axis.got("H37", f"/v1/documents?{question}"))["documents"]) == 1, question
    for question in ("words=thu+moi", "sender=K99", "until=2026-11-24T00:00:00%2B07:00", "side=sent", "status=03"):
        assert (await axis.got("H37", f"/v1/documents?{question}"))["documents"] == [], question


async def test_pages_go_on_where_the_last_one_ended(axis: Office) -> None:
    sent = [await axis.send(NOW + dt.timedelta(seconds=second)) for second in range(5)]
    found, question = [], ""
    for _ in range(4):
        page = await axis.got("G22", f"/v1/documents?limit=2{question}")
        found += [each["envelope"] for each in page["documents"]]
        if page["next"] is None:
            break
        question = f"&before={page['next']}"
    assert found == sent[::-1]


@pytest.mark.parametrize(
    "question",
    [
        "limit=0", "limit=101", "limit=-1", "limit=1e9", "limit=²", "limit=1&limit=2", "nonsense=1", "open=true",
        "account=G22", "state=gone", "since=yesterday", "since=2026-11-24", "since=2026-11-24T00:00:00",
        "since=0001-01-01T00:00:00%2B14:00", "before=x", "sender=h37'%20OR%201=1", "sender=..", "words=" + "x" * 501,
        "words=%00", "side=both",
    ],
)  # fmt: skip
async def test_a_question_that_is_not_understood_is_refused(axis: Office, question: str) -> None:
    answer = await axis.ask("G22", f"/v1/documents?{question}")
    assert (answer.status_code, answer.json()["code"]) == (400, "http/query")


PATHS = (
    ("GET", "/v1/documents"),
    ("GET", f"/v1/documents/{ABSENT}"),
    ("GET", "/v1/statuses"),
    ("GET", "/v1/changes"),
    ("GET", "/v1/agencies"),
    ("GET", "/v1/webhooks"),
    ("PUT", f"/v1/webhooks/{'0' * 64}"),
    ("DELETE", f"/v1/webhooks/{'0' * 64}"),
    ("POST", f"/v1/webhooks/{'0' * 64}/retry"),
)


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_each_address_wants_a_token_by_the_agencys_own_key(axis: Office, method: str, path: str) -> None:
    bare = await axis.client.request(method, path)
    assert (bare.status_code, bare.json()["code"]) == (401, "token/missing")
    # A key above a unit signs for it, and a token it makes opens blobs; what came to the unit is the unit's.
    above = await axis.ask("H37.05", path, method, key="H37")
    assert (above.status_code, above.json()["code"]) == (403, "api/not-own")
    for other in {*CODES} - {"H37.05", "H37"}:
        stolen = await axis.ask("H37.05", path, method, key=other)
        assert (stolen.status_code, stolen.json()["code"]) == (401, "abuse/signer")
    below = await axis.ask("H37", path, method, key="H37.05")
    assert (below.status_code, below.json()["code"]) == (401, "abuse/signer")


async def test_who_asks_too_often_is_told_when_to_come_back(axis: Office) -> None:
    for _ in range(60):
        answer = await axis.ask("G22", "/v1/agencies?limit=1")
    assert (answer.status_code, answer.json()["code"]) == (429, "limit/requests")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await axis.ask("H37", "/v1/agencies?limit=1")).status_code == 200


async def test_a_store_that_is_away_is_said(axis: Office) -> None:
    axis.store.available = False
    for path in ("/v1/documents", f"/v1/documents/{new_id(NOW)}", "/v1/changes", "/v1/statuses", "/v1/webhooks"):
        answer = await axis.ask("G22", path)
        assert (answer.status_code, answer.json()["code"]) == (503, "axis/unavailable")
