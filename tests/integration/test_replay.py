"""`axis replay` on a real broker and database: killed in the middle, gone on with, read by the agency's own account."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from axis.broker import Consumer, Link
from axis.cli.replay import command
from axis.core.messages import Submission
from axis.settings import Settings
from schemas.wire import REPLAY_HEADER
from tests.programs import AXIS, ran, started
from tests.rig import DEADLINE_SECONDS, Rig, rig, until
from tests.services import Vhost

QUEUE = "replay.H37"
COUNT = 7


@pytest.fixture
async def axis(vhost: Vhost, database: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(vhost, database, tmp_path) as made:
        await made.connect(["G22", "H37"])
        yield made


REPLAY = (*AXIS, "replay", "--mailbox", "H37", "--json")


async def read(axis: Rig, count: int) -> list[Submission]:
    """Take what is there, as H37 itself."""
    found: list[Submission] = []
    async with Link(axis.url_of("H37"), "H37") as link, contextlib.aclosing(Consumer(link, QUEUE).batches()) as batches:
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for batch in batches:
                found += [received.submission for received in batch.messages]
                await batch.ack()
                if len(found) >= count:
                    return found
    return found


async def _waiting(axis: Rig, count: int) -> bool:
    state = (await axis.link.queue_states([QUEUE]))[QUEUE]
    return state is not None and state.messages >= count


async def test_a_replay_that_is_killed_goes_on_and_the_agency_reads_it_in_order(
    axis: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [axis.submission(axis.envelope()) for _ in range(COUNT)]
    async with axis.worker("router"):
        for message in messages:
            await axis.send_as("G22", message)
        mail = await axis.mail("H37", COUNT)
    env = {**os.environ, **axis.environment()}
    async with started(*REPLAY, "--since", "2020-01-01", "--rate", "1", env=env):
        await until(lambda: _waiting(axis, 2))
    code, out, err = await ran(*REPLAY, "--rate", "1000", env=env)  # the first was killed
    assert code == 0, err.decode()
    told = json.loads(out)
    assert (told["filled"], told["put_in_all"]) == (True, COUNT)
    assert told["put"] < COUNT
    state = (await axis.link.queue_states([QUEUE]))[QUEUE]
    assert state is not None
    assert state.messages - COUNT in {0, 1}  # what it had in hand when it was killed, at this rate one document
    found = await read(axis, state.messages)
    stored = [(await axis.store.track(each.message_id or ""))[0].envelope for each in mail]
    expected = [each.id for each in sorted(stored, key=lambda each: (each.accepted_at, each.id))]
    assert list(dict.fromkeys(each.message_id for each in found)) == expected
    assert {json.loads(str(each.headers[REPLAY_HEADER]))["replay"] for each in found} == {told["replay"]}
    for name, value in axis.environment().items():
        monkeypatch.setenv(name, value)
    await command._end(Settings.load(axis.folder), QUEUE, discard=True)  # the broker's numbers are some seconds behind
    assert (await axis.link.queue_states([QUEUE]))[QUEUE] is None
    (kept,) = await axis.store.replays.listed()
    assert kept.ended_at is not None
