"""latency: from sending to the recipient's hands, and until its status is back at the sender."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from axis.broker import Link, Publisher
from axis.core.lanes import mailbox_queue, notices_queue
from axis.core.messages import Outgoing, Submission
from tests.bench.flow import Times, arrivals, milliseconds, percentile, publish, send_steadily
from tests.bench.results import Detail, Result
from tests.bench.running import Options
from tests.bench.world import SENDER, Progress, Stage, World

_RECIPIENT = "H37"
_LOADS = (0.1, 0.5, 0.8)
_SECONDS = 8.0
_AT_LEAST = 100
_FOR_CAPACITY = 3_000


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds of each envelope at one load."""

    rate: float
    delivered: list[float]
    answered: list[float]


async def latency(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Find how much the whole loop can do, then ask it for parts of that."""
    rounds: dict[float, list[Round]] = {load: [] for load in _LOADS}
    async with stage.world(progress) as world:
        await world.join([SENDER, _RECIPIENT])
        async with (
            world.axis.worker("router"),
            world.axis.worker("tracker"),
            Link(world.axis.url_of(SENDER), "sender") as sending,
            Link(world.axis.url_of(_RECIPIENT), "recipient") as receiving,
        ):
            loop = Loop(world, sending, receiving)
            capacity = await loop.capacity(options.counted(_FOR_CAPACITY))
            progress(f"latency: the loop does {capacity:,.0f} envelopes a second, with their receipts and statuses")
            for number in range(options.rounds):
                for load in _LOADS:
                    rounds[load].append(await loop.at(load * capacity))
                last = rounds[_LOADS[-1]][-1]
                progress(
                    f"latency {number + 1}/{options.rounds}: at {_LOADS[-1]:.0%} p99 "
                    f"{percentile(last.delivered, 0.99):.1f} ms to the recipient"
                )
    return _results(rounds, capacity)


def _results(rounds: dict[float, list[Round]], capacity: float) -> list[Result]:
    rows = []
    results = []
    for load, found in rounds.items():
        row: list[float | str] = [f"{load:.0%}", round(load * capacity)]
        for name in ("delivered", "answered"):
            runs: list[list[float]] = [getattr(each, name) for each in found]
            row += [round(percentile([ms for run in runs for ms in run], share), 1) for share in (0.5, 0.99)]
            where = "in the recipient's hands" if name == "delivered" else "status back at the sender"
            results.append(
                Result(
                    "latency",
                    "ms (p99)",
                    [percentile(run, 0.99) for run in runs],
                    case=f"{load:.0%} of capacity, {where}",
                    facts={"p50": round(percentile([ms for run in runs for ms in run], 0.5), 2)},
                )
            )
        rows.append(row)
    head = ["load", "envelopes/s", "delivered p50 ms", "delivered p99 ms", "status back p50 ms", "status back p99 ms"]
    last = results[-1]
    title = f"latency: one router and one tracker; the loop's capacity was {capacity:,.0f} envelopes/s"
    results[-1] = Result(
        last.bench, last.unit, last.ours_rounds, case=last.case, facts=last.facts, details=[Detail(title, head, rows)]
    )
    return results


class Loop:
    """A sender and a recipient that answers everything at once; all is signed before the clock runs."""

    def __init__(self, world: World, sending: Link, receiving: Link) -> None:
        self._world = world
        self._sending = sending
        self._receiving = receiving
        self._sender = Publisher(sending)
        self._recipient = Publisher(receiving)

    async def capacity(self, count: int) -> float:
        """Send everything at once, and count from the first arrival to the last status."""
        messages, answers = self._signed(count)
        async with asyncio.TaskGroup() as group:
            group.create_task(publish(self._sender, messages))
            delivered, answered = await self._received(group, answers)
        return count / (max(answered.values()) - min(delivered.values()))

    async def at(self, rate: float, seconds: float = _SECONDS) -> Round:
        """Send at a pace, and measure each."""
        messages, answers = self._signed(max(_AT_LEAST, round(rate * seconds)))
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(send_steadily(self._sender, messages, rate))
            delivered, answered = await self._received(group, answers)
        sent = sending.result()
        by_status = {answers[identifier].message_id: moment for identifier, moment in sent.items()}
        return Round(rate, milliseconds(sent, delivered), milliseconds(by_status, answered))

    def _signed(self, count: int) -> tuple[list[Outgoing], dict[str, Outgoing]]:
        messages = self._world.envelopes(count)
        axis = self._world.axis
        return messages, {each.message_id: axis.status(_RECIPIENT, each.message_id, "01") for each in messages}

    async def _received(self, group: asyncio.TaskGroup, answers: dict[str, Outgoing]) -> tuple[Times, Times]:
        def answer(taken: Sequence[Submission]) -> None:
            group.create_task(publish(self._recipient, [answers[each.message_id or ""] for each in taken]))

        mailbox, notices = mailbox_queue("normal", _RECIPIENT), notices_queue(SENDER)
        delivered = group.create_task(arrivals(self._receiving, mailbox, len(answers), kind="document", then=answer))
        answered = group.create_task(arrivals(self._sending, notices, len(answers), kind="status"))
        return await delivered, await answered
