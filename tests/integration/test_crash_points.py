"""A worker killed at any point of the commit order loses nothing, and nothing is applied twice."""

import datetime as dt
from pathlib import Path

import pytest

from schemas import Receipt
from tests.rig import Rig, envelope_id, rig, until
from tests.services import Vhost

_NOTHING = dt.timedelta(0)
CRASHING = str(Path(__file__).parents[1] / "crashing.py")
POINTS = ["before commit", "after commit", "after publish", "after mark", "after ack"]


async def _crash_and_go_on(axis: Rig, worker: str, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRASH_AT", point)
    monkeypatch.setenv("CRASH_MARK", str(axis.folder / "crashed"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    async with axis.worker(worker, script=CRASHING) as first:
        assert await first.died() == -9, first.log.read_text()


@pytest.mark.parametrize("point", POINTS)
async def test_a_router_killed_at_any_point(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "H26"])
        envelopes = [axis.envelope(recipients=["H37", "H26"]) for _ in range(5)]
        await axis.send_as("G22", *(axis.submission(envelope) for envelope in envelopes))
        await _crash_and_go_on(axis, "router", point, monkeypatch)
        async with axis.worker("router"):
            ids = {envelope["id"] for envelope in envelopes}
            for code in ("H37", "H26"):
                found = await axis.mail(code, 5)
                assert {envelope_id(message) for message in found} == ids
                # At most one repeat each, which the recipient drops by its id.
                assert len(found) <= 10
            receipts = [Receipt.model_validate_json(each.body) for each in await axis.notices("G22", 5)]
            assert {receipt.message_id for receipt in receipts} == ids
            by_message = {receipt.message_id: receipt.id for receipt in receipts}
            assert all(by_message[receipt.message_id] == receipt.id for receipt in receipts)
        unpublished, notices = await axis.store.unpublished(older_than=_NOTHING, limit=100)
        assert (unpublished, notices) == ([], [])


@pytest.mark.parametrize("point", POINTS)
async def test_a_tracker_killed_at_any_point(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        envelope = axis.envelope()
        async with axis.worker("router"):
            await axis.send_as("G22", axis.submission(envelope))
            await axis.notices("G22", 1)
        statuses = [axis.status("H37", envelope["id"], code) for code in ("01", "03", "05", "06")]
        await axis.send_as("H37", *statuses)
        await _crash_and_go_on(axis, "tracker", point, monkeypatch)
        async with axis.worker("tracker"):
            forwarded = await axis.notices("G22", 4)
            assert {each.message_id for each in forwarded} == {status.message_id for status in statuses}
            await until(lambda: _last_status(axis, envelope["id"], "06"))
        (tracked,) = await axis.store.track(envelope["id"])
        assert sorted(status.code for status in tracked.statuses) == ["01", "03", "05", "06"]


async def _last_status(axis: Rig, identifier: str, code: str) -> bool:
    (tracked,) = await axis.store.track(identifier)
    return tracked.deliveries[0].last_status == code
