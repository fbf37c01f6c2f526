"""When a file counts as written."""

import os
from pathlib import Path

import pytest

from axis.folder.pickup import Pickup
from tests.unit.folder.desk import package

WHOLE = package()


class Looking:
    """A folder whose time a test tells."""

    def __init__(self, folder: Path) -> None:
        self.time, self.folder = 0.0, folder
        self.today = 1e9
        self.pickup = Pickup(folder, quiet=2, patience=30, now=lambda: self.time, today=lambda: self.today + self.time)

    def write(self, name: str, data: bytes, *, age: float = 0) -> None:
        (self.folder / name).write_bytes(data)
        at = self.today + self.time - age
        os.utime(self.folder / name, (at, at))

    def after(self, seconds: float) -> list[str]:
        self.time += seconds
        return self.pickup.look().ready


@pytest.fixture
def looking(tmp_path: Path) -> Looking:
    return Looking(tmp_path)


def test_one_that_is_whole_after_the_quiet_time(looking: Looking) -> None:
    looking.write("a.edxml", WHOLE)
    assert looking.after(0) == []
    assert looking.after(1) == []
    assert looking.after(1) == ["a.edxml"]


def test_one_that_grows_begins_anew(looking: Looking) -> None:
    looking.write("a.edxml", WHOLE[:-50])
    assert looking.after(0) == []
    looking.write("a.edxml", WHOLE[:-40])
    assert looking.after(2) == []
    looking.write("a.edxml", WHOLE)
    assert looking.after(2) == []
    assert looking.after(2) == ["a.edxml"]


def test_one_that_is_not_whole_is_given_patience(looking: Looking) -> None:
    looking.write("a.edxml", WHOLE[:-40])
    assert looking.after(0) == []
    assert looking.after(29) == []
    assert looking.pickup.look().unfinished == ["a.edxml"]
    assert looking.after(1) == ["a.edxml"]


def test_one_that_was_moved_in_is_whole_at_once_and_a_broken_one_soon(looking: Looking) -> None:
    looking.write("b.edxml", WHOLE, age=100)
    looking.write("a.edxml", WHOLE, age=200)
    looking.write("broken.edxml", WHOLE[:-40], age=100)
    assert looking.after(0) == ["a.edxml", "b.edxml"]  # the older first
    assert looking.after(2) == ["a.edxml", "broken.edxml", "b.edxml"] or looking.pickup.look().ready[0] == "a.edxml"
    assert "broken.edxml" in looking.pickup.look().ready


def test_one_that_another_was_put_in_the_place_of(looking: Looking) -> None:
    looking.write("a.edxml", WHOLE)
    assert looking.after(0) == []
    looking.write("a.edxml.tmp", WHOLE)
    (looking.folder / "a.edxml.tmp").replace(looking.folder / "a.edxml")
    assert looking.after(2) == []
    assert looking.after(2) == ["a.edxml"]


@pytest.mark.parametrize("end", [b"", b"\r\n \t", b"\n\n"])
@pytest.mark.parametrize("tag", [b"</edXML>", b"</x:EDXMLENVELOPE >"])
def test_ends_of_whole_packages(looking: Looking, tag: bytes, end: bytes) -> None:
    looking.write("a.edxml", b"<?xml version='1.0'?><edXML>" + tag + end, age=100)
    assert looking.after(0) == ["a.edxml"]


def test_a_clock_that_is_wrong_on_the_share_only_costs_time(looking: Looking) -> None:
    looking.write("a.edxml", WHOLE, age=-3600)
    assert looking.after(0) == []
    assert looking.after(2) == ["a.edxml"]
