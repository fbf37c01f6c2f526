"""The same thing twice: repeated by the sender, handed out again by the broker, given to two routers at once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import islice
from random import Random

import orjson

from axis.core.messages import Outgoing
from axis.errors import Unavailable
from axis.faults.field import Field
from axis.faults.records import Document
from axis.faults.scenario import Scenario, Shape
from schemas.wire import SIGNATURE_HEADER

_RECENT = 400
_OTHER = {"urgent": "normal", "normal": "urgent"}


async def _play(field: Field, random: Random) -> None:
    while not field.over():
        step = random.choices(_STEPS, _WEIGHTS)[0]
        try:
            await step(field, random)
        except Unavailable as error:
            field.explain(f"{step.__name__} could not be done on a broker that runs: {error}")
        await field.calm(random.uniform(0.0, 0.4))
    await field.consumed()


async def _sender_repeats(field: Field, random: Random) -> None:
    """Publish what was sent before once more, as a sender does whose confirm was lost."""
    for document in _some(field, random, 5):
        field.event("a document sent once more")
        await _publish(field, document.account, await field.traffic.message(document.id))


async def _two_at_once(field: Field, random: Random) -> None:
    """Publish what is just under way twice more, on two connections at the same moment: two routers get it."""
    for document in _some(field, random, 3, complete=False):
        message = await field.traffic.message(document.id)
        field.event("a document given to two routers at once")
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(_publish(field, document.account, message))


async def _other_lane(field: Field, random: Random) -> None:
    """Publish the same bytes on the other lane: refused, and nobody gets anything of it."""
    for document in _some(field, random, 2, complete=True):
        message = await field.traffic.message(document.id)
        lane, _, sender = message.routing_key.partition(".")
        field.event("a document sent on the other lane too")
        field.expected_receipts.add((document.id, "lane/mismatch"))
        await _publish(field, document.account, replace(message, routing_key=f"{_OTHER[lane]}.{sender}"))


async def _other_bytes(field: Field, random: Random) -> None:
    """Publish other bytes, rightly signed, under an id that was used: refused."""
    for document in _some(field, random, 2, complete=True):
        message = await field.traffic.message(document.id)
        body = orjson.loads(message.body)
        body["document"]["subject"] += " (khác)"
        raw = orjson.dumps(body)
        signature = field.traffic.member(document.account).key.sign(raw)
        field.event("other bytes under an id that was used")
        # The one that was answered stays; one that was itself refused left its id free to nobody.
        field.expected_receipts.add((document.id, "envelope/id-reused"))
        headers = {**message.headers, SIGNATURE_HEADER: signature}
        await _publish(field, document.account, replace(message, body=raw, headers=headers))


async def _cut_senders(field: Field, random: Random) -> None:
    """Close connections that publish documents and statuses: confirms are lost, and everything is sent again."""
    await _cut(field, random, "axis.client", "publishing", "a sender's connection closed")


async def _cut_recipients(field: Field, random: Random) -> None:
    """Close connections that take documents and notices: what was not acked is handed out again."""
    await _cut(field, random, "axis.client", "consuming", "a recipient's connection closed")


async def _cut_workers(field: Field, random: Random) -> None:
    """Close connections of router, tracker and relay, in the middle of batches."""
    await _cut(field, random, "axis ", random.choice(("publishing", "consuming")), "a worker's connection closed")


async def _cut(field: Field, random: Random, whose: str, what: str, event: str) -> None:
    found = await field.broker.connections(whose, what)
    for name in random.sample(found, min(len(found), random.randint(1, 3))):
        field.event(event)
        await field.broker.close_connection(name)


async def _publish(field: Field, account: str, message: Outgoing) -> None:
    async with field.traffic.second_connection(account) as publisher:
        await publisher.publish(message)


def _some(field: Field, random: Random, number: int, *, complete: bool | None = None) -> list[Document]:
    """Choose among the latest documents that were sent."""
    recent = [
        document
        for document in islice(reversed(field.traffic.records.documents.values()), _RECENT)
        if document.sha256 and document.outcome != "refused" and complete in {None, document.complete}
    ]
    return random.sample(recent, min(len(recent), random.randint(1, number)))


_Step = Callable[[Field, Random], Awaitable[None]]
_STEPS: tuple[_Step, ...] = (
    _sender_repeats,
    _two_at_once,
    _other_lane,
    _other_bytes,
    _cut_senders,
    _cut_recipients,
    _cut_workers,
)
_WEIGHTS = (3, 3, 1, 1, 3, 3, 3)

SCENARIO = Scenario(
    number=9,
    name="duplicates",
    title="Repeats by senders and by the broker; two routers given the same id at once",
    play=_play,
    shape=Shape(routers=2, trackers=2),
    weight=5.0,
)
