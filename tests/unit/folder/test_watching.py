"""The folders in trouble, two watchers, many files, and runs with an end."""

import errno
import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from axis.errors import AxisError, Misconfigured, NotFound, Unavailable
from axis.folder import What, disk
from tests.unit.folder.desk import MAILBOX, NOTICES, Desk, package


async def test_the_second_watcher_is_told_who_holds_it(desk: Desk) -> None:
    async with desk.open():
        with pytest.raises(Unavailable) as raised:
            async with desk.open():
                pass  # pragma: no cover - never opened
    assert raised.value.code == "folder/busy"
    assert raised.value.exit_code == 69
    assert f"process {os.getpid()} on " in raised.value.detail
    assert "for H37" in raised.value.detail
    async with desk.open():
        pass


async def test_one_watcher_for_each_agency(desk: Desk, tmp_path: Path) -> None:
    for name in ("out2", "in2"):
        (tmp_path / name).mkdir()
    async with desk.open():
        with pytest.raises(Unavailable):
            async with desk.open(out=tmp_path / "out2", incoming=tmp_path / "in2"):
                pass  # pragma: no cover - never opened


async def test_a_holder_that_cannot_be_read(desk: Desk) -> None:
    (desk.out / ".axis-folder.holder").write_bytes(b"\xff{")
    with (desk.out / ".axis-folder.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="another process"):
            async with desk.open():
                pass  # pragma: no cover - never opened


@pytest.mark.parametrize(
    ("out", "incoming", "kind"),
    [
        ("out", "nowhere", NotFound),
        ("out", "out", Misconfigured),
        ("out", "out/den", Misconfigured),
        ("out", "link", Misconfigured),
    ],
)
async def test_folders_that_cannot_be(
    desk: Desk, tmp_path: Path, out: str, incoming: str, kind: type[AxisError]
) -> None:
    (tmp_path / "out" / "den").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with pytest.raises(kind) as raised:
        async with desk.open(out=tmp_path / out, incoming=tmp_path / incoming):
            pass  # pragma: no cover - never opened
    assert raised.value.code == ("folder/not-found" if kind is NotFound else "folder/unusable")
    assert not (tmp_path / "nowhere").exists()


async def test_a_part_that_leads_out_of_the_folder(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (desk.out / "sent").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Misconfigured, match="would leave the folder"):
        async with desk.open():
            pass  # pragma: no cover - never opened


async def test_a_share_that_goes_and_comes_back(desk: Desk, tmp_path: Path) -> None:
    async with desk.watching():
        desk.put("a.edxml", package("1/UBND"))
        await desk.told(What.SENT)
        for folder in (desk.out, desk.incoming):
            folder.rename(tmp_path / f"{folder.name}.away")
            folder.mkdir()  # as the point that it was mounted on
        desk.put("lost.edxml", package("2/UBND"))
        await desk.world.post.put(MAILBOX, desk.world.document())
        await desk.told(What.TROUBLE, 2)
        assert [each.name for each in desk.incoming.iterdir()] == []
        assert [each.name for each in desk.out.iterdir()] == ["lost.edxml"]
        for folder in (desk.out, desk.incoming):
            shutil.rmtree(folder)
            (tmp_path / f"{folder.name}.away").rename(folder)
        await desk.told(What.RECEIVED)
        await desk.told(What.MENDED, 2)
        desk.put("b.edxml", package("3/UBND"))
        await desk.told(What.SENT, 2)
    assert len(desk.documents()) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
async def test_a_folder_that_is_full_or_closed_for_a_while(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    settle, failing = disk.settle, False

    def full(file: Any) -> None:
        if failing:
            raise OSError(number, os.strerror(number))
        settle(file)

    monkeypatch.setattr(disk, "settle", full)
    async with desk.watching():
        failing = True
        desk.put("a.edxml", package())
        await desk.world.post.put(MAILBOX, desk.world.document())
        await desk.told(What.TROUBLE, 2)
        assert desk.documents() == []
        assert desk.world.post.statuses() == []  # nothing was taken
        failing = False
        await desk.told(What.SENT)
        await desk.told(What.RECEIVED)
        await desk.told(What.MENDED, 2)
    assert not list(desk.incoming.glob(".*.part"))
    assert len([each for each in desk.events if each.what is What.TROUBLE]) == 2  # told once each


async def test_a_file_that_cannot_be_moved_is_told_once_and_in_nobody_s_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = disk.move

    def denied(source: Path, target: Path) -> None:
        if source.name == "theirs.edxml":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        move(source, target)

    monkeypatch.setattr(disk, "move", denied)
    desk.put("theirs.edxml", package("1/UBND"))
    desk.put("ours.edxml", package("2/UBND"))
    async with desk.watching():
        await desk.told(What.SENT)
    assert [each.file for each in desk.events if each.what is What.IGNORED] == ["theirs.edxml"]
    assert desk.names() == ["theirs.edxml"]


async def test_a_gateway_that_is_away_is_told_once(desk: Desk) -> None:
    desk.world.shelf.away = True
    for number in range(3):
        desk.put(f"{number}.edxml", package(f"{number}/UBND"))
    async with desk.watching():
        (trouble,) = await desk.told(What.TROUBLE)
        assert trouble.code == "axis/unavailable"
        desk.world.shelf.away = False
        await desk.told(What.SENT, 3)
    assert [each.what for each in desk.events].count(What.TROUBLE) == 1


async def test_once_does_what_is_there_and_ends(desk: Desk) -> None:
    desk.put("a.edxml", package())
    desk.put("half.edxml", package("8/UBND")[:-60])
    await desk.world.post.put(MAILBOX, desk.world.document())
    async with desk.open(quiet=0.05, patience=60) as watcher:
        import asyncio

        answering = asyncio.create_task(desk.answer())
        await watcher.run_once(wait=20, idle=0.2)
        answering.cancel()
        assert (watcher.sending, watcher.aside) == (0, 0)
    whats = [each.what for each in desk.events]
    assert whats.count(What.SENT) == whats.count(What.RECEIVED) == 1
    assert [(each.file, each.what) for each in desk.events][-1] == ("half.edxml", What.IGNORED)
    assert desk.names() == ["half.edxml"]


async def test_once_does_not_wait_for_ever_for_a_receipt(desk: Desk) -> None:
    desk.put("a.edxml", package())
    async with desk.open() as watcher:
        await watcher.run_once(wait=0.1, idle=0.05)
        assert watcher.sending == 1
    (document,) = desk.documents()
    # Its receipt comes in between, and is taken by somebody else with the same ledger.
    await desk.world.post.put(NOTICES, desk.receipt(document["id"]))
    async with desk.world.connect() as agency:
        async for _ in agency.notices(idle=0.05):
            pass
    async with desk.open() as watcher:
        await watcher.run_once(wait=20, idle=0.05)
        assert watcher.sending == 0
    assert [each.envelope for each in desk.events if each.what is What.SENT] == [document["id"]]


async def test_a_notice_taken_by_another_process_is_found_after_a_while(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime as dt

    from axis.folder import outgoing

    async def unheard(*_: object) -> None:
        pass

    monkeypatch.setattr(outgoing.Outgoing, "note", unheard)
    desk.put("a.edxml", package())
    async with desk.watching():
        await desk.until(desk.documents)

        def later() -> bool:
            # Again and again: what it waits for may begin after the first time.
            desk.world.clock.time += dt.timedelta(seconds=20)
            return any(each.what is What.SENT for each in desk.events)

        await desk.until(later)


async def test_hundreds_at_once_are_all_sent_and_the_urgent_first(desk: Desk) -> None:
    count = 150
    for number in range(count):
        desk.put(f"{number:03}.edxml", package(f"{number}/UBND"))
    async with desk.watching():
        await desk.told(What.SENT, count)
    assert len({each["document"]["document_id"] for each in desk.documents()}) == count
    assert len([name for name in desk.names("sent") if name.endswith(".edxml")]) == count


async def test_a_sidecar_that_a_hand_was_at(desk: Desk) -> None:
    desk.world.shelf.away = True
    desk.put("a.edxml", package())
    async with desk.watching():
        await desk.told(What.TROUBLE)
    sidecar = desk.out / "sending" / "a.edxml.json"
    before = json.loads(sidecar.read_bytes())["envelope"]
    sidecar.write_text("{")
    desk.world.shelf.away = False
    async with desk.watching():
        # The register knows its id: it is taken for a repeat of itself, and sent under that.
        await desk.told(What.REPEATED)
    (document,) = desk.documents()
    assert document["id"] == before
