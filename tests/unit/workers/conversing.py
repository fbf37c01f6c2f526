"""Recalls and their answers on fakes, for the tests of workers."""

import json
from typing import Any

from axis.core.conversation import Conversation
from axis.core.messages import Submission
from schemas import Receipt
from tests.unit.workers.harness import LIMIT, Axis, document

SOURCE, URGENT = "axis.route.normal", "axis.route.urgent"
PAPER = json.loads(document().body)["document"]


def acting(about: Submission | str, action: str = "recall", **changes: Any) -> Submission:
    concerns = about if isinstance(about, str) else about.message_id
    return document(action=action, concerns=concerns, reason="Ban hành nhầm", **changes)


def urgent(about: Submission, action: str = "recall", **changes: Any) -> Submission:
    return acting(about, action, document={**PAPER, "priority": "urgent"}, **changes)


async def route(axis: Axis, *messages: Submission) -> None:
    for message in messages:
        await axis.router().handle([message], URGENT if message.routing_key.startswith("urgent") else SOURCE)


async def talks(axis: Axis, about: Submission) -> dict[str, Conversation]:
    (tracked,) = await axis.store.track(about.message_id or "")
    return {each.recipient: each for each in tracked.conversations}


async def states(axis: Axis, about: Submission) -> dict[str, tuple[str, str | None]]:
    (tracked,) = await axis.store.track(about.message_id or "")
    return {each.recipient: (each.state.value, each.reason) for each in tracked.deliveries}


def answer(axis: Axis, about: Submission) -> Receipt:
    return [each for each in axis.receipts("G22") if each.message_id == about.message_id][-1]


def outcomes(receipt: Receipt) -> dict[str, tuple[str, str | None]]:
    return {each.recipient: (each.outcome.value, each.code) for each in receipt.recipients}


async def full(axis: Axis) -> list[Submission]:
    """Fill H37's mailbox, so that what comes is held."""
    some = [document() for _ in range(LIMIT)]
    await axis.router().handle(some, SOURCE)
    await drain(axis, "notices.G22")
    return some


async def drain(axis: Axis, queue: str = "mailbox.normal.H37") -> None:
    consumer = axis.broker.consumer(queue, batch=LIMIT)
    batches = consumer.batches()
    batch = await anext(batches)
    await batch.ack_some(*batch.messages)
    await batches.aclose()
    axis.view.forget()
