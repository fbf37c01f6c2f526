"""`python -m workers router|tracker|relay|notary|…`: one process each, as many of each as are needed.

The relay and the notary are imported where they are asked for: what they alone need (certificates' chains, evidence,
time stamps) takes as long as everything that routers and trackers need, which are started more often.
"""

import asyncio
import importlib
import os
from collections.abc import Callable, Coroutine
from enum import StrEnum
from functools import partial

import typer

from axis.core.lanes import route_queue
from axis.leaving import leave, outcome
from axis.settings import Settings
from schemas.wire import TRACK_QUEUE
from workers.context import Context, context_of
from workers.router import Router
from workers.runtime import every
from workers.tracker import Tracker
from workers.watchdog import watch

_TAKING_UP_SECONDS = 1.0
_GIVES_WAY = 10  # nice(2): a tenth of the processor time where another wants it


class Worker(StrEnum):
    """The processes of the axis."""

    ROUTER = "router"
    TRACKER = "tracker"
    RELAY = "relay"
    NOTARY = "notary"
    PAPERS = "papers"
    AUDITOR = "auditor"
    REGISTRAR = "registrar"
    HERALD = "herald"


async def _route(context: Context) -> None:
    if "urgent" not in context.settings.lanes:
        # Another router has the urgent ones: where both share processors it goes first, whatever waits here.
        os.nice(_GIVES_WAY)
    async with asyncio.TaskGroup() as group:
        for lane in context.settings.lanes:
            router = Router(
                store=context.store,
                post=await context.post(f"router {lane}"),
                view=context.view,
                desk=context.desk,
                window=context.window,
                log=context.log,
                metrics=context.metrics,
            )
            group.create_task(context.consume(route_queue(lane), router.handle))
            taking_up = partial(router.take_up, route_queue(lane))
            group.create_task(every(_TAKING_UP_SECONDS, taking_up, stop=context.stop, log=context.log))
        group.create_task(context.settle_quotas())


async def _track(context: Context) -> None:
    tracker = Tracker(
        store=context.store,
        post=await context.post("tracker"),
        view=context.view,
        desk=context.desk,
        window=context.window,
        log=context.log,
        metrics=context.metrics,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(context.consume(TRACK_QUEUE, tracker.handle))
        group.create_task(context.settle_quotas())


# Those that take no messages.
_ALONE = {
    Worker.NOTARY: "workers.notarising",
    Worker.PAPERS: "workers.papers",
    Worker.AUDITOR: "workers.auditing",
    Worker.REGISTRAR: "workers.registering",
    Worker.HERALD: "workers.herald",
}
_WORK: dict[Worker, Callable[[Context], Coroutine[None, None, None]]] = {
    Worker.ROUTER: _route,
    Worker.TRACKER: _track,
}


async def run(worker: Worker, settings: Settings) -> None:
    """Run one worker until SIGTERM or SIGINT; what was taken is finished first."""
    if alone := _ALONE.get(worker):
        await importlib.import_module(alone).work(settings)
        return
    work = _WORK.get(worker) or importlib.import_module("workers.relaying").work
    async with context_of(worker.value, settings) as context, asyncio.TaskGroup() as group:
        watching = [group.create_task(context.view.watch()), group.create_task(watch(settings.stuck_seconds))]
        await work(context)
        for each in watching:
            each.cancel()


def main(worker: Worker) -> None:
    """Run one process of the axis; settings come from AXIS_… variables or .axis/axis.env."""
    leave(outcome(worker.value, lambda: asyncio.run(run(worker, Settings.load()))))


if __name__ == "__main__":
    typer.run(main)
