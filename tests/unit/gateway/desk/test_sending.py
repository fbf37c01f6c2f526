"""What a document system sends, over both profiles: one document however often it is sent."""

import asyncio
import json
import unicodedata
from typing import Any

import pytest

from axis.core.partners import Kind, Plane, Profile
from axis.core.reading import parse_envelope
from axis.edxml import Business, Replacement, attach
from axis.errors import Unavailable
from schemas import Action
from tests.unit.gateway.desk.harness import REST, SYSTEM, Rig, came, document_id, package, status_package
from tests.vxp_client import BOUNDARY, multipart


def envelopes(desk: Rig) -> list[Any]:
    return [parse_envelope(each.body) for each in desk.world.post.published if each.type == "document"]


async def test_a_package_becomes_one_envelope_with_the_package_itself(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    sent = package()
    answer = await desk.vxp().send(sent)
    assert (answer["status"], answer["ErrorCode"]) == ("OK", "0")
    (envelope,) = envelopes(desk)
    assert (envelope.id, envelope.sender, envelope.recipients) == (answer["DocId"], "H37", ["G22"])
    original = envelope.attachments[-1]
    assert original.role == "package"
    assert desk.world.shelf.files[original.sha256] == sent
    assert list((desk.folder / "desk" / "spool").iterdir()) == []


async def test_a_repeat_is_the_same_document_and_another_content_is_another(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    client, sent = desk.vxp(), package()
    first, *repeats = await asyncio.gather(*(client.send(sent) for _ in range(3)))
    assert all(each == first for each in repeats)
    assert await client.send(sent) == first
    other = await client.send(package(content=b"%PDF-1.7 khac"))
    assert other["status"] == "OK"
    assert other["DocId"] != first["DocId"]
    assert len({each.id for each in envelopes(desk)}) == 2
    assert (desk.world.settings.state_folder / "ledger.sqlite3").exists()


async def test_ok_means_kept_on_disk_even_while_the_broker_is_away(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    desk.world.post.away = True
    answer = await desk.vxp().send(package())
    assert answer["status"] == "OK"
    assert envelopes(desk) == []
    desk.world.post.away = False
    await desk.until(lambda: len(envelopes(desk)) == 1)
    assert envelopes(desk)[0].id == answer["DocId"]


async def test_nothing_is_promised_while_the_blob_store_is_away_and_the_repeat_is_one_document(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    desk.world.shelf.away = True
    client, sent = desk.vxp(), package()
    answer = await client.send(sent)
    assert (answer["status"], answer["code"]) == ("FAIL", "axis/unavailable")
    desk.world.shelf.away = False
    assert (await client.send(sent))["status"] == "OK"
    assert len(envelopes(desk)) == 1


async def test_an_agency_that_is_not_connected_is_said_to_be_away(desk: Rig) -> None:
    await desk.add()
    response = await desk.vxp().post(
        "sendEdoc",
        desk.vxp().headers({"messagetype": "edoc", "hash-file": "0" * 64})
        | {b"Content-Type": f"multipart/form-data; boundary={BOUNDARY}".encode()},
        multipart("file_doc", b""),
    )
    assert response.json()["code"] == "partner/hash-file"
    answer = await desk.vxp().send(package())
    assert (answer["code"], answer["status"]) == ("partner/away", "FAIL")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"not xml at all", "edxml/not-well-formed"),
        (package()[:-40], "edxml/not-well-formed"),
        (package(sender="000.00.00.H53"), "partner/not-served"),
        (package(recipients=("khong phai ma",)), "code/malformed"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "edxml/doctype"),
    ],
)
async def test_what_is_wrong_with_a_package_is_said_with_a_code(desk: Rig, sent: bytes, code: str) -> None:
    await desk.add()
    await desk.connected()
    answer = await desk.vxp().send(sent)
    assert (answer["status"], answer["code"]) == ("FAIL", code)
    assert answer["ErrorDesc"].endswith(f"[{code}]")
    assert envelopes(desk) == []
    assert await desk.store.partners.sent(SYSTEM, Kind.EDOC, size=10, page=0) == []


async def test_nothing_of_a_state_secret_is_kept(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    field = "<edXML:SecurityLevel>Tuyệt mật</edXML:SecurityLevel><edXML:Subject>".encode()
    declared = package().replace(b"<edXML:Subject>", field)
    assert declared != package()
    named = package(attachments=(attach("Phụ lục (MẬT).pdf", b"%PDF"),))
    for marked in (declared, named):
        answer = await desk.vxp().send(marked)
        assert (answer["status"], answer["code"]) == ("FAIL", "secrecy/marked")
    assert await desk.store.partners.sent(SYSTEM, Kind.EDOC, size=10, page=0) == []
    assert desk.world.shelf.files == {}
    assert not list((desk.folder / "desk" / "spool").iterdir())


async def test_a_strict_partner_is_told_what_a_lenient_one_is_forgiven(desk: Rig) -> None:
    await desk.add(strict=True)
    await desk.connected()
    loose = package(subject=None)
    answer = await desk.vxp().send(loose)
    assert answer["status"] == "FAIL"
    assert answer["code"].startswith("edxml/")
    await desk.add(strict=False)
    assert (await desk.vxp().send(loose))["status"] == "OK"


async def test_the_request_says_whose_package_it_is(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    answer = await desk.vxp().send(package(sender="000.00.05.H37"))
    assert answer["code"] == "partner/parameter"  # `from` says H37
    assert (await desk.vxp().send(package(sender="H37.05"), **{"from": "000.00.05.H37"}))["status"] == "OK"
    assert envelopes(desk)[0].sender == "H37.05"
    answer = await desk.vxp().send(package(), "status")
    assert answer["code"] == "partner/parameter"


async def test_a_recall_finds_its_document(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    first = await desk.vxp().send(package())
    recall = package(business=Business(kind=Action.RECALL, type="1", reason="Gửi nhầm"))
    assert (await desk.vxp().send(recall))["code"] == "partner/unknown-document"  # the axis has not seen it yet
    await desk.accept(next(each.body for each in desk.world.post.published), mailbox="G22")
    receipt = desk.world.receipt(first["DocId"], also={"outcome": "accepted", "code": None})
    await desk.world.post.put("notices.H37", receipt)  # what acts on a document waits for that one's receipt
    answer = await desk.vxp().send(recall)
    assert answer["status"] == "OK"
    assert (envelopes(desk)[1].action, envelopes(desk)[1].concerns) == ("recall", first["DocId"])
    named = document_id("000.00.00.H37,2026/11/24,15/UBND-TTĐT")
    replacing = Business(kind=Action.REPLACE, type="3", replacements=(Replacement(document_id=named),))
    answer = await desk.vxp().send(package("16", business=replacing))
    assert answer["status"] == "OK"
    assert envelopes(desk)[2].concerns == first["DocId"]
    updating = Business(kind=Action.UPDATE, type="2", document_id=named)
    assert (await desk.vxp().send(package("17", business=updating)))["status"] == "OK"


async def test_a_status_package_is_reported_of_the_document_that_came(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    document = desk.world.document(recipients=["H37.05", "H37"])
    envelope = await desk.accept(document.body)
    sent = status_package("03")
    answer = await desk.vxp().send(sent, "status")
    assert answer["status"] == "OK"
    assert await desk.vxp().send(sent, "status") == answer
    assert desk.world.post.statuses() == [("03", "H37", None, None)]
    unit = status_package("02", reporter="000.00.05.H37", reason="Sai thẩm quyền")
    assert (await desk.vxp().send(unit, "status", **{"from": "000.00.05.H37"}))["status"] == "OK"
    assert desk.world.post.statuses()[1] == ("02", "H37.05", None, "Sai thẩm quyền")
    (kept, _) = sorted(await desk.store.partners.sent(SYSTEM, Kind.STATUS, size=9, page=0), key=lambda one: one.doc_id)
    assert (kept.state, kept.recipients, kept.document_id) == (Plane.DONE, ("G22",), "G22,2026/11/24,7816/VPCP-TTĐT")
    assert json.loads(desk.world.post.published[0].body)["envelope"] == envelope


async def test_a_status_that_the_axis_refused_is_told_to_whoever_says_it_again(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    await came(desk, desk.world.document())
    await desk.waiting()
    sent = status_package("03")
    answer = await desk.vxp().send(sent, "status")
    (status,) = [each for each in desk.world.post.published if each.type == "status"]
    said = {"message_type": "status", "code": "status/not-recipient", "detail": "H37 got none"}
    await desk.world.post.put("notices.H37", desk.world.receipt(status.message_id, also=said))

    async def told() -> bool:
        (row,) = (await desk.vxp().call("getSentEdocList", messagetype="status", docId=answer["DocId"]))["data"]
        desk.clock.seconds += 1
        return bool(row["sendStatus"] == row["receiveStatus"] == "fail" and "H37 got none" in row["sendStatusDesc"])

    await desk.until(told)
    again = await desk.vxp().send(sent, "status")
    assert (again["status"], again["code"]) == ("FAIL", "status/not-recipient")
    assert "H37 got none" in again["ErrorDesc"]
    assert len([each for each in desk.world.post.published if each.type == "status"]) == 1


async def test_a_status_about_nothing_we_know_is_refused(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    assert (await desk.vxp().send(status_package("03"), "status"))["code"] == "partner/unknown-document"
    await desk.accept(desk.world.document(recipients=["H53"]).body, mailbox="H53")  # went to somebody else
    assert (await desk.vxp().send(status_package("03"), "status"))["code"] == "partner/unknown-document"
    assert (await desk.vxp().send(status_package("13", reason="x"), "status"))["code"] == "partner/unknown-document"
    assert (await desk.vxp().send(status_package("103"), "status"))["code"] == "edxml/conversion"
    assert (await desk.vxp().send(status_package("02"), "status"))["status"] == "FAIL"


async def test_a_take_back_is_about_a_document_that_was_sent(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    await desk.vxp().send(package())
    await desk.accept(desk.world.post.published[0].body, mailbox="G22")
    taken = status_package("13", document="000.00.00.H37,2026/11/24,15/UBND-TTĐT", reason="Gửi nhầm")
    assert (await desk.vxp().send(taken, "status"))["status"] == "OK"
    assert desk.world.post.statuses() == [("13", "H37", "G22", "Gửi nhầm")]


async def test_a_recall_and_a_take_back_are_about_the_version_that_the_other_party_got(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    sent = []
    for to in ("000.00.00.G22", "000.00.00.H53"):
        answer = await desk.vxp().send(package(recipients=(to,)))
        await desk.accept(desk.world.post.published[-1].body, mailbox=to[-3:])
        receipt = desk.world.receipt(answer["DocId"], also={"outcome": "accepted", "code": None})
        await desk.world.post.put("notices.H37", receipt)
        sent.append(answer["DocId"])
    taken = status_package("13", document="000.00.00.H37,2026/11/24,15/UBND-TTĐT", reason="Gửi nhầm")
    assert (await desk.vxp().send(taken, "status"))["status"] == "OK"
    assert json.loads(desk.world.post.published[-1].body)["envelope"] == sent[0]
    back = Business(kind=Action.RECALL, type="1", reason="Gửi nhầm")
    answer = await desk.vxp().send(package(recipients=("000.00.00.G22", "000.00.00.H53"), business=back))
    assert (answer["code"], "G22" in answer["ErrorDesc"]) == ("concerns/not-recipient", True)
    assert (await desk.vxp().send(package(business=back)))["status"] == "OK"
    assert envelopes(desk)[-1].concerns == sent[0]


async def test_nfd_and_nfc_are_one_document(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    composed = package()
    first = await desk.vxp().send(composed)
    decomposed = unicodedata.normalize("NFD", composed.decode()).encode()
    second = await desk.vxp().send(decomposed)
    assert first["status"] == second["status"] == "OK"
    assert {each.document.document_id for each in envelopes(desk)} == {"000.00.00.H37,2026/11/24,15/UBND-TTĐT"}


async def test_the_rest_profile_sends_too_and_answers_in_both_shapes(desk: Rig) -> None:
    secret = await desk.add(Profile.LGSP, REST)
    await desk.connected()
    headers = {"X-SystemId": REST, "X-SecretKey": secret, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    async def send(sent: bytes, kind: str = "edoc", name: str = "edocFile") -> Any:
        body = multipart(name, sent, {"messageType": kind})
        return (await desk.http.post("/lgsp/v1/sendEdoc", headers=headers, content=body)).json()

    answer = await send(package())
    assert (answer["success"], answer["status"], answer["errorCode"]) == (True, "OK", 0)
    assert answer["data"] == {"docId": envelopes(desk)[0].id}
    assert (await send(b"nothing"))["errorCode"] == 22
    assert (await send(package(sender="000.00.00.H53")))["errorCode"] == 19
    assert (await send(package(), name="file"))["errorCode"] == 10
    assert (await send(package(), kind="letter"))["code"] == "partner/parameter"


async def test_a_refusal_of_the_sdk_is_kept_and_may_be_mended(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    desk.world.shelf.refuses = "limit/uploads"
    sent = package()
    answer = await desk.vxp().send(sent)
    assert answer["code"] == "limit/uploads"
    (kept,) = await desk.store.partners.sent(SYSTEM, Kind.EDOC, size=9, page=0)
    assert kept.state is Plane.FAIL
    desk.world.shelf.refuses = None
    assert (await desk.vxp().send(sent))["DocId"] == kept.doc_id


async def test_what_the_axis_refused_is_sent_anew_when_it_comes_again(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    client, sent = desk.vxp(), package()
    first = await client.send(sent)
    refused = {"recipient": "G22", "outcome": "refused", "code": "recipient/unknown"}
    await desk.world.post.put("notices.H37", desk.world.receipt(first["DocId"], also={"recipients": [refused]}))

    async def states() -> list[Plane]:
        return [each.state for each in await desk.store.partners.sent(SYSTEM, Kind.EDOC, size=9, page=0)]

    async def told() -> bool:
        return await states() == [Plane.FAIL]

    await desk.until(told)
    second, *repeats = await asyncio.gather(*(client.send(sent) for _ in range(3)))
    assert second["status"] == "OK"
    assert second["DocId"] != first["DocId"]
    assert repeats == [second, second]
    assert [each.id for each in envelopes(desk)] == [first["DocId"], second["DocId"]]
    assert await states() == [Plane.PROCESSING]


async def test_a_store_that_is_away_promises_nothing(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    desk.store.available = False
    response = await desk.vxp().post("getReceivedEdocList", desk.vxp().headers({"messagetype": "edoc"}))
    assert (response.status_code, response.json()["code"]) == (503, "axis/unavailable")
    assert response.headers["retry-after"] == "5"
    with pytest.raises(Unavailable):
        await desk.desk.agencies.load()
