"""Agencies that fail: tried again, less and less often, until they are not to be served any more."""

import asyncio

import pytest

from axis.client import Agency
from axis.gateway.desk import agencies
from axis.gateway.desk.receiving import Receiving
from axis.gateway.desk.telling import Telling
from tests.unit.gateway.desk.harness import Rig


async def test_what_ends_while_it_fails_ends(desk: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    coming_down, let_go = asyncio.Event(), asyncio.Event()

    async def failing(_: Receiving, __: Agency) -> None:
        raise RuntimeError("a fault of ours")

    async def slow_to_end(_: Telling, __: Agency) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            coming_down.set()
            await let_go.wait()

    monkeypatch.setattr(Receiving, "run", failing)
    monkeypatch.setattr(Telling, "run", slow_to_end)
    await desk.add()
    desk.start()
    async with asyncio.timeout(20):
        await coming_down.wait()
        desk.tasks[0].cancel()
        for _ in range(10):  # until the cancellation has come to where the agency is served
            await asyncio.sleep(0)
        let_go.set()
        await asyncio.wait(desk.tasks)
    assert desk.tasks[0].cancelled()


@pytest.mark.parametrize("healthy", [True, False])
async def test_the_pause_grows_unless_it_was_well_for_a_while(
    desk: Rig, monkeypatch: pytest.MonkeyPatch, *, healthy: bool
) -> None:
    tried: list[float] = []

    async def failing(_: Receiving, __: Agency) -> None:
        tried.append(asyncio.get_running_loop().time())
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Receiving, "run", failing)
    monkeypatch.setattr(agencies, "_FIRST_WAIT_SECONDS", 0.05)
    if healthy:
        monkeypatch.setattr(agencies, "_HEALTHY_SECONDS", 0.0)
    await desk.add()
    desk.start()
    if healthy:
        await desk.until(lambda: len(tried) == 10)  # growing, the pauses before it would be 25 s
    else:
        await desk.until(lambda: len(tried) == 5)
        assert tried[-1] - tried[-2] >= 0.4
