"""Memory and disk alarms at the broker: it takes no publishes; senders are told, and all clears by itself."""

from random import Random

from axis.errors import Unavailable
from axis.faults.field import Field
from axis.faults.processes import until
from axis.faults.scenario import Scenario, Shape
from axis.faults.traffic import DEADLINE_SECONDS

_SET = {
    "memory": ("vm_memory_monitor", "set_vm_memory_high_watermark"),
    "disk": ("rabbit_disk_monitor", "set_disk_free_limit"),
}
_RAISED = {"memory": "0.000001", "disk": '"100000GB"'}
_CLEARED = {"memory": '{absolute, "1GB"}', "disk": '"50MB"'}
_FIELDS = {"memory": "mem_alarm", "disk": "disk_free_alarm"}
_ALARM_SECONDS = 15.0
_SLACK_SECONDS = 5.0
_CLEAR_SECONDS = 45.0


async def _play(field: Field, random: Random) -> None:
    while not field.over():
        kinds = random.choice((["memory"], ["disk"], ["memory", "disk"]))
        before = field.traffic.not_confirmed
        try:
            for kind in kinds:
                field.event(f"{kind} alarm")
                await field.broker.erlang(*_SET[kind], _RAISED[kind])
            await _told(field, kinds, before)
            if random.random() < _WITH_A_CRASH:
                worker = random.choice(field.workers)
                field.event(f"kill -9 of a {worker.kind} during an alarm")
                await field.kill_worker(worker)
                await field.start_worker(worker.kind)
            await field.calm(random.uniform(0.0, 15.0 if field.is_long else 1.0))
        finally:
            for kind in kinds:
                await field.broker.erlang(*_SET[kind], _CLEARED[kind])
        await field.flowing(_CLEAR_SECONDS)
        await field.consumed()


async def _told(field: Field, kinds: list[str], before: int) -> None:
    """Every sender hears that its document is not confirmed, in time, and keeps it."""
    if not await _raised(field, kinds):
        field.explain(f"the broker raised no {' and '.join(kinds)} alarm")
        return
    if not await until(lambda: field.traffic.not_confirmed > before, DEADLINE_SECONDS + _SLACK_SECONDS):
        field.explain(f"{DEADLINE_SECONDS + _SLACK_SECONDS:g} s into an alarm no sender was told about it")
        return
    if not any([await agency.outbox() for agency in field.traffic.agencies.values()]):
        field.explain("a sender was told that its document is kept, and no outbox holds one")


async def _raised(field: Field, kinds: list[str]) -> bool:
    async def look() -> bool:
        (node,) = await field.broker.api("GET", "nodes")
        return all(node.get(_FIELDS[kind]) for kind in kinds)

    try:
        return await field.eventually(look, _ALARM_SECONDS)
    except Unavailable:
        return False


_WITH_A_CRASH = 0.4

SCENARIO = Scenario(
    number=5,
    name="alarms",
    title="Memory and disk alarms at the broker, publishers blocked",
    play=_play,
    shape=Shape(),
)
