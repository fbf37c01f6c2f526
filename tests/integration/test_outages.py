"""PostgreSQL away, cut off in mid-flow, and away while a worker is told to end: nothing is lost, nobody has to help."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from axis.core.lanes import route_queue
from axis.core.messages import Outgoing
from tests.builders import organisation
from tests.cable import Cable, cable_to
from tests.rig import Process, Rig, envelope_id, rig, until
from tests.services import Vhost

NAMES = ("router", "tracker", "relay")


@asynccontextmanager
async def _workers_on_a_cable(axis: Rig) -> AsyncIterator[tuple[Cable, dict[str, Process]]]:
    async with cable_to(axis.database) as (cable, url), AsyncExitStack() as stack:
        yield (
            cable,
            {
                name: await stack.enter_async_context(axis.worker(name, **_database(name, url), relay_seconds="0.6"))
                for name in NAMES
            },
        )


async def test_while_the_database_is_away_workers_wait_and_go_on_by_themselves(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with _workers_on_a_cable(axis) as (cable, workers):
            known = await _send(axis, 3)
            await axis.notices("G22", 3)
            await _says(workers["router"], "accepted", 3)
            await cable.cut()
            statuses = [axis.status("H37", message.message_id, "01") for message in known]
            sent = await _send(axis, 30)  # agencies can still submit
            await axis.send_as("H37", *statuses)
            for name, process in workers.items():
                await _says(process, "waiting")
                assert process.process.returncode is None, name
            for name in ("router", "tracker"):
                assert await workers[name].counted("axis_unavailable") == 1
            assert await axis.take("mailbox.normal.H37", 3) != []  # those of before, and no other
            assert await axis.take("notices.G22", 0, settle=0.1) == []
            await cable.mend()
            notices = await axis.notices("G22", len(sent) + len(statuses))
            mail = await axis.mail("H37", len(sent))
            assert {each.message_id for each in notices if each.type == "status"} == {s.message_id for s in statuses}
            assert sorted(map(envelope_id, mail)) == sorted(message.message_id for message in sent)
            for name in ("router", "tracker"):
                await _works_again(workers[name])
            # And the directory is followed again.
            await axis.store.directory.put_organisations([organisation("H37.07")])
            await until(lambda: _is_routed(axis, "H37.07"))
            for process in workers.values():
                assert _said(process).count("ready") == 1


async def test_a_database_cut_off_again_and_again_in_mid_flow_loses_nothing(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with _workers_on_a_cable(axis) as (cable, workers):
            sent = []
            for _ in range(4):
                sent += await _send(axis, 150)
                await _says(workers["router"], "accepted", len(sent) // 3)
                await cable.cut()
                await cable.mend()
            ids = {message.message_id for message in sent}
            came: set[str] = set()
            answered: set[str | None] = set()
            while came != ids:
                came |= set(map(envelope_id, await axis.mail("H37", 1)))
            while answered != ids:
                answered |= {receipt.message_id for receipt in await axis.receipts("G22", 1)}
            await until(lambda: _is_empty(axis))
        for identifier in ids:
            (tracked,) = await axis.store.track(identifier)
            assert [str(each.state) for each in tracked.deliveries] == ["delivered"]


async def test_told_to_end_while_the_database_is_away_a_worker_gives_back_what_it_took(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with cable_to(axis.database) as (cable, url):
            async with axis.worker("router", **_database("router", url)) as router:
                await cable.cut()
                sent = await _send(axis, 20)
                await _says(router, "waiting")
                assert await router.stop() == 0
            assert await axis.waiting(route_queue("normal")) == len(sent)
            async with axis.worker("router"):
                mail = await axis.mail("H37", len(sent))
            assert sorted(map(envelope_id, mail)) == sorted(message.message_id for message in sent)


def _database(worker: str, url: str) -> dict[str, str]:
    return {f"{worker}_database_url": url}  # which goes before the address of all


async def _send(axis: Rig, count: int) -> list[Outgoing]:
    messages = [axis.submission(axis.envelope()) for _ in range(count)]
    await axis.send_as("G22", *messages)
    return messages


async def _works_again(process: Process) -> None:
    async def works() -> bool:
        return await process.counted("axis_unavailable") == 0

    await until(works)


async def _says(process: Process, event: str, count: int = 1) -> None:
    await until(lambda: _said(process).count(event) >= count)


async def _is_routed(axis: Rig, code: str) -> bool:
    await axis.send_as("G22", axis.submission(axis.envelope(recipients=[code])))
    (receipt,) = await axis.receipts("G22", 1)
    return receipt.recipients[0].outcome == "routed"


async def _is_empty(axis: Rig) -> bool:
    return await axis.waiting(route_queue("normal")) == 0


def _said(process: Process) -> list[object]:
    return [each["event"] for each in process.events()]
