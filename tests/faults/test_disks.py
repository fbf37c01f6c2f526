"""A small disk: full when it is made so, its folder as it was afterwards, gone with the process that mounted it."""

import asyncio
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from axis.faults.disks import mounted, moved_to_disk, no_disks
from axis.faults.processes import until

_REASON = no_disks()
pytestmark = pytest.mark.skipif(_REASON is not None, reason=_REASON or "")


def test_it_is_full_and_free_again(tmp_path: Path) -> None:
    with mounted(tmp_path, 4) as disk:
        disk.fill()
        assert disk.free_bytes == 0
        with pytest.raises(OSError, match="No space left") as told:
            (tmp_path / "one").write_bytes(b"x" * 10_000)
        assert told.value.errno == errno.ENOSPC
        disk.free()
        (tmp_path / "one").write_bytes(b"x" * 10_000)
    assert not tmp_path.is_mount()
    assert not list(tmp_path.iterdir())


def test_what_was_in_the_folder_moves_there_and_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    (folder / "before").write_text("1")
    (folder / "link").symlink_to("before")

    async def fail() -> None:
        async with moved_to_disk(folder, 4) as disk:
            assert (folder / "before").read_text() == "1"
            (folder / "before").unlink()
            (folder / "after").write_text("2")
            disk.fill()
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(fail())
    assert sorted(path.name for path in folder.iterdir()) == ["after", "link"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_it_does_not_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from axis.faults.disks import mounted\n"
        "with mounted(Path(sys.argv[1]), 1): print(flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert asyncio.run(until(lambda: not tmp_path.is_mount(), 10.0))
