"""The notary on the store in memory and on PostgreSQL: killed anywhere, twice at once, and lied to."""

import asyncio
import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from axis.errors import Unavailable
from axis.proving import Checkpoint, LogReader, NoteSigner, verify_consistency
from axis.store import FakeStore, LogStore, Store
from axis.trust import new_key
from tests.notarising import KEY, ORIGIN, Killed, Scene, SteppedFiles, Steps
from workers.notary import Notary, Stamping

OTHER_KEY = NoteSigner.from_pem(ORIGIN, new_key("ed25519"))


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store, SteppedFiles(Steps()))


async def test_everything_committed_is_proved_by_what_is_published(scene: Scene) -> None:
    notary = scene.notary()
    await notary.work()
    assert await scene.published() is None
    wanted = await scene.commit(300)
    await scene.store.audit("an", "agency.add", "H37", {"tên": "Ủy ban nhân dân"})
    await notary.work()
    first = await scene.check()
    assert first.size == 301
    assert [await scene.store.log.position_of(each) is not None for each in wanted] == [True] * 300
    await scene.commit(250)
    await notary.work()
    second = await scene.check()
    assert second.size == 551
    proof = await LogReader(scene.files).consistency(first.size, second.size)
    verify_consistency(first.size, first.root, second.size, second.root, proof)
    assert not scene.complaints()


async def test_partial_tiles_go_when_they_are_full_and_not_before(scene: Scene) -> None:
    notary = scene.notary()
    for count in (100, 100, 56, 1):
        await scene.commit(count)
        await notary.work()
        await scene.check()
    there = {
        path: await scene.files.get(path) is not None
        for path in (
            "tile/0/000.p/100",
            "tile/0/000.p/200",
            "tile/entries/000.p/200",
            "tile/0/000",
            "tile/entries/000",
            "tile/1/000.p/1",
            "tile/0/001.p/1",
        )
    }
    assert [path for path, is_there in there.items() if not is_there] == [
        "tile/0/000.p/100",
        "tile/0/000.p/200",
        "tile/entries/000.p/200",
    ]


async def test_nothing_new_is_nothing_to_do(scene: Scene) -> None:
    notary = scene.notary()
    await scene.commit(3)
    await notary.work()
    steps = len(scene.files.steps.names)
    await notary.work()
    assert [name for name in scene.files.steps.names[steps:] if name != "put checkpoint"] == []


class SteppedLog:
    """A store whose changes to the log are steps."""

    def __init__(self, log: LogStore, steps: Steps) -> None:
        self._log = log
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._log, name)
        if name not in {"assign", "record", "adopt", "renew"}:
            return original

        async def stepped(*arguments: Any) -> Any:
            return await self._steps.step(name, lambda: original(*arguments))

        return stepped


async def _killed_at(scene: Scene, last: int, *, done: bool) -> tuple[bool, list[str]]:
    """Let a notary log 260 entries after 250 and be killed at a step; then let another one go on."""
    await scene.commit(250)
    await scene.notary().work()
    before = await scene.check()
    await scene.commit(260)
    scene.files.steps = steps = Steps(last, done)
    notary = scene.notary()
    notary._store = SteppedLog(scene.store.log, steps)  # type: ignore[assignment]  # every method is there
    killed = False
    try:
        await notary.work()
    except Killed:
        killed = True
    scene.files.steps = Steps()
    between = await scene.check()  # what is published is whole at any moment
    assert between.size in {250, 510}
    await scene.notary().work()
    after = await scene.check()
    assert after.size == 510
    proof = await LogReader(scene.files).consistency(before.size, after.size)
    verify_consistency(before.size, before.root, after.size, after.root, proof)
    assert not scene.complaints()
    return killed, steps.names


async def _every_step(fresh: Callable[[], Scene]) -> list[str]:
    last, names = 0, [""]
    while True:
        for done in (False, True):
            killed, names = await _killed_at(fresh(), last, done=done)
            if not killed:
                return names
        last += 1


async def test_a_notary_killed_at_any_step_in_memory() -> None:
    names = await _every_step(lambda: Scene(FakeStore(), SteppedFiles(Steps())))
    assert [name for name in names if name in {"assign", "record", "put tile/1/000.p/1", "put checkpoint"}][-4:] == [
        "assign",
        "put tile/1/000.p/1",
        "record",
        "put checkpoint",
    ]


@pytest.mark.parametrize("point", ["assign", "put tile/entries/000", "put tile/1/000.p/1", "record", "put checkpoint"])
@pytest.mark.parametrize("done", [False, True])
async def test_a_notary_killed_between_places_tiles_and_checkpoint(scene: Scene, point: str, *, done: bool) -> None:
    other = Scene(FakeStore(), SteppedFiles(Steps()))
    _, names = await _killed_at(other, 1_000, done=False)
    killed, _ = await _killed_at(scene, names.index(point), done=done)
    assert killed


async def test_two_notaries_at_once_make_one_log(scene: Scene) -> None:
    notaries = [scene.notary(), scene.notary(), scene.notary()]
    for _ in range(4):
        async with asyncio.TaskGroup() as group:
            group.create_task(scene.commit(90))
            for notary in notaries:
                group.create_task(_tolerant(notary))
        await notaries[0].work()
        await scene.check()
    checkpoint = await scene.check()
    assert checkpoint.size == 360
    assert not scene.complaints()


async def _tolerant(notary: Notary) -> None:
    try:
        await notary.work()
    except Unavailable:
        return  # somebody else was at it; the next pass is soon


async def test_a_store_brought_back_from_an_older_copy_takes_over_what_was_published() -> None:
    lived = Scene(FakeStore(), SteppedFiles(Steps()))
    await lived.commit(10)
    await lived.notary().work()
    old = Scene(FakeStore(), lived.files)
    old_store, lived_store = old.store, lived.store
    assert isinstance(old_store, FakeStore)
    assert isinstance(lived_store, FakeStore)
    old_store.log.places = lived_store.log.places[:10]
    old_store.log.checkpoints = dict(lived_store.log.checkpoints)
    old_store._memory = lived_store._memory.copy()
    await lived.commit(400)
    await lived.notary().work()
    forgotten = await lived.check()
    late = await old.commit(5)
    await old.notary().work()
    assert [entry["event"] for entry in old.capture.entries][:1] == ["took over the published log"]
    checkpoint = await old.published()
    assert checkpoint is not None
    assert checkpoint.size == 415
    proof = await LogReader(old.files).consistency(410, 415)
    verify_consistency(410, forgotten.root, 415, checkpoint.root, proof)
    assert {await old.store.log.position_of(each) for each in late} == {410, 411, 412, 413, 414}


async def test_nothing_is_signed_over_a_published_log_that_is_another(scene: Scene) -> None:
    await scene.commit(5)
    await scene.notary().work()
    forged = Checkpoint(ORIGIN, 5, b"f" * 32).signed([KEY])
    await scene.files.put("checkpoint", forged.encode())
    await scene.commit(1)
    await scene.notary().work()
    assert "two checkpoints" in scene.complaints()[0]
    assert (await scene.store.log.head()).size == 5
    longer = Checkpoint(ORIGIN, 6, b"f" * 32).signed([KEY])
    await scene.files.put("checkpoint", longer.encode())
    await scene.notary().work()
    assert (await scene.store.log.head()).size == 5
    assert len(scene.complaints()) == 2


async def test_nothing_is_signed_over_files_that_were_changed(scene: Scene) -> None:
    await scene.commit(5)
    await scene.notary().work()
    await scene.files.put("tile/0/000.p/5", b"x" * 160)
    await scene.commit(1)
    await scene.notary().work()
    assert "not those of its checkpoint" in scene.complaints()[0]
    await scene.files.drop("tile")
    await scene.notary().work()
    assert "has no file tile/0/000.p/5" in scene.complaints()[1]


async def test_a_checkpoint_of_somebody_elses_key_stops_the_log(scene: Scene) -> None:
    await scene.commit(2)
    await scene.notary(OTHER_KEY).work()
    await scene.commit(2)
    await scene.notary(KEY).work()
    assert "signed by none of" in scene.complaints()[0]
    assert (await scene.store.log.head()).size == 2


async def test_a_key_is_changed_with_both_for_a_while(scene: Scene) -> None:
    await scene.commit(2)
    await scene.notary(KEY).work()
    before = await scene.published(KEY)
    await scene.notary(KEY, OTHER_KEY).work()
    assert await scene.published(KEY) == await scene.published(OTHER_KEY) == before
    await scene.notary(OTHER_KEY).work()
    assert await scene.published(OTHER_KEY) == before
    await scene.commit(2)
    await scene.notary(OTHER_KEY).work()
    after = await scene.published(OTHER_KEY)
    assert after is not None
    assert after.size == 4
    assert not scene.complaints()


async def test_a_row_changed_before_it_was_in_the_log_is_noticed() -> None:
    scene = Scene(FakeStore(), SteppedFiles(Steps()))
    store = scene.store
    assert isinstance(store, FakeStore)
    await scene.commit(2)
    await store.log.assign(lambda _: b"w" * 32, 10, dt.timedelta(minutes=1))
    await scene.notary().work()
    assert "place 0 was changed" in scene.complaints()[0]
    assert await scene.published() is None


async def test_an_absent_store_is_waited_for() -> None:
    scene = Scene(FakeStore(), SteppedFiles(Steps()))
    assert isinstance(scene.store, FakeStore)
    scene.store.available = False
    with pytest.raises(Unavailable):
        await scene.notary().work()


async def test_timestamps_are_kept_beside_and_wait_for_their_authority(scene: Scene) -> None:
    asked: list[Checkpoint] = []
    away = [True]

    async def stamp(checkpoint: Checkpoint) -> bytes:
        asked.append(checkpoint)
        if away[0]:
            raise Unavailable("the timestamp authority is away")
        return base64.b64encode(checkpoint.root)

    stamping = Stamping(store=scene.store.log, files=scene.files, origin=ORIGIN, stamp=stamp, log=scene.log)
    await stamping.work()
    assert asked == []
    await scene.commit(3)
    await scene.notary().work()
    with pytest.raises(Unavailable):
        await stamping.work()
    await scene.commit(3)
    await scene.notary().work()  # the log goes on meanwhile
    away[0] = False
    await stamping.work()
    await stamping.work()
    assert [each.size for each in asked] == [3, 6]
    latest = (await scene.store.log.head()).latest
    assert latest is not None
    assert latest.timestamp == base64.b64encode(latest.root) == await scene.files.get("timestamp/6")
