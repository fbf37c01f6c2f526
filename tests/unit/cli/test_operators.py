"""`axis operator` on a fake store."""

import asyncio
import io

import pytest

from axis.console.access.passwords import Passwords
from axis.core.operators import Role
from axis.store import FakeStore
from tests.unit.cli.conftest import Run

CHEAP = Passwords(memory_kib=8, passes=1, lanes=1)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axis.cli.operators.Passwords", lambda: CHEAP)


def hash_of(store: FakeStore, login: str) -> str | None:
    found = asyncio.run(store.operators.find(login))
    assert found is not None
    return found[1]


def fits(store: FakeStore, login: str, password: str) -> bool:
    return CHEAP._verify(hash_of(store, login) or "", password)


def test_an_account_is_made_shown_changed_and_closed(store: FakeStore, run: Run) -> None:
    made = run("operator", "add", "lan", "--role", "operator", "--name", "Nguyễn Thị Lan", "--json")
    assert (made.code, made.json["login"]) == (0, "lan")
    assert fits(store, "lan", made.json["password"])
    assert run("operator", "add", "lan", "--role", "viewer").code == 65
    told = run("operator", "list")
    assert {"lan", "Nguyễn", "operator", "once"} <= set(told.out.split())
    assert run("operator", "role", "lan", "agency", "--code", "000.00.00.H37").code == 0
    assert run("operator", "close", "lan").code == 0
    (closed,) = run("operator", "list", "--json").json["operators"]
    assert (closed["role"], closed["code"], closed["closed_at"] is None) == ("agency", "H37", False)
    assert run("operator", "role", "lan", "viewer", "--json").json["closed_at"] is not None
    assert run("operator", "close", "lan", "--reopen", "--json").json["closed_at"] is None
    assert [action for _, action, _, _ in store.audits] == ["operator.add"] + ["operator.change"] * 4
    assert store.audits[1][3] == {
        "before": {"name": "Nguyễn Thị Lan", "role": "operator", "code": None, "closed": False},
        "after": {"name": "Nguyễn Thị Lan", "role": "agency", "code": "H37", "closed": False},
    }


def test_a_password_is_for_once_or_chosen(store: FakeStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("operator", "add", "lan", "--role", "viewer")
    told = run("operator", "password", "lan", "--json").json["password"]
    assert fits(store, "lan", told)
    monkeypatch.setattr("sys.stdin", io.StringIO("ein langes Passwort\n"))
    chosen = run("operator", "password", "lan", "--choose")
    assert (chosen.code, "ein langes" in chosen.out) == (0, False)
    assert fits(store, "lan", "ein langes Passwort")
    monkeypatch.setattr("sys.stdin", io.StringIO("kurz\n"))
    assert run("operator", "password", "lan", "--choose").code == 65
    assert all("Passwort" not in str(audit) and told not in str(audit) for audit in store.audits)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "lan", "--role", "agency"), 65),
        (("add", "lan", "--role", "viewer", "--code", "H37"), 65),
        (("add", "lan", "--role", "agency", "--code", "no code"), 65),
        (("add", "a b", "--role", "viewer"), 65),
        (("add", "<script>", "--role", "viewer"), 65),
        (("add", "lan", "--role", "root"), 2),
        (("password", "nobody"), 66),
        (("role", "nobody", "viewer"), 66),
        (("close", "nobody"), 66),
    ],
)
def test_what_cannot_be_says_so(store: FakeStore, run: Run, arguments: tuple[str, ...], code: int) -> None:
    assert run("operator", *arguments).code == code
    assert store.audits == []


def test_every_role_is_in_the_help(run: Run) -> None:
    assert all(role in run("operator", "add", "--help").out for role in Role)
