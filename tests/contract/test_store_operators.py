"""Accounts, sessions, wrong passwords and the audit, on the fake and on PostgreSQL."""

import asyncio
import datetime as dt
from dataclasses import replace

import pytest

from axis.core.operators import Operator, Role, Session
from axis.store import SoughtActs, Store

NOW = dt.datetime(2026, 11, 27, 5, 0, tzinfo=dt.UTC)
VIEWER = Operator("lan", "Nguyễn Thị Lan", Role.VIEWER, created_at=NOW, temporary=True)
AGENCY = Operator("h37", "Sở Nội vụ", Role.AGENCY, "H37", created_at=NOW)


def session(login: str, number: int = 1, begun_at: dt.datetime = NOW) -> Session:
    return Session(bytes([number]) * 32, login, begun_at, begun_at, "192.0.2.7", "password")


async def test_an_account_comes_back_as_it_was_made(store: Store) -> None:
    operators = store.operators
    assert await operators.add(VIEWER, "hash", by="root")
    assert not await operators.add(replace(VIEWER, name="Another"), "other", by="root")
    assert await operators.find("lan") == (VIEWER, "hash")
    assert await operators.find("LAN") is None
    assert await operators.find("l\0n") is None
    assert not await operators.add(replace(VIEWER, login="l\0n"), None, by="root")
    assert await operators.add(AGENCY, None, by="root")
    assert await operators.all() == (AGENCY, VIEWER)


async def test_an_account_of_a_provider_is_found_by_its_subject(store: Store) -> None:
    hoa = Operator("oidc:7", "Hoa", Role.OPERATOR, created_at=NOW, issuer="https://id.gov.vn", subject="7")
    assert await store.operators.add(hoa, None, by="console")
    assert not await store.operators.add(replace(hoa, login="another"), None, by="console")
    assert await store.operators.find_subject("https://id.gov.vn", "7") == hoa
    assert await store.operators.find_subject("https://other.vn", "7") is None
    assert await store.operators.find_subject("https://id.gov.vn", "\0") is None
    assert not await store.operators.set_password("oidc:7", "hash", temporary=False, by="root")


async def test_a_change_is_noted_and_ends_sessions_that_may_less(store: Store) -> None:
    operators = store.operators
    await operators.add(VIEWER, "hash", by="root")
    await operators.begin(session("lan"), "hash")
    assert await operators.change(replace(VIEWER, name="Lan"), by="root") == VIEWER
    assert await operators.session(session("lan").token, NOW) is not None
    changed = replace(VIEWER, name="Lan", role=Role.AGENCY, code="H37")
    assert (await operators.change(changed, by="root")) == replace(VIEWER, name="Lan")
    assert await operators.session(session("lan").token, NOW) is None
    assert await operators.change(replace(VIEWER, login="nobody"), by="root") is None
    closed = replace(changed, closed_at=NOW)
    await operators.change(closed, by="root")
    assert await operators.find("lan") == (closed, "hash")
    assert not await operators.begin(session("lan", 2), "hash")
    assert not await operators.begin(session("nobody", 3), "hash")
    acts = await operators.acts(SoughtActs(subject="lan"))
    assert [act.action for act in acts] == ["operator.change"] * 3 + ["operator.add"]
    assert '"code": "H37"' in acts[0].detail
    assert '"closed": true' in acts[0].detail


async def test_a_new_password_ends_all_sessions(store: Store) -> None:
    operators = store.operators
    await operators.add(VIEWER, "hash", by="root")
    for number in (1, 2):
        await operators.begin(session("lan", number), "hash")
    assert await operators.set_password("lan", "new", temporary=False, by="lan")
    assert await operators.find("lan") == (replace(VIEWER, temporary=False), "new")
    assert [await operators.session(bytes([n]) * 32, NOW) for n in (1, 2)] == [None, None]
    assert not await operators.set_password("nobody", "new", temporary=False, by="lan")
    assert not await operators.set_password("l\0", "new", temporary=False, by="lan")


async def test_a_login_that_a_new_password_overtook_is_none(store: Store) -> None:
    operators = store.operators
    await operators.add(VIEWER, "hash", by="root")
    for _ in range(5):
        await operators.attempt({"account:lan"}, NOW)
    await operators.set_password("lan", "new", temporary=False, by="root")
    assert not await operators.begin(session("lan"), "hash")
    assert not await operators.begin(session("lan"), None)
    assert await operators.begin(session("lan"), "new")
    # Whoever gives somebody a new password lets them in with it at once.
    assert (await operators.attempt({"account:lan"}, NOW))[1] == dt.timedelta()
    hoa = Operator("oidc:7", "Hoa", Role.OPERATOR, created_at=NOW, issuer="https://id.gov.vn", subject="7")
    await operators.add(hoa, None, by="console")
    assert await operators.begin(session("oidc:7", 2), None)


async def test_a_session_counts_as_long_as_it_is_used_and_twelve_hours_at_most(store: Store) -> None:
    operators = store.operators
    await operators.add(VIEWER, "hash", by="root")
    begun = session("lan")
    assert await operators.begin(begun, "hash")
    at = NOW
    for _ in range(24):
        at += dt.timedelta(minutes=29)
        assert await operators.session(begun.token, at) is not None
    assert await operators.session(begun.token, NOW + dt.timedelta(hours=12)) is None
    unused = session("lan", 2)
    await operators.begin(unused, "hash")
    later = NOW + dt.timedelta(minutes=29, seconds=59)
    assert await operators.session(unused.token, later, used=False) == (VIEWER, unused)
    assert await operators.session(unused.token, NOW + dt.timedelta(minutes=30)) is None
    assert await operators.session(b"\1" * 31, NOW) is None
    assert await operators.forget(at) == 1
    await operators.end(begun.token)
    await operators.end(begun.token)
    assert await operators.session(begun.token, at) is None
    await operators.begin(session("lan", 3), "hash")
    await operators.end_all("lan")
    assert await operators.session(b"\3" * 32, NOW) is None


async def test_of_many_attempts_at_once_no_more_pass_than_one_by_one(store: Store) -> None:
    keys = {"account:lan", "address:192.0.2.7"}
    tried = await asyncio.gather(*(store.operators.attempt(keys, NOW) for _ in range(8)))
    assert sorted(wait.total_seconds() for _, wait in tried) == [0.0] * 5 + [1.0] * 3
    _, wait = await store.operators.attempt({"account:lan"}, NOW + dt.timedelta(seconds=1))
    assert not wait
    _, wait = await store.operators.attempt({"account:lan"}, NOW + dt.timedelta(seconds=1))
    assert wait == dt.timedelta(seconds=2)
    await store.operators.forgive("account:lan", "address:192.0.2.7")
    counted, wait = await store.operators.attempt(keys, NOW + dt.timedelta(seconds=1))
    assert ([each.failures for each in counted], wait) == ([1, 5], dt.timedelta())
    await store.operators.forget(NOW + dt.timedelta(hours=13))
    counted, _ = await store.operators.attempt({"account:l\0n", "account:lan"}, NOW + dt.timedelta(hours=13))
    assert [each.failures for each in counted] == [1, 1]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        (SoughtActs(), ["c", "b", "a"]),
        (SoughtActs(actor="root"), ["c", "a"]),
        (SoughtActs(action="agency."), ["b", "a"]),
        (SoughtActs(action="agency_"), []),
        (SoughtActs(subject="b"), ["b"]),
        (SoughtActs(subject="'; DROP TABLE audit; --\0"), []),
        (SoughtActs(since=dt.datetime(2100, 1, 1, tzinfo=dt.UTC)), []),
        (SoughtActs(until=dt.datetime(2000, 1, 1, tzinfo=dt.UTC)), []),
    ],
)
async def test_acts_are_found_the_newest_first(store: Store, sought: SoughtActs, found: list[str]) -> None:
    for actor, action, subject in (
        ("root", "agency.add", "a"),
        ("lan", "agency.close", "b"),
        ("root", "operator.add", "c"),
    ):
        await store.audit(actor, action, subject)
    acts = await store.operators.acts(sought)
    assert [act.subject for act in acts] == found
    if len(found) > 1:
        assert [act.subject for act in await store.operators.acts(sought, before=acts[0].id, limit=1)] == found[1:2]
