import asyncio

import pytest

from axis.cli import limiting
from axis.store import FakeStore
from schemas import Quota
from tests.builders import mailbox, organisation
from tests.unit.cli.conftest import Run


@pytest.fixture
def connected(store: FakeStore) -> None:
    async def fill() -> None:
        await store.directory.put_organisations([organisation("H37"), organisation("H37.05")])
        await store.directory.put_mailbox(mailbox("H37"))

    asyncio.run(fill())


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """How often the broker was brought up to date."""
    times: list[None] = []

    async def apply(*_: object, **__: object) -> int:
        times.append(None)
        return 0

    monkeypatch.setattr(limiting, "apply_topology", apply)
    return times


def own(store: FakeStore) -> Quota:
    return asyncio.run(store.directory.load())[1][0].quota


def test_limits_are_set_shown_and_taken_back(run: Run, store: FakeStore, connected: None, applied: list[None]) -> None:
    assert "no limit" in run("agency", "limit", "H37").out
    ran = run("agency", "limit", "H37", "--messages-per-minute", "600", "--connections", "20", "--uploads-per-day", "0")
    assert ran.code == 0
    assert own(store) == Quota(messages_per_minute=600, connections=20, uploads_per_day=0)
    assert len(applied) == 1
    shown = run("agency", "limit", "000.00.00.H37", "--messages-per-minute", "default", "--json").json
    assert shown["code"] == "H37"
    assert (shown["own"]["messages_per_minute"], shown["own"]["connections"]) == (None, 20)
    assert (shown["holds"]["connections"], shown["holds"]["uploads_per_day"]) == (20, None)
    assert [(action, subject) for _, action, subject, _ in store.audits] == [("agency.limit", "H37")] * 2
    assert len(applied) == 1  # nothing changed at the broker


def test_the_default_holds_where_there_is_no_own(run: Run, connected: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXIS_QUOTA", '{"messages_per_minute": 7}')
    shown = run("agency", "limit", "H37", "--json").json
    assert (shown["own"]["messages_per_minute"], shown["holds"]["messages_per_minute"]) == (None, 7)


def test_a_limit_of_the_broker_stays_where_nobody_knows_the_default_and_that_is_said(
    run: Run, connected: None, applied: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("agency", "limit", "H37", "--connections", "default")
    assert "AXIS_QUOTA is not set here" in ran.out
    monkeypatch.setenv("AXIS_QUOTA", "{}")
    assert "AXIS_QUOTA" not in run("agency", "limit", "H37", "--connections", "default").out


def test_what_cannot_be_is_said(run: Run, store: FakeStore, connected: None, applied: list[None]) -> None:
    for wrong in ("many", "-1", "1.5", "١", "1" + 30 * "0", str(2**62 + 1), 5000 * "9"):
        assert run("agency", "limit", "H37", "--connections", wrong).code == 2
    assert own(store) == Quota()
    assert run("agency", "limit", "H37", "--bytes-per-minute", str(2**62)).code == 0
    assert own(store) == Quota(bytes_per_minute=2**62)
    ran = run("agency", "limit", "H37.05")
    assert (ran.code, "has no mailbox" in ran.err) == (66, True)
