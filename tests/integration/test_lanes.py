"""The lane follows from the priority, all the way, and a mountain in one lane does not stand before the other."""

import os
from pathlib import Path

from axis.core.lanes import mailbox_queue
from schemas import Priority
from tests.rig import Rig, envelope_id, rig, until
from tests.services import Vhost

COUNT = 1_500


async def test_every_priority_but_normal_goes_the_urgent_way(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with axis.worker("router"):
            messages = {
                priority: axis.submission(axis.envelope(document={"priority": priority.value})) for priority in Priority
            }
            await axis.send_as("G22", *messages.values())
            await axis.notices("G22", len(messages))
            urgent = await axis.mail("H37", 4, "urgent")
            normal = await axis.mail("H37", 1, "normal")
        assert {envelope_id(each) for each in urgent} == {
            message.message_id for priority, message in messages.items() if priority is not Priority.NORMAL
        }
        assert [envelope_id(each) for each in normal] == [messages[Priority.NORMAL].message_id]
        for message in messages.values():
            (tracked,) = await axis.store.track(message.message_id)
            assert tracked.envelope.lane == ("normal" if message is messages[Priority.NORMAL] else "urgent")


async def test_an_urgent_document_passes_a_mountain_of_normal_ones(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        await axis.send_as("G22", *(axis.submission(axis.envelope()) for _ in range(COUNT)))
        urgent = axis.submission(axis.envelope(document={"priority": "express"}))
        await axis.send_as("G22", urgent)
        async with axis.worker("router", batch_size="50") as router:
            assert [envelope_id(each) for each in await axis.mail("H37", 1, "urgent")] == [urgent.message_id]
            await until(lambda: _all_came(axis))
        order = [each["id"] for each in router.events() if each["event"] == "accepted"]
        # Sent last, behind 30 batches of the other lane.
        assert order.index(urgent.message_id) < COUNT // 2
        assert await axis.waiting("axis.route.normal") == 0


async def test_a_router_may_be_for_one_lane_alone(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        normal, urgent = (
            axis.submission(axis.envelope()),
            axis.submission(axis.envelope(document={"priority": "urgent"})),
        )
        await axis.send_as("G22", normal, urgent)
        async with axis.worker("router", lanes='["urgent"]') as alone:
            first = os.getpriority(os.PRIO_PROCESS, alone.process.pid)
            assert [envelope_id(each) for each in await axis.mail("H37", 1, "urgent")] == [urgent.message_id]
            consumers = await axis.link.queue_states(["axis.route.normal", "axis.route.urgent"])
        assert {name: state and state.consumers for name, state in consumers.items()} == {
            "axis.route.normal": 0,
            "axis.route.urgent": 1,
        }
        async with axis.worker("router", lanes='["normal"]') as other:
            assert [envelope_id(each) for each in await axis.mail("H37", 1)] == [normal.message_id]
            assert os.getpriority(os.PRIO_PROCESS, other.process.pid) > first, "the urgent one goes first"


async def _all_came(axis: Rig) -> bool:
    return await axis.waiting(mailbox_queue("normal", "H37")) == COUNT
