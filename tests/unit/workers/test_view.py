from collections.abc import Iterable

import pytest

from axis.broker import Publisher, QueueState
from axis.errors import Unavailable
from tests.builders import mailbox, organisation
from tests.unit.workers.harness import Axis, axis_of
from workers.view import queues_of

CODES = [f"H{n:02}" for n in range(1, 100)] + [f"G{n:02}" for n in range(1, 100)] + [f"X{n:02}" for n in range(1, 60)]


class Flaky:
    """A publisher that answers so many times and is away then."""

    def __init__(self, axis: Axis, answers: int) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self._real = axis.publisher

    async def queue_states(self, names: Iterable[str]) -> dict[str, QueueState | None]:
        if self.answers == 0:
            raise Unavailable("away")
        self.answers -= 1
        self.asked += names
        return await self._real.queue_states(self.asked)


def ready(depths: dict[str, int]) -> set[str]:
    return {queue.removeprefix("notices.") for queue in depths if queue.startswith("notices.")}


async def test_a_look_that_was_interrupted_goes_on_where_it_ended() -> None:
    axis = await axis_of(CODES)
    flaky = Flaky(axis, answers=1)
    publisher: Publisher = flaky  # type: ignore[assignment]  # all of it that is used here
    with pytest.raises(Unavailable):
        await axis.view.look(publisher, CODES)
    seen = len(flaky.asked)
    flaky.answers = 9
    assert ready(await axis.view.look(publisher, CODES)) == set(CODES)
    assert 0 < seen < len(flaky.asked) == 3 * len(CODES)
    assert ready(await axis.view.look(publisher, CODES[:3])) == set(CODES[:3])
    assert len(flaky.asked) == 3 * len(CODES), "what was seen lately is not looked at again"


async def test_only_a_mailbox_with_all_its_queues_is_ready_and_it_is_looked_at_until_it_is() -> None:
    axis = await axis_of(["G22", "H37"], without_queues=["H26"])
    assert ready(await axis.view.look(axis.publisher, ["H37", "H26"])) == {"H37"}
    for queue in queues_of("H26"):
        assert ready(await axis.view.look(axis.publisher, ["H26"])) == set()
        axis.broker._queues[queue] = axis.broker._queues["notices.H37"].copy()
    assert ready(await axis.view.look(axis.publisher, ["H26"])) == {"H26"}


async def test_a_changed_code_is_known_and_looked_at_again() -> None:
    axis = await axis_of(["G22", "H37"])
    await axis.view.look(axis.publisher, ["H37"])
    await axis.store.directory.put_organisations([organisation("H26")])
    await axis.store.directory.put_mailbox(mailbox("H26"))
    await axis.view._changed({"H26", "H37"})
    assert axis.view.has_mailbox("H26", axis.now())
    flaky = Flaky(axis, answers=1)
    await axis.view.look(flaky, ["H37"])  # type: ignore[arg-type]  # all of it that is used here
    assert sorted(flaky.asked) == sorted(queues_of("H37"))
