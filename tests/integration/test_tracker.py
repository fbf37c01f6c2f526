"""The tracker as a process: the life of deliveries, who is told, repeats, and two trackers at once."""

import itertools
import random
from pathlib import Path

from axis.core.messages import Outgoing
from schemas.wire import SIGNATURE_HEADER
from tests.rig import Rig, rig, until
from tests.services import Vhost


async def test_statuses_in_any_order_end_in_the_same_state_and_reach_the_sender_byte_for_byte(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    orders = list(itertools.permutations(["01", "03", "05", "06"]))
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        documents = await _documents(axis, ["H37"], len(orders))
        sent = [
            axis.status("H37", document, code)
            for document, order in zip(documents, orders, strict=True)
            for code in order
        ]
        async with axis.worker("tracker"):
            await axis.send_as("H37", *sent)
            forwarded = {each.message_id: each for each in await axis.notices("G22", len(sent))}
        for status in sent:
            notice = forwarded[status.message_id]
            assert (notice.body, notice.type, notice.account) == (status.body, "status", None)
            assert notice.headers[SIGNATURE_HEADER] == status.headers[SIGNATURE_HEADER]
        for document, order in zip(documents, orders, strict=True):
            (tracked,) = await axis.store.track(document)
            assert [each.last_status for each in tracked.deliveries] == ["06"]
            effects = {each.code: str(each.effect) for each in tracked.statuses}
            furthest = list(itertools.accumulate(order, max))
            assert effects == {
                code: "advanced" if code == so_far else "late" for code, so_far in zip(order, furthest, strict=True)
            }


async def test_a_mailbox_speaks_for_the_unit_behind_it_and_a_successor_for_itself(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"], without_mailbox=["H37.05"])
        (document,) = await _documents(axis, ["H37", "H37.05"], 1)
        async with axis.worker("tracker"):
            own = axis.status("H37", document, "03")
            units = axis.status("H37", document, "02", recipient="H37.05", reason="Gửi nhầm")
            # Under the parent's account and key path, signed by the unit's own certificate.
            itself = axis.status("H37.05", document, "01", user_id="H37")
            await axis.send_as("H37", own, units, itself)
            assert {each.message_id for each in await axis.notices("G22", 3)} == {
                own.message_id,
                units.message_id,
                itself.message_id,
            }
        assert await _last(axis, document) == {"H37": "03", "H37.05": "02"}


async def test_a_take_back_goes_to_the_recipient_and_its_answer_to_the_sender(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "H26"])
        (document,) = await _documents(axis, ["H37", "H26"], 1)
        async with axis.worker("tracker"):
            asked = axis.status("G22", document, "13", recipient="H37", reason="Sai thể thức")
            await axis.send_as("G22", asked)
            assert [each.message_id for each in await axis.notices("H37", 1)] == [asked.message_id]
            agreed = axis.status("H37", document, "15")
            await axis.send_as("H37", agreed)
            assert [each.message_id for each in await axis.notices("G22", 1)] == [agreed.message_id]
            assert await axis.take("notices.H26", 0) == []
        assert await _last(axis, document) == {"H37": None, "H26": None}


async def test_the_same_status_again_is_recorded_once(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        (document,) = await _documents(axis, ["H37"], 1)
        status = axis.status("H37", document, "03")
        async with axis.worker("tracker", batch_linger_ms="50") as tracker:
            await axis.send_as("H37", status, status)
            await axis.send_as("H37", status)
            forwarded = await axis.notices("G22", 3)
            assert {(each.message_id, each.body) for each in forwarded} == {(status.message_id, status.body)}
            assert await tracker.counted("axis_messages_total", outcome="refused") == 0
        assert sorted(each["event"] for each in tracker.events() if each["event"] in {"advanced", "duplicate"}) == [
            "advanced",
            "duplicate",
            "duplicate",
        ]
        (tracked,) = await axis.store.track(document)
        assert [each.code for each in tracked.statuses] == ["03"]


async def test_two_trackers_never_move_a_delivery_from_the_same_state(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    codes = ["H37", "H26", "H29"]
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", *codes])
        documents = await _documents(axis, codes, 10)
        sent: dict[str, list[Outgoing]] = {
            code: [axis.status(code, document, step) for document in documents for step in ("01", "03", "05", "06")]
            for code in codes
        }
        chance = random.Random(20)  # noqa: S311 - an order, not a secret
        settings = {"batch_size": "4"}
        async with axis.worker("tracker", **settings) as one, axis.worker("tracker", **settings) as two:
            for code, statuses in sent.items():
                chance.shuffle(statuses)
                await axis.send_as(code, *statuses, *statuses)
            count = 2 * len(codes) * 4 * len(documents)
            await until(lambda: sum(_handled(each.events()) for each in (one, two)) == count)
            assert all(_handled(each.events()) for each in (one, two)), "both took part"
        for document in documents:
            (tracked,) = await axis.store.track(document)
            assert await _last(axis, document) == dict.fromkeys(codes, "06")
            assert len(tracked.statuses) == 4 * len(codes)
        assert await axis.waiting("axis.track") == 0


async def _documents(axis: Rig, recipients: list[str], count: int) -> list[str]:
    """Send documents and let a router deliver them; return their ids."""
    messages = [axis.submission(axis.envelope(recipients=recipients)) for _ in range(count)]
    async with axis.worker("router"):
        await axis.send_as("G22", *messages)
        await axis.notices("G22", count)
    return [message.message_id for message in messages]


async def _last(axis: Rig, document: str) -> dict[str, str | None]:
    (tracked,) = await axis.store.track(document)
    return {each.recipient: each.last_status for each in tracked.deliveries}


def _handled(events: list[dict[str, object]]) -> int:
    return sum(each["event"] in {"advanced", "repeated", "late", "noted", "duplicate"} for each in events)
