"""A fault of ours over one message, wherever it strikes, sets that message aside and no other."""

import hashlib
from pathlib import Path

import pytest

from schemas import Receipt
from tests.rig import Process, envelope_id, rig, until
from tests.services import Vhost

POISONING = str(Path(__file__).parents[1] / "poisoning.py")
POISON = "POISON"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.mark.parametrize("point", ["reading", "resolving", "looking up", "placing", "committing"])
async def test_one_document_that_fails(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("POISON_AT", point)
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        first, bad, last = (
            axis.submission(axis.envelope(document={"subject": subject})) for subject in ("a", POISON, "b")
        )
        # All there before the router, so that they make one batch.
        await axis.send_as("G22", first, bad, last)
        async with axis.worker("router", script=POISONING) as router:
            receipts = {each.message_id: each for each in await axis.receipts("G22", 3)}
            mail = await axis.mail("H37", 2)
            await until(lambda: _refused(router))
            assert [envelope_id(each) for each in mail] == [first.message_id, last.message_id]
            _check(receipts[bad.message_id], bad.body, _refused(router))
            assert {receipts[each.message_id].outcome for each in (first, last)} == {"accepted"}
        (kept,) = await axis.store.quarantined()
        assert (kept.reason, kept.body, kept.count) == ("message/poison", bad.body, 1)
        assert await axis.waiting("axis.route.normal") == 0


@pytest.mark.parametrize("point", ["reading", "judging", "committing"])
async def test_one_status_that_fails(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("POISON_AT", point)
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        document = axis.submission(axis.envelope())
        await axis.send_as("G22", document)
        async with axis.worker("router"):
            await axis.notices("G22", 1)
        first, bad, last = (
            axis.status("H37", document.message_id, code, reason=reason)
            for code, reason in (("01", "a"), ("03", POISON), ("05", "b"))
        )
        await axis.send_as("H37", first, bad, last)
        async with axis.worker("tracker", script=POISONING) as tracker:
            forwarded = await axis.notices("G22", 2)
            (receipt,) = await axis.receipts("H37", 1)
            await until(lambda: _refused(tracker))
            assert [each.message_id for each in forwarded] == [first.message_id, last.message_id]
            _check(receipt, bad.body, _refused(tracker))
        (tracked,) = await axis.store.track(document.message_id)
        assert {each.code for each in tracked.statuses} == {"01", "05"}
        assert tracked.deliveries[0].last_status == "05"
        (kept,) = await axis.store.quarantined()
        assert (kept.reason, kept.body, kept.count) == ("message/poison", bad.body, 1)
        assert await axis.waiting("axis.track") == 0


def _check(receipt: Receipt, body: bytes, lines: list[dict[str, object]]) -> None:
    assert (receipt.code, receipt.message_sha256) == ("message/poison", hashlib.sha256(body).hexdigest())
    assert receipt.detail == "ZeroDivisionError while the message was processed"
    assert [(each["code"], each["quarantined"]) for each in lines] == [("message/poison", True)]


def _refused(process: Process) -> list[dict[str, object]]:
    return [each for each in process.events() if each["event"] == "refused"]
