import pytest

from axis.core.evidence import Evidence
from axis.core.lanes import notices_queue
from axis.core.records import StatusRow
from axis.errors import Unavailable
from axis.store.fake_transaction import FakeTransaction
from axis.store.seam import Advances
from tests.builders import NOW, status_submission
from tests.contract.test_store_proofs import answer
from tests.unit.workers.harness import MINUTE, Axis, axis_of, document, status

SOURCE = "axis.track"


async def delivered(axis: Axis) -> str:
    message = document()
    await axis.router().handle([message], "axis.route.normal")
    assert message.message_id is not None
    return message.message_id


async def test_the_statuses_of_one_batch_build_on_each_other() -> None:
    axis = await axis_of(["G22", "H37"])
    known = await delivered(axis)
    batch = [status(known, code) for code in ("01", "06", "03", "06")]
    await axis.tracker().handle(batch, SOURCE)
    (tracked,) = await axis.store.track(known)
    assert tracked.deliveries[0].last_status == "06"
    assert sorted((each.code, str(each.effect)) for each in tracked.statuses) == [
        ("01", "advanced"),
        ("03", "late"),
        ("06", "advanced"),
        ("06", "repeated"),
    ]
    forwarded = [each for each in axis.broker.messages(notices_queue("G22")) if each.type == "status"]
    assert [each.body for each in forwarded] == [each.body for each in batch]


async def test_an_id_used_twice_in_one_batch_for_other_bytes_is_refused() -> None:
    axis = await axis_of(["G22", "H37"])
    known = await delivered(axis)
    first = status(known, "01")
    other = status(known, "03", id=first.message_id)
    await axis.tracker().handle([first, first, other], SOURCE)
    assert [receipt.code for receipt in axis.receipts("H37")] == ["status/id-reused"]
    assert len(axis.events("duplicate")) == 1
    (tracked,) = await axis.store.track(known)
    assert [each.code for each in tracked.statuses] == ["01"]


async def test_what_another_tracker_recorded_meanwhile_is_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    known = await delivered(axis)
    message = status(known, "03")
    original = FakeTransaction.statuses

    async def meanwhile(self: FakeTransaction, rows: list[StatusRow], advances: Advances) -> dict[str, str]:
        await original(self, rows, advances)
        return {row.id: row.sha256 for row in rows}

    with monkeypatch.context() as racing:
        racing.setattr(FakeTransaction, "statuses", meanwhile)
        with pytest.raises(Unavailable):
            await axis.tracker().handle([message], SOURCE)
    (tracked,) = await axis.store.track(known)
    assert tracked.statuses == ()
    assert tracked.deliveries[0].last_status is None
    await axis.tracker().handle([message], SOURCE)
    (tracked,) = await axis.store.track(known)
    assert tracked.deliveries[0].last_status == "03"


async def test_refusals_do_not_keep_the_rest_of_the_batch() -> None:
    axis = await axis_of(["G22", "H37"])
    known = await delivered(axis)
    good = status(known, "01")
    bad = [status_submission(b"{", account="H37"), status_submission(b"\xff", account=None)]
    await axis.tracker().handle([bad[0], good, bad[1]], SOURCE)
    assert [receipt.code for receipt in axis.receipts("H37")] == ["message/not-json"]
    assert {(each.reason, each.account) for each in await axis.store.quarantined()} == {
        ("message/not-json", "H37"),
        ("message/bad-utf8", None),
    }
    (tracked,) = await axis.store.track(known)
    assert tracked.deliveries[0].last_status == "01"


async def test_a_status_names_what_its_reporters_certificate_was_taken_on() -> None:
    axis = await axis_of(["G22", "H37"])
    sent = await delivered(axis)
    _, _, enrolled = await axis.store.directory.load_changed({"H37"})
    said = answer(this_update=NOW)
    await axis.store.proofs.keep(Evidence(enrolled[0].thumbprint, (said,)), NOW + MINUTE)
    before = status(sent, "01")
    await axis.tracker().handle([before], SOURCE)
    await axis.view.load()
    await axis.tracker().handle([status(sent, "03")], SOURCE)
    (tracked,) = await axis.store.track(sent)
    assert {each.code: each.proof and each.proof.as_of for each in tracked.statuses} == {"01": None, "03": NOW}
