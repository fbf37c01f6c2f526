"""Reading a replay queue: what is known comes all the same, nothing is reported, and what is hostile is set aside."""

import json
from dataclasses import replace
from typing import Any

import pytest

from axis.client.delivery import Delivery
from axis.core.ids import new_id
from axis.core.messages import Submission
from schemas import Action, StatusCode
from schemas.wire import REPLAY_HEADER
from tests.unit.client.doubles import NOW, World

QUEUE = "replay.H37"
NEVER = new_id(NOW)
MARK = {"replay": "r1", "at": NOW.isoformat(), "by": "Trần Văn Thử", "accepted_at": NOW.isoformat()}


def again(submission: Submission, **mark: Any) -> Submission:
    header = json.dumps({**MARK, **mark})
    return replace(submission, headers={**submission.headers, REPLAY_HEADER: header})


async def drain(agency: Any, **options: Any) -> list[Delivery]:
    return [delivery async for delivery in agency.replays(idle=0.05, **options)]


async def test_what_was_taken_before_comes_once_more_marked_and_in_order(world: World) -> None:
    old, new = world.document(), world.document()
    async with world.connect() as agency:
        await world.post.put("mailbox.normal.H37", old)
        async for _ in agency.inbox(idle=0.05):
            pass
        said = world.post.statuses()
        await world.post.put(QUEUE, again(new), again(old))
        found = await drain(agency)
        assert [each.envelope.id for each in found] == [new.message_id, old.message_id]
        assert [each.replayed and each.replayed.known for each in found] == [False, True]
        mark = found[0].replayed
        assert mark is not None
        assert (mark.replay, mark.by, mark.accepted_at) == ("r1", "Trần Văn Thử", NOW)
        assert all(each.taken for each in found)
        assert world.post.waiting(QUEUE) == []
        assert world.post.statuses() == said  # nothing is reported by it
        # It is no document of the mailbox: that comes, is reported, and is taken, as if there had been no replay.
        await world.post.put("mailbox.normal.H37", new)
        assert [each.envelope.id async for each in agency.inbox(idle=0.05)] == [new.message_id]


async def test_what_the_application_says_of_it_is_reported(world: World) -> None:
    await world.post.put(QUEUE, again(world.document()))
    async with world.connect() as agency:
        delivery = await anext(agency.replays())
        (reported,) = await delivery.accept()
        assert reported.code is StatusCode.ACCEPTED
        assert [code for code, *_ in world.post.statuses()] == ["03"]
        assert world.post.waiting(QUEUE) == []


async def test_a_copy_that_is_there_twice_is_handed_out_once_and_another_replay_is_another(world: World) -> None:
    one = world.document()
    await world.post.put(QUEUE, again(one), again(one), again(one, replay="r2"))
    async with world.connect() as agency:
        found = await drain(agency)
    assert [each.replayed and each.replayed.replay for each in found] == ["r1", "r2"]
    assert world.post.waiting(QUEUE) == []


async def test_what_is_left_comes_again(world: World) -> None:
    first, second = world.document(), world.document()
    await world.post.put(QUEUE, again(first), again(second))
    async with world.connect() as agency:
        assert len(await drain(agency, looking=True)) == 2
        replays = agency.replays(idle=0.05)
        await anext(replays)
        replays.leave()
        assert (await anext(replays)).envelope.id == second.message_id
    async with world.connect() as agency:
        assert [each.envelope.id for each in await drain(agency)] == [first.message_id, second.message_id]


@pytest.mark.parametrize(
    "header",
    [None, 7, "", "[]", "null", "{", "[" * 4_000, "x" * 9_999, json.dumps({"replay": 7, "at": "soon", "by": []})],
    ids=range(9),
)
async def test_a_mark_that_says_nothing_is_none_and_the_document_comes(world: World, header: object) -> None:
    one = world.document()
    headers = {**one.headers, **({} if header is None else {REPLAY_HEADER: header})}
    await world.post.put(QUEUE, replace(one, headers=headers))
    async with world.connect() as agency:
        (found,) = await drain(agency)
    assert found.replayed is not None
    assert (found.replayed.replay, found.replayed.at, found.replayed.by, found.replayed.accepted_at) == (None,) * 4


async def test_what_cannot_be_proved_is_set_aside_and_nobody_is_told(world: World) -> None:
    other = again(world.document(recipients=("H26",)))
    wrong = again(world.status(NEVER, StatusCode.ARRIVED))
    changed = again(world.document(body=lambda body: body + b" "))
    good = again(world.document())
    await world.post.put(QUEUE, other, wrong, changed, good)
    async with world.connect() as agency:
        assert [each.envelope.id for each in await drain(agency)] == [good.message_id]
        assert {each.reason for each in await agency.suspicious()} >= {"status/not-recipient", "message/type"}
        assert len(await agency.suspicious()) == 3
        assert world.post.statuses() == []
    assert world.post.waiting(QUEUE) == []


async def test_a_recall_in_a_replay_is_handed_out_and_does_nothing_by_itself(world: World) -> None:
    one = world.document()
    recall = world.document(action=Action.RECALL, concerns=one.message_id, reason="gửi nhầm")
    await world.post.put(QUEUE, again(one), again(recall))
    async with world.connect() as agency:
        found = await drain(agency)
        assert [each.envelope.action.value for each in found] == ["new", "recall"]
        assert (world.post.statuses(), await agency._ledger.open_recalls()) == ([], [])
