"""`axis quarantine`: a list that goes on, what would happen, handing over and dropping, and how each ends."""

import asyncio
import signal
from collections.abc import Sequence

import pytest

from axis.core.ids import new_id
from axis.errors import Unavailable
from axis.evidence import quarantined
from axis.store import FakeStore
from axis.store.fake_quarantine import FakeQuarantine
from tests.builders import NOW, mailbox, organisation
from tests.unit.cli.conftest import Run
from tests.unit.trust.certified import certified
from tests.unit.workers.harness import set_aside

WHY = "đã sửa ở bản 2026.11.3"
UNKNOWN = new_id(NOW)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axis.cli.quarantine_acting.now", lambda: NOW)
    monkeypatch.setattr(quarantined, "EVERY", 0.0)
    monkeypatch.setattr("getpass.getuser", lambda: "lan")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def put(store: FakeStore, count: int, **changes: object) -> list[str]:
    rows = [set_aside(**changes) for _ in range(count)]

    async def fill() -> None:
        await store.directory.put_organisations([organisation("G22"), organisation("H37")])
        for code in ("G22", "H37"):
            await store.directory.put_mailbox(mailbox(code))
        await store.directory.put_certificate(certified("ed25519", "G22")[1])
        async with store.transaction() as tx:
            await tx.quarantine(rows)

    asyncio.run(fill())
    return [row.id for row in rows]


def still(store: FakeStore) -> set[str]:
    return {each.id for each in asyncio.run(store.quarantined())}


def audited(store: FakeStore) -> list[tuple[str, str, str]]:
    return [(actor, action, subject) for actor, action, subject, _ in store.audits]


def test_the_list_goes_on_where_it_ended_also_within_one_moment(run: Run, store: FakeStore) -> None:
    ids = put(store, 5)
    found, more = [], ["--limit", "2"]
    for _ in range(3):
        told = run("quarantine", "list", "--json", *more).json
        found += [each["id"] for each in told["quarantined"]]
        more = ["--limit", "2", "--before", str(told["next"])]
    assert found == sorted(ids, reverse=True)
    assert told["next"] is None
    (hint,) = [line for line in run("quarantine", "list", "--limit", "3").out.splitlines() if "--before" in line]
    rest = run("quarantine", "list", "--before", hint.split("--before ")[1])
    assert [each in rest.out for each in sorted(ids)] == [True, True, False, False, False]
    assert "2 more" in rest.out
    assert run("quarantine", "list", "--limit", "5", "--json").json["next"] is None  # all of them: nothing follows


# An identifier is new in each process, and tests that processes share have to be named alike.
@pytest.mark.parametrize(
    "before",
    ["never", f"{NOW.isoformat()},x", f"{NOW.isoformat()},", ",", f",{UNKNOWN}"],
    ids=["words", "no id", "an empty id", "a comma", "no time"],
)
def test_a_list_that_cannot_go_on_is_wrong_usage(run: Run, store: FakeStore, before: str) -> None:
    assert run("quarantine", "list", "--before", before).code == 2


def test_check_says_what_would_happen_and_changes_nothing(run: Run, store: FakeStore) -> None:
    (good,) = put(store, 1)
    (bad,) = put(store, 1, account="H37")
    ran = run("quarantine", "check", f" {good.upper()} ")
    assert (ran.code, "it would be accepted" in ran.out, "H37: mailbox H37" in ran.out) == (0, True, True)
    assert "H99: refused, recipient/unknown" in ran.out
    told = run("quarantine", "check", bad, "--json")
    assert (told.code, told.json["code"]) == (1, "abuse/account")
    assert "it would be refused: abuse/account" in run("quarantine", "check", bad).out
    assert still(store) == {good, bad}
    assert store.audits == []
    for identifier in (UNKNOWN, "no-such"):
        missing = run("quarantine", "check", identifier, "--json")
        assert (missing.code, missing.json["error"]["code"]) == (66, "quarantine/unknown")


def test_a_group_is_handed_over_and_told_while_it_goes_on(run: Run, store: FakeStore) -> None:
    ids = put(store, 6)
    ran = run("quarantine", "requeue", *ids, ids[0].upper(), "--why", f"  {WHY} ")
    assert (ran.code, ran.out) == (0, "6 requeued\n")
    assert ran.err.splitlines() == ["5 of 6 requeued", "6 of 6 requeued"]
    assert audited(store) == [("lan", "quarantine.requeued", each) for each in ids]
    assert still(store) == set()
    assert len(asyncio.run(store.waiting("axis.route.normal", NOW, 50))) == 6
    shown = run("quarantine", "show", ids[0])
    assert f"by lan: {WHY}" in shown.out
    assert "not in quarantine any more" in shown.out
    told = run("quarantine", "show", ids[0], "--json").json
    assert (told["is_in"], [each["how"] for each in told["departures"]]) == (False, ["requeued"])


def test_a_reason_stands_for_the_last_seen_of_it(run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axis.cli.quarantine_acting.AT_ONCE", 3)
    ids, (other,) = put(store, 4), put(store, 1, reason="certificate/unknown")
    assert run("quarantine", "requeue", ids[0], "--reason", "message/poison", "--why", WHY).code == 2
    ran = run("quarantine", "requeue", "--reason", "message/poison", "--why", WHY)
    assert (ran.code, ran.out.splitlines()) == (
        0,
        ["3 requeued", "there are more of message/poison: ask again for the next 3"],
    )
    assert still(store) == {min(ids), other}
    assert run("quarantine", "requeue", "--reason", "message/poison", "--why", WHY).out == "1 requeued\n"
    assert run("quarantine", "requeue", "--reason", "no/such", "--why", WHY, "--json").json["requeued"] == 0
    assert still(store) == {other}


def test_what_stays_is_told_with_why(run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    (good,) = put(store, 1)
    (unproved,) = put(store, 1, account=None)
    ran = run("quarantine", "requeue", good, UNKNOWN, unproved, "x\x1b[2J", "--why", WHY, "--json")
    assert (ran.code, ran.json["requeued"], ran.json["untouched"]) == (1, 1, [])
    assert set(ran.json["stayed"]) == {UNKNOWN, unproved, "x\x1b[2j"}
    assert "no account was proved" in ran.json["stayed"][unproved]
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    again = run("quarantine", "requeue", good, "x\x1b[2J", "--why", WHY)
    assert (again.code, again.out.splitlines()[0]) == (1, "0 requeued")
    assert f"{good} stayed: quarantine/stays: it is not in quarantine, or not any more" in again.out
    assert "Không thể đưa gói tin này trở lại xử lý." in again.out
    assert "\x1b" not in again.out + again.err
    assert still(store) == {unproved}


@pytest.mark.parametrize("command", ["requeue", "drop"])
def test_nothing_leaves_that_is_not_asked_for_rightly(run: Run, store: FakeStore, command: str) -> None:
    (kept,) = put(store, 1)
    assert run("quarantine", command, kept).code == 2  # without --why
    assert run("quarantine", command, "--why", WHY).code == 2  # of nothing
    for why in ("  ", "x" * 501):
        ran = run("quarantine", command, kept, "--why", why, "--json")
        assert (ran.code, ran.json["error"]["code"]) == (65, "quarantine/asked")
    many = [new_id(NOW) for _ in range({"requeue": 51, "drop": 1_001}[command])]
    ran = run("quarantine", command, kept, *many, "--why", WHY)
    assert (ran.code, "quarantine/asked" in ran.err, "at most" in ran.err) == (65, True, True)
    assert still(store) == {kept}
    assert store.audits == []


def test_what_was_dropped_cannot_be_dropped_or_requeued(run: Run, store: FakeStore) -> None:
    one, other = put(store, 2)
    assert run("quarantine", "drop", one.upper(), other, "--why", WHY, "--json").json == {
        "dropped": 2,
        "stayed": {},
        "untouched": [],
    }
    again = run("quarantine", "drop", one, UNKNOWN, "--why", WHY)
    assert (again.code, again.out.splitlines()[0]) == (1, "0 dropped")
    assert all(f"{each} stayed" in again.out for each in (one, UNKNOWN))
    assert run("quarantine", "requeue", one, "--why", WHY).code == 1
    assert sorted(audited(store)) == sorted(("lan", "quarantine.dropped", each) for each in (one, other))
    assert "dropped" in run("quarantine", "show", one).out
    assert run("quarantine", "show", UNKNOWN).code == 66


def test_ctrl_c_ends_a_group_between_two(run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = put(store, 6)
    monkeypatch.setattr(quarantined, "EVERY", 0.05)
    during(monkeypatch, 2, lambda: signal.raise_signal(signal.SIGINT))
    ran = run("quarantine", "requeue", *ids, "--why", WHY, "--json")
    assert (ran.code, ran.json) == (130, {"requeued": 2, "stayed": {}, "untouched": ids[2:]})
    assert still(store) == set(ids[2:])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    # The whole group may be asked for again: none of it is handed over twice.
    ran = run("quarantine", "requeue", *ids, "--why", WHY)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "4 requeued")
    assert len(asyncio.run(store.waiting("axis.route.normal", NOW, 50))) == 6
    assert [subject for *_, subject in audited(store)] == ids


def test_a_store_that_goes_away_ends_it_and_it_is_told_how_far_it_was(
    run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(store, 4)

    def leave() -> None:
        raise Unavailable("the database is away")

    during(monkeypatch, 3, leave)
    ran = run("quarantine", "requeue", *ids, "--why", WHY)
    assert (ran.code, ran.out) == (69, "")
    assert "2 of 4 requeued" in ran.err
    assert "the database is away" in ran.err
    assert still(store) == set(ids[2:])


def during(monkeypatch: pytest.MonkeyPatch, number: int, act: object) -> None:
    """Do something while the store takes out the message of this number."""
    original, calls = FakeQuarantine.requeue, list[str]()

    async def requeue(self: FakeQuarantine, identifier: str, *arguments: Sequence[object], **named: object) -> bool:
        calls.append(identifier)
        if len(calls) == number:
            act()  # type: ignore[operator]
        return await original(self, identifier, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeQuarantine, "requeue", requeue)
