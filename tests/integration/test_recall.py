"""Recalls on a real broker and database: in the wrong order, of what is held, answered, and with workers killed."""

from pathlib import Path

import pytest

from axis.core.conversation import Talk
from axis.core.messages import Outgoing
from schemas import Mailbox, Receipt
from tests.builders import LONG_AGO, organisation
from tests.integration.test_crash_points import _crash_and_go_on
from tests.rig import Rig, envelope_id, hash_of, now, rig, until
from tests.services import Vhost

URGENT = {"document_id": "G22,2026/11/24,1/TH", "subject": "Thu hồi văn bản", "priority": "urgent"}


def recalling(axis: Rig, document: str, *recipients: str, sender: str = "G22", urgent: bool = False) -> Outgoing:
    changes = {"document": URGENT} if urgent else {}
    return axis.submission(
        axis.envelope(
            sender, recipients or ("H37",), action="recall", concerns=document, reason="Ban hành nhầm", **changes
        )
    )


async def answers(axis: Rig, code: str, count: int) -> dict[str | None, Receipt]:
    return {each.message_id: each for each in await axis.receipts(code, count)}


async def states(axis: Rig, document: str) -> dict[str, Talk]:
    (tracked,) = await axis.store.track(document)
    return {each.recipient: each.state for each in tracked.conversations}


async def test_a_recall_is_had_with_each_recipient(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "H26"])
        document = axis.envelope(recipients=["H37", "H26"])
        recall = recalling(axis, document["id"], "H37", "H26", urgent=True)
        async with axis.worker("router"), axis.worker("tracker"):
            # It overtakes its document, and waits for it.
            await axis.send_as("G22", recall)
            await until(lambda: _waits(axis))
            await axis.send_as("G22", axis.submission(document))
            accepted = await answers(axis, "G22", 2)
            assert {each.outcome.value for each in accepted.values()} == {"accepted"}
            assert [envelope_id(each) for each in await axis.mail("H37", 1, "urgent")] == [recall.message_id]
            again = recalling(axis, document["id"], "H37", "H26")
            await axis.send_as("G22", again)
            assert (await answers(axis, "G22", 1))[again.message_id].code == "concerns/recalled"
            theirs = recalling(axis, document["id"], "H26", sender="H37")
            await axis.send_as("H37", theirs)
            assert (await answers(axis, "H37", 1))[theirs.message_id].code == "abuse/concerned"
            proof = {"at": now().isoformat(), "files": ["a" * 64]}
            await axis.send_as("H37", axis.status("H37", recall.message_id, "15"))
            await axis.send_as("H37", axis.status("H37", recall.message_id, "15", destroyed=proof))
            await axis.send_as("H26", axis.status("H26", recall.message_id, "16", reason="đã giải quyết xong"))
            assert len(await axis.notices("G22", 3)) == 3
            assert await states(axis, document["id"]) == {"H37": Talk.DESTROYED, "H26": Talk.DECLINED}


async def test_a_recall_of_what_is_held_withdraws_it_once(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22"])
        # A mailbox whose queues are not there yet: what comes is held, and was never on its way.
        await axis.store.directory.put_organisations([organisation("H37")])
        await axis.store.directory.put_mailbox(Mailbox(code="H37", valid_from=LONG_AGO, password_hash=hash_of("H37")))
        documents = [axis.envelope() for _ in range(3)]
        async with axis.worker("router"):
            await axis.send_as("G22", *map(axis.submission, documents))
            await axis.notices("G22", 3)
        held = documents[1]["id"]
        recall = recalling(axis, held, urgent=True)
        await axis.send_as("G22", recall)
        await _crash_and_go_on(axis, "router", "after commit", monkeypatch)
        await axis.apply_topology()
        async with axis.worker("router"), axis.worker("relay", relay_seconds="1"):
            (receipt,) = {each.id: each for each in await axis.receipts("G22", 1)}.values()
            assert [(each.outcome.value, each.code) for each in receipt.recipients] == [
                ("routed", "concerns/withdrawn")
            ]
            assert await states(axis, held) == {"H37": Talk.WITHDRAWN}
            taken = [envelope_id(each) for each in await axis.mail("H37", 2)]
            assert sorted(taken) == sorted([documents[0]["id"], documents[2]["id"]])
            assert await axis.waiting("mailbox.urgent.H37") == 0
        (tracked,) = await axis.store.track(held)
        assert [each.state.value for each in tracked.deliveries] == ["withdrawn"]


async def test_a_tracker_killed_over_an_answer_records_it_once(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        document = axis.envelope()
        recall = recalling(axis, document["id"])
        async with axis.worker("router"):
            await axis.send_as("G22", axis.submission(document), recall)
            await axis.notices("G22", 2)
        await axis.send_as("H37", axis.status("H37", recall.message_id, "15"))
        await _crash_and_go_on(axis, "tracker", "after commit", monkeypatch)
        async with axis.worker("tracker"):
            await axis.notices("G22", 1)
        assert await states(axis, document["id"]) == {"H37": Talk.AGREED}


async def _waits(axis: Rig) -> bool:
    return bool(await axis.store.waiting("axis.route.urgent", now().replace(year=2100), 1))
