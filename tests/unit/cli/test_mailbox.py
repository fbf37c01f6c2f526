"""`axis mailbox rebuild`: of which mailboxes, and when not."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import ClassVar

import pytest

from axis.broker import QueueState
from axis.cli import mailbox as command
from axis.cli.audit.looking import Looked
from axis.core.audit import Plan, Window
from axis.core.directory import Directory
from axis.core.ids import new_id
from axis.store import FakeStore
from tests.builders import NOW, mailbox, organisation
from tests.unit.cli.conftest import Run

ENVELOPE = new_id(NOW)


class Link:
    """Queues, one of which somebody consumes."""

    used: tuple[str, ...] = ()

    async def queue_states(self, queues: Iterable[str]) -> dict[str, QueueState | None]:
        return {name: QueueState(consumers=int(name in self.used), messages=0) for name in queues}


@pytest.fixture
def link(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> Link:
    made = Link()
    directory = Directory.build([organisation("H37")], [mailbox("H37")])
    desk = SimpleNamespace(now=lambda: NOW)

    @contextlib.asynccontextmanager
    async def opened(_: object) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(store=store, link=made, directory=directory, desk=desk)

    async def look_into(*_: object) -> None:
        raise AssertionError("it must not look")

    monkeypatch.setattr(command, "opened", opened)
    monkeypatch.setattr(command, "look_into", look_into)
    return made


@pytest.mark.parametrize("queue", ["mailbox.urgent.H37", "mailbox.normal.H37", "notices.H37"])
def test_a_mailbox_that_somebody_reads_is_left_alone(run: Run, link: Link, queue: str) -> None:
    link.used = (queue,)
    for options in ([], ["--dry-run"]):
        ran = run("mailbox", "rebuild", "H37", "--json", *options)
        assert (ran.code, ran.json["error"]["code"]) == (69, "mailbox/in-use")
        assert queue in ran.err


def test_who_has_no_mailbox_is_told_so(run: Run, link: Link) -> None:
    ran = run("mailbox", "rebuild", "H38", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (66, "recipient/no-mailbox")
    assert run("mailbox", "rebuild", "no code").code == 65
    assert run("mailbox", "rebuild", "H37", "--notices-since", "soon").code == 2


def test_nothing_is_audited_of_what_was_not_done(run: Run, link: Link, store: FakeStore) -> None:
    link.used = ("notices.H37",)
    run("mailbox", "rebuild", "H37")
    assert store.audits == []


def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    run: Run, link: Link, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(copies={ENVELOPE: {"H37"}})
    window = Window(NOW, NOW)
    carried: list[Plan] = []

    async def look_into(*_: object) -> Looked:
        return Looked(plan, window, None, 3, 7, ())

    class Carrier:
        done: ClassVar = {"put document again": 1}

        def __init__(self, _: object, what: Plan, __: object) -> None:
            self.what = what

        async def run(self) -> None:
            carried.append(self.what)

    monkeypatch.setattr(command, "look_into", look_into)
    monkeypatch.setattr(command, "Carrier", Carrier)
    ran = run("mailbox", "rebuild", "000.00.00.H37", "--dry-run")
    assert (ran.code, carried, store.audits) == (3, [], [])
    assert ENVELOPE in ran.out
    assert (run("mailbox", "rebuild", "000.00.00.H37").code, carried) == (0, [plan])
    assert [each[1:3] for each in store.audits] == [("mailbox.rebuild", "H37")]
