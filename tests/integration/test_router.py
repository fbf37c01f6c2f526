"""The router as a process: receipts, duplicates, several routers at once, and ending on SIGTERM."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from axis.core.lanes import mailbox_queue, route_queue
from axis.core.messages import Submission
from axis.trust import Keyring, enrol
from schemas import Receipt
from schemas.wire import SIGNATURE_HEADER
from tests.rig import Process, Rig, envelope_id, now, rig, until
from tests.services import Vhost

_NOTHING = dt.timedelta(0)


async def counted(process: Process, outcome: str, count: int) -> bool:
    return await process.counted("axis_messages_total", outcome=outcome) >= count


async def test_a_receipt_says_what_became_of_each_recipient_and_is_signed_by_the_axis(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"], without_mailbox=["H37.05", "H44"])
        async with axis.worker("router"):
            message = axis.submission(axis.envelope(recipients=["H37.05", "H99", "H44"]))
            nobody = axis.submission(axis.envelope(recipients=["H99", "H44"]))
            await axis.send_as("G22", message, nobody)
            notices = await axis.notices("G22", 2)
        pem = (tmp_path / "axis-key" / "certificate.pem").read_bytes()
        keyring = Keyring([enrol(pem, "W00", "axis", now(), allow_demonstration=True)])
        for notice in notices:
            signature = notice.headers[SIGNATURE_HEADER]
            assert isinstance(signature, str)
            assert keyring.verify(notice.body, signature, now()).organisation == "W00"
        told = {receipt.message_id: receipt for receipt in map(_receipt, notices)}
        assert [(each.outcome, each.code) for each in told[message.message_id].recipients] == [
            ("routed", None),
            ("refused", "recipient/unknown"),
            ("refused", "recipient/no-mailbox"),
        ]
        assert told[message.message_id].outcome == "partial"
        assert [each.mailbox for each in told[message.message_id].recipients] == ["H37", None, None]
        assert (told[nobody.message_id].outcome, told[nobody.message_id].code) == ("refused", None)
        # Of which nobody can be reached is stored all the same, and is done.
        (tracked,) = await axis.store.track(nobody.message_id)
        assert [each.state for each in tracked.deliveries] == ["refused", "refused"]
        await until(lambda: _all_marked(axis))


async def test_the_same_bytes_again_get_the_same_receipt_and_no_second_delivery(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        message = axis.submission(axis.envelope())
        async with axis.worker("router", batch_linger_ms="50") as router:
            await axis.send_as("G22", message, message, message)
            await until(lambda: counted(router, "duplicate", 2))
            await axis.send_as("G22", message)
            await until(lambda: counted(router, "duplicate", 3))
            receipts = await axis.receipts("G22", 4)
            assert len({(receipt.id, receipt.at) for receipt in receipts}) == 1
            assert {receipt.outcome for receipt in receipts} == {"accepted"}
            assert [envelope_id(each) for each in await axis.mail("H37", 1)] == [message.message_id]
            assert await router.counted("axis_published_total", kind="document") == 1
            assert await router.counted("axis_messages_total", outcome="accepted") == 1


async def test_two_routers_given_the_same_envelopes_decide_each_once(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    count = 200
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "H26"])
        messages = [axis.submission(axis.envelope(recipients=["H37", "H26"])) for _ in range(count)]
        twice = [each for message in messages for each in (message, message)]
        settings = {"batch_size": "16"}
        async with axis.worker("router", **settings) as one, axis.worker("router", **settings) as two:
            await axis.send_as("G22", *twice)
            receipts = await axis.receipts("G22", 2 * count)
            await until(lambda: _all_counted((one, two), 2 * count))
            ids = {message.message_id for message in messages}
            for code in ("H37", "H26"):
                there = await axis.waiting(mailbox_queue("normal", code))
                mail = Counter(map(envelope_id, await axis.mail(code, there)))
                assert mail.keys() == ids
                # Twice only where the second router found it committed and not yet marked.
                assert max(mail.values()) <= 2
            by_message: dict[str | None, set[str]] = {}
            for receipt in receipts:
                by_message.setdefault(receipt.message_id, set()).add(receipt.id)
            assert by_message.keys() == ids
            assert {len(receipt_ids) for receipt_ids in by_message.values()} == {1}
        accepted = [_count(process, "accepted") for process in (one, two)]
        assert sum(accepted) == count
        assert all(accepted), "both took part"
        assert await axis.waiting(route_queue("normal")) == 0
        assert await axis.store.unpublished(_NOTHING, 10) == ([], [])


async def test_a_copy_led_into_the_other_lane_is_refused_and_the_other_goes_its_way(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with axis.worker("router"):
            good = axis.submission(axis.envelope())
            # The broker routes by BCC as by CC, and takes the header out when it delivers.
            bcc: Any = ["urgent.G22"]
            smuggled = replace(good, headers={**good.headers, "BCC": bcc})
            await axis.send_as("G22", smuggled)
            receipts = await axis.receipts("G22", 2)
            assert sorted((each.outcome.value, each.code) for each in receipts) == [
                ("accepted", None),
                ("refused", "abuse/routing-headers"),
            ]
            assert [envelope_id(each) for each in await axis.mail("H37", 1)] == [good.message_id]


async def test_a_directory_change_is_heeded_without_a_restart(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with axis.worker("router") as router:
            await until(lambda: [each for each in router.events() if each["event"] == "directory"][1:])
            await axis.send_as("G22", axis.submission(axis.envelope(recipients=["H26"])))
            (before,) = await axis.receipts("G22", 1)
            await axis.connect(["H26"])
            await until(lambda: [each for each in router.events() if each["event"] == "directory changed"])
            await axis.store.directory.revoke(axis.keys["G22"].thumbprint, now())

            async def refused() -> bool:
                await axis.send_as("G22", axis.submission(axis.envelope(recipients=["H26"])))
                (receipt,) = await axis.receipts("G22", 1)
                return receipt.code == "certificate/revoked"

            await until(refused)
            assert before.recipients[0].code == "recipient/unknown"


async def test_sigterm_finishes_what_was_taken_and_leaves_nothing_unsettled(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    count = 400
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        messages = [axis.submission(axis.envelope()) for _ in range(count)]
        async with axis.worker("router", batch_size="20") as first, asyncio.TaskGroup() as group:
            group.create_task(axis.send_as("G22", *messages))
            await until(lambda: counted(first, "accepted", 20))
            assert await first.stop() == 0
        async with axis.worker("router") as second:
            await until(lambda: _count(first, "accepted") + _count(second, "accepted") >= count)
        assert await axis.waiting(route_queue("normal")) == 0
        done = [_count(process, "accepted") for process in (first, second)]
        assert sum(done) == count
        # Drained means: decided once by whoever took it, so nobody ever saw a repeat.
        assert [_count(process, "duplicate") for process in (first, second)] == [0, 0]
        assert len(await axis.mail("H37", count)) == count
        assert [each["event"] for each in first.events()][-1] == "stopped"


def _receipt(message: Submission) -> Receipt:
    return Receipt.model_validate_json(message.body)


def _count(process: Process, event: str) -> int:
    return sum(each["event"] == event for each in process.events())


async def _all_marked(axis: Rig) -> bool:
    return await axis.store.unpublished(_NOTHING, 10) == ([], [])


async def _all_counted(processes: Sequence[Process], messages: float) -> bool:
    return sum([await process.counted("axis_messages_total") for process in processes]) == messages
