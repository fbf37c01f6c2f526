"""What comes for a document system: listed, fetched byte for byte, acknowledged; 01 when it says that it has it."""

import base64
import hashlib
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from axis.client.building import Author
from axis.client.package import acted_on
from axis.core.messages import Submission
from axis.core.partners import CodeForm, Kind, Plane, Profile, Wanted
from axis.edxml import EdxmlDocument, EdxmlStatus, attach, read
from axis.gateway.desk import DeskLimits
from schemas import Action, StatusCode
from schemas.wire import SIGNATURE_HEADER
from tests.unit.client.doubles import paper
from tests.unit.gateway.desk.harness import NORMAL, REST, SYSTEM, Rig, came, described, document_id, package, rig

OF_G22 = document_id(paper().document_id)


async def test_a_document_that_came_as_a_package_is_handed_out_byte_for_byte(desk: Rig) -> None:
    await desk.add()
    original = package(sender="000.00.00.G22", recipients=("000.00.00.H37",), document_id=OF_G22, content=b"%PDF")
    files = described(desk, ("15.pdf", b"%PDF", "main"), ("goc.edxml", original, "package"))
    document = desk.world.document(attachments=files)
    await came(desk, document)
    await desk.connected()
    await desk.waiting()
    (row,) = (await desk.vxp().call("getReceivedEdocList", servicetype="eDoc", messagetype="edoc"))["data"]
    assert row["from"] == "000.00.00.G22"
    assert row["to"] == "000.00.00.H37"
    assert (row["status"], row["serviceType"], row["messageType"]) == ("initial", "eDoc", "edoc")
    answer = await desk.vxp().call("getEdoc", docId=row["docId"], filePath="vxp")
    assert (answer["status"], answer["ErrorCode"]) == ("OK", "0")
    assert base64.b64decode(answer["data"], validate=True) == original
    raw = await desk.vxp().post("downloadEdoc", desk.vxp().headers({"docId": row["docId"]}))
    assert raw.content == original
    assert desk.world.post.published == []  # fetching reports nothing


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ({"sender": "000.00.00.H26"}, "sender"),
        ({"document_id": document_id("000.00.00.G22,2026/11/24,1/QĐ-TTg")}, "document"),
        ({"attachments": (attach("15.pdf", b"%PDF another"),)}, "list of files"),
    ],
)
async def test_a_package_that_says_another_thing_than_its_signed_envelope_is_written_anew(
    desk: Rig, lie: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.add()
    honest = {"sender": "000.00.00.G22", "document_id": OF_G22}
    forged = package(recipients=("000.00.00.H37",), content=b"%PDF", **{**honest, **lie})
    files = described(desk, ("15.pdf", b"%PDF", "main"), ("goc.edxml", forged, "package"))
    await came(desk, desk.world.document(attachments=files))
    await desk.connected()
    (waiting,) = await desk.waiting()
    written = base64.b64decode((await desk.vxp().call("getEdoc", docId=waiting.doc_id))["data"])
    assert written != forged
    said = read(io.BytesIO(written))
    assert isinstance(said, EdxmlDocument)
    assert said.sender.organ_id == "000.00.00.G22"
    assert said.document_id.text == OF_G22.text
    assert [each.content.read() for each in said.attachments] == [b"%PDF"]
    assert f"another {told} " in capsys.readouterr().out


async def test_a_document_that_did_not_is_written_once_and_stays_the_same(desk: Rig) -> None:
    await desk.add()
    content = b"%PDF-1.7 " + bytes(range(256)) * 50
    document = desk.world.document(attachments=described(desk, ("7816-VPCP.pdf", content, "main")))
    await came(desk, document)
    await desk.connected()
    (waiting,) = await desk.waiting()
    first = base64.b64decode((await desk.vxp().call("getEdoc", docId=waiting.doc_id))["data"])
    desk.world.shelf.files.clear()
    again = base64.b64decode((await desk.vxp().call("getEdoc", docId=waiting.doc_id))["data"])
    assert first == again
    assert hashlib.sha256(first).hexdigest() == waiting.sha256
    said = read(io.BytesIO(first))
    assert isinstance(said, EdxmlDocument)
    assert said.sender.organ_id == "000.00.00.G22"
    assert said.sender.name == "Văn phòng Chính phủ"
    assert said.document_id.text == "G22,2026/11/24,7816/VPCP-TTĐT"
    assert said.attachments[0].content.read() == content
    assert not list((desk.folder / "desk" / "spool").iterdir())


async def test_codes_are_written_in_the_form_the_partner_reads(desk: Rig) -> None:
    await desk.add(code_form=CodeForm.QD20)
    await came(desk, desk.world.document(recipients=["H37.05"], routes={"H37": [0, 0]}))
    await desk.connected()
    (waiting,) = await desk.waiting()
    (row,) = (await desk.vxp().call("getReceivedEdocList", messagetype="edoc"))["data"]
    assert (row["from"], row["to"]) == ("G22", "H37.05")
    said = read(base64.b64decode((await desk.vxp().call("getEdoc", docId=waiting.doc_id))["data"]))
    assert said.sender.organ_id == "G22"


async def test_01_goes_out_when_the_partner_has_it_and_not_before(desk: Rig) -> None:
    await desk.add()
    document = desk.world.document(recipients=["H37", "H37.05"], routes={"H37": [0, 1]})
    await came(desk, document)
    await desk.connected()
    (waiting,) = await desk.waiting()
    await desk.until(lambda: desk.world.post.unacked == [] and desk.world.post.waiting(NORMAL) == [])
    assert (await desk.vxp().call("updateStatus", docId=waiting.doc_id, status="processing"))["status"] == "OK"
    assert desk.world.post.published == []
    for _ in range(2):
        assert (await desk.vxp().call("updateStatus", docId=waiting.doc_id, status="done"))["status"] == "OK"
    await desk.until(lambda: len(desk.world.post.statuses()) == 2)
    assert desk.world.post.statuses() == [("01", "H37", None, None), ("01", "H37", "H37.05", None)]
    assert (await desk.vxp().call("getReceivedEdocList", messagetype="edoc"))["data"] == []
    answer = await desk.vxp().call("updateStatus", docId=waiting.doc_id, status="fail")
    assert answer["code"] == "partner/state"


async def test_unquoted_ids_and_docid_in_small_letters_are_read(desk: Rig) -> None:
    await desk.add()
    await came(desk, desk.world.document())
    await desk.connected()
    (waiting,) = await desk.waiting()
    client = desk.vxp()
    text = (
        f'{{"XroadVnpt-systemid":"{SYSTEM}","XroadVnpt-timestamp":"{client.timestamp}",'
        f'"XroadVnpt-docid":{waiting.doc_id},"XroadVnpt-status":"done"}}'
    )
    headers = client.headers({"docid": waiting.doc_id, "status": "done"}, text=text)
    assert (await client.post("updateStatus", headers)).json()["status"] == "OK"
    await desk.until(lambda: desk.world.post.statuses() == [("01", "H37", None, None)])


async def test_what_failed_there_leaves_the_list_and_may_be_asked_for_again(desk: Rig) -> None:
    await desk.add()
    await came(desk, desk.world.document())
    await desk.connected()
    (waiting,) = await desk.waiting()
    said: dict[str, Any] = {"docId": waiting.doc_id, "status": "fail", "description": "Không giải mã được tệp"}
    assert (await desk.vxp().call("updateStatus", **said))["status"] == "OK"
    assert (await desk.vxp().call("getReceivedEdocList", messagetype="edoc"))["data"] == []
    (row,) = (await desk.vxp().call("getReceivedEdocList", messagetype="edoc", status="fail"))["data"]
    assert row["status_desc"] == "Không giải mã được tệp"
    assert desk.world.post.published == []
    assert (await desk.vxp().call("updateStatus", docId=waiting.doc_id, status="done"))["status"] == "OK"
    await desk.until(lambda: desk.world.post.statuses() == [("01", "H37", None, None)])


async def test_statuses_of_others_are_packages_too(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    sent = await desk.vxp().send(package())
    await desk.accept(desk.world.post.published[0].body, mailbox="G22")
    await desk.world.post.put("notices.H37", desk.world.status(sent["DocId"], StatusCode.ACCEPTED))
    (waiting,) = await desk.waiting(Kind.STATUS)
    (row,) = (await desk.vxp().call("getReceivedEdocList", messagetype="status"))["data"]
    assert (row["from"], row["to"]) == ("000.00.00.G22", "000.00.00.H37")
    said = read(base64.b64decode((await desk.vxp().call("getEdoc", docId=waiting.doc_id))["data"]))
    assert isinstance(said, EdxmlStatus)
    assert (said.code, said.response.organ_id) == ("03", "000.00.00.H37")
    assert said.response.document_id is not None
    assert said.response.document_id.text == "000.00.00.H37,2026/11/24,15/UBND-TTĐT"
    assert (await desk.vxp().call("countReceiveStatus"))["data"] == 1
    assert (await desk.vxp().call("updateStatus", docId=waiting.doc_id, status="done"))["status"] == "OK"
    assert (await desk.vxp().call("countReceiveStatus"))["data"] == 0
    assert (await desk.vxp().call("countReceiveEdoc"))["data"] == 0
    assert desk.world.post.statuses() == []  # a status is answered by nothing
    (row,) = (await desk.vxp().call("getSentEdocList", messagetype="edoc", docId=sent["DocId"]))["data"]
    assert (row["receiveStatus"], row["receiveStatusDesc"][:2]) == ("done", "03")


async def test_the_receipt_decides_what_is_told_of_what_was_sent(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    sent = await desk.vxp().send(package())

    async def row() -> Any:
        (found,) = (await desk.vxp().call("getSentEdocList", servicetype="eDoc", messagetype="edoc"))["data"]
        return found

    before = await row()
    assert (before["sendStatus"], before["senderDocId"]) == ("processing", sent["DocId"])
    assert (before["fromCode"], before["toCode"]) == ("000.00.00.H37", "000.00.00.G22")
    assert (before["title"], before["notation"]) == ("Về việc triển khai trục liên thông", "15/UBND-TTĐT")
    refused = {"recipient": "G22", "outcome": "refused", "code": "recipient/unknown"}
    await desk.world.post.put("notices.H37", desk.world.receipt(sent["DocId"], also={"recipients": [refused]}))

    async def failed() -> bool:
        return bool((await row())["sendStatus"] == "fail")

    await desk.until(failed)
    after = await row()
    assert after["sendStatusDesc"].startswith("recipient/unknown")
    assert after["receiveStatus"] == "fail"


def recall_of(desk: Rig, envelope_id: str) -> Submission:
    author = Author("G22", desk.world.sender.key, desk.world.clock)
    recall = author.envelope(
        sender="G22",
        recipients=["H37"],
        document=paper(),
        action=Action.RECALL,
        concerns=envelope_id,
        reason="Gửi nhầm",
    )
    headers: dict[str, object] = {SIGNATURE_HEADER: recall.signature}
    return Submission(recall.body, "axis.deliver", "", None, "document", recall.media_type, recall.id, headers)


async def test_a_recall_takes_back_what_was_not_fetched_and_its_sender_has_the_proof(desk: Rig) -> None:
    await desk.add()
    await came(desk, desk.world.document())
    await desk.connected()
    (waiting,) = await desk.waiting()
    await came(desk, recall_of(desk, waiting.message_id))
    await desk.until(lambda: [each[0] for each in desk.world.post.statuses()] == ["01", "15", "15"])
    proof = json.loads(desk.world.post.published[-1].body)["destroyed"]
    assert proof["untaken"] is True
    assert await desk.store.partners.listed(SYSTEM, Wanted(Kind.EDOC)) == []
    assert not (desk.folder / "desk" / "packages" / waiting.sha256).exists()
    assert (await desk.vxp().call("getEdoc", docId=waiting.doc_id))["code"] == "partner/withdrawn"
    assert (await desk.vxp().call("updateStatus", docId=waiting.doc_id, status="done"))["code"] == "partner/withdrawn"


async def test_a_recall_of_what_was_fetched_is_the_partners_to_answer(desk: Rig) -> None:
    await desk.add()
    await came(desk, desk.world.document())
    await desk.connected()
    (waiting,) = await desk.waiting()
    assert (await desk.vxp().call("getEdoc", docId=waiting.doc_id))["status"] == "OK"
    recall = recall_of(desk, waiting.message_id)
    await came(desk, recall)
    listed = await desk.waiting(count=2)
    assert [each.message_id for each in listed] == [waiting.message_id, recall.message_id]
    assert desk.world.post.statuses() == []


async def test_a_recall_that_overtakes_its_document_leaves_nothing_at_the_desk(desk: Rig) -> None:
    await desk.add()
    document = desk.world.document()
    await came(desk, recall_of(desk, document.message_id or ""), document)
    await desk.connected()
    await desk.until(lambda: [each[0] for each in desk.world.post.statuses()].count("15") == 2)
    await desk.until(lambda: desk.world.post.waiting(NORMAL) == [] and desk.world.post.unacked == [])
    other = desk.world.document()
    await came(desk, other)
    assert [each.message_id for each in await desk.waiting()] == [other.message_id]


async def test_a_package_written_here_names_the_document_that_it_acts_on(desk: Rig) -> None:
    await desk.add()
    first = desk.world.document()
    await came(desk, first)
    await desk.connected()
    await desk.waiting()
    await came(
        desk,
        desk.world.document(
            action=Action.REPLACE,
            concerns=first.message_id,
            reason="Nhầm",
            document_id="000.00.00.G22,2026/11/25,9/QD",
        ),
    )
    await desk.waiting(count=2)
    rows = (await desk.vxp().call("getReceivedEdocList", servicetype="eDoc", messagetype="edoc"))["data"]
    packages = [
        read(base64.b64decode((await desk.vxp().call("getEdoc", docId=each["docId"], filePath="vxp"))["data"]))
        for each in rows
    ]
    assert paper().document_id in [acted_on(each) for each in packages if isinstance(each, EdxmlDocument)]


async def test_a_partner_that_ends_is_served_no_more(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    (partner,) = await desk.store.partners.partners()

    await desk.store.partners.put(replace(partner, ended_at=partner.added_at))
    await desk.until(lambda: desk.desk.agencies.states == {})
    assert (await desk.vxp().call("countReceiveEdoc"))["code"] == "partner/credentials"


async def test_the_rest_profile_lists_fetches_and_acknowledges(desk: Rig) -> None:
    secret = await desk.add(Profile.LGSP, REST)
    document = desk.world.document()
    await came(desk, document)
    await desk.connected()
    headers = {"X-SystemId": REST, "X-SecretKey": secret}

    async def get(operation: str, **asked: str) -> Any:
        return (await desk.http.get(f"/lgsp/v1/{operation}", params=asked, headers=headers)).json()

    async def listed() -> bool:
        answer = await get("syncReceivedEdocList", messageType="edoc", fromDate="2026/11/24", toDate="2026/11/24")
        return bool(answer["count"] == 1)

    await desk.until(listed)
    (row,) = (await get("syncReceivedEdocList", messageType="edoc"))["data"]
    assert (row["from"], row["to"], row["status"]) == ("000.00.00.G22", "000.00.00.H37", "initial")
    assert (await get("syncReceivedEdocList", messageType="edoc", toDate="2026/11/23"))["count"] == 0
    answer = await get("getEdoc", docId=row["docId"])
    assert answer["success"] is True
    assert answer["data"]["fromName"] == "Văn phòng Chính phủ"
    assert read(base64.b64decode(answer["data"]["edxml"])).sender.organ_id == "000.00.00.G22"
    said = json.dumps({"docId": row["docId"], "status": "done"})
    answer = (await desk.http.post("/lgsp/v1/updateStatus", headers=headers, content=said)).json()
    assert answer["success"] is True
    await desk.until(lambda: desk.world.post.statuses() == [("01", "H37", None, None)])
    assert (await get("getEdoc", docId="nothing"))["code"] == "partner/unknown-package"
    assert (await get("getEdoc"))["code"] == "partner/parameter"


async def test_a_list_is_never_longer_than_a_page(tmp_path: Any) -> None:
    async with rig(tmp_path, DeskLimits(page=2, largest_page=3)) as desk:
        await desk.add()
        await came(desk, *(desk.world.document() for _ in range(4)))
        await desk.connected()
        await desk.waiting(count=4)

        async def listed(**asked: Any) -> list[str]:
            answer = await desk.vxp().call("getReceivedEdocList", messagetype="edoc", **asked)
            return [row["docId"] for row in answer["data"]]

        everything = [each.doc_id for each in await desk.waiting(count=4)]
        assert await listed() == everything[:2]
        assert await listed(pageSize="1000") == everything[:3]
        assert await listed(pageSize="2", pageIndex="2") == everything[2:]
        assert await listed(pageIndex="0") == everything[:2]


async def test_what_was_received_is_known_by_the_state_it_is_in(desk: Rig) -> None:
    await desk.add()
    await came(desk, desk.world.document())
    await desk.connected()
    (waiting,) = await desk.waiting()
    assert waiting.state is Plane.INITIAL
    for state in ("initial", "finished", ""):
        answer = await desk.vxp().call("updateStatus", docId=waiting.doc_id, status=state)
        assert answer["code"] == "partner/parameter"
