import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from axis.cli.certificate_checks import _lasting, _revocation
from axis.cli.checks import _clock, _roles, _space, _standby, _worker, log
from axis.cli.early_checks import early
from axis.cli.findings import Level, few
from axis.core.evidence import Proof
from axis.core.ids import new_id
from axis.settings import Settings
from axis.store import FakeStore
from tests.builders import NOW
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_track_and_quarantine import waiting
from tests.unit.store.rows import accepted, certificate, notice_row

DAY = dt.timedelta(days=1)


def test_without_settings_it_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AXIS_AMQP_URL", "AXIS_RABBITMQ_API_URL", "AXIS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AXIS_HOME", str(tmp_path))
    ran = run("doctor")
    assert ran.code == 1
    assert ran.out.startswith("fail settings")
    assert "`axis up`" in ran.out


def test_what_is_away_fails_alone(run: Run, store: object, tmp_path: Path) -> None:
    ran = run("doctor", "--json")
    assert ran.code == 1
    levels = {each["name"]: each["level"] for each in ran.json["checks"]}
    assert {name for name, level in levels.items() if level == "fail"} >= {"broker", "database", "gateway", "axis key"}
    assert levels["settings"] == "ok"
    assert "console" not in levels  # no port of it is known here
    assert all(each["remedy"] for each in ran.json["checks"] if each["level"] == "fail")


def test_a_console_that_does_not_answer_fails(run: Run, store: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXIS_CONSOLE_PORT", "1")
    (check,) = (each for each in run("doctor", "--json").json["checks"] if each["name"] == "console")
    assert (check["level"], "python -m axis.console" in check["remedy"]) == ("fail", True)


@pytest.mark.parametrize(
    ("ahead", "level"),
    [(0.0, Level.OK), (0.9, Level.OK), (2.0, Level.WARN), (-2.0, Level.WARN), (31.0, Level.FAIL), (-31.0, Level.FAIL)],
)
def test_clocks(ahead: float, level: Level) -> None:
    assert _clock(NOW, NOW + dt.timedelta(seconds=ahead), NOW).level is level


def test_services_that_work_as_the_owner_are_named() -> None:
    found = _roles(["axis router", "axis doctor", "axis relay"])
    assert (found.level, "axis relay, axis router" in found.found) == (Level.WARN, True)
    assert _roles(["axis doctor", "axis cli"]).level is Level.OK


async def test_a_log_that_nobody_writes(store: FakeStore) -> None:
    settings = Settings.load()
    (empty,) = await log(settings)
    assert empty.level is Level.OK
    old = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    async with store.transaction() as tx:
        await tx.accept([replace(accepted(), receipt=notice_row(id=new_id(old)))])
    (behind,) = await log(settings)
    assert (behind.level, "1 receipts of the last day" in behind.found) == (Level.FAIL, True)
    await store.log.assign(lambda each: b"x" * 32, 10, dt.timedelta(days=1))
    (unsigned,) = await log(settings)
    assert (unsigned.level, "wait for a checkpoint" in unsigned.found) == (Level.WARN, True)
    await store.log.record(1, b"r" * 32, "note")
    (signed,) = await log(settings)
    assert (signed.level, "1 entries, signed" in signed.found) == (Level.OK, True)


async def test_recalls_that_nobody_takes_up(store: FakeStore) -> None:
    settings = Settings.load()
    (none,) = await early(settings)
    assert (none.level, none.found) == (Level.OK, "nothing waits for its document")
    now = dt.datetime.now(dt.UTC)
    for minutes, level in ((1, Level.OK), (30, Level.WARN)):
        came = now - dt.timedelta(minutes=minutes)
        async with store.transaction() as tx:
            await tx.wait(replace(waiting(new_id(NOW)), received_at=came), 10)
        (found,) = await early(settings)
        assert found.level is level
    assert found.found.startswith("2 wait for their documents")
    assert "axis.route.urgent" in found.remedy


def test_a_slow_answer_is_no_wrong_clock() -> None:
    assert _clock(NOW, NOW + dt.timedelta(seconds=5), NOW + dt.timedelta(seconds=9)).level is Level.OK


def test_workers() -> None:
    assert _worker("router", {"a": (2, 0), "b": (1, 5)}).level is Level.OK
    idle = _worker("router", {"a": (1, 0), "b": (0, 5)})
    assert (idle.level, idle.found) == (Level.FAIL, "nobody consumes b; 5 messages wait")
    assert "there is no queue a" in _worker("tracker", {"a": None}).found


def test_space_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert "GiB free" in _space("disk", tmp_path / "not" / "yet").found


def test_few() -> None:
    assert few(["a", "b"]) == "a, b"
    assert few([str(number) for number in range(9)]) == "0, 1, 2, 3, 4 and 4 more"


def test_a_standby_that_nobody_waits_for_is_told_where_there_is_one() -> None:
    one, two = "postgresql://u@one:1/axis", "postgresql://u@one:1,two:2/axis"
    assert _standby(one, "") == []
    assert [check.level for check in _standby(two, "*")] == [Level.OK]
    assert [check.level for check in _standby(two, "")] == [Level.WARN]


@pytest.mark.parametrize(
    ("changes", "level", "told"),
    [
        ({}, Level.OK, "0 certificates are shown not to be revoked, nobody is asked about 1"),
        ({"evidence": 1, "trusted_until": NOW + DAY}, Level.OK, "1 certificates are shown"),
        ({"evidence": 2, "trusted_until": NOW + DAY}, Level.WARN, "the policy's grace runs: H37"),
        ({"trusted_until": NOW + DAY}, Level.WARN, "the policy's grace runs: H37"),
        ({"evidence": 2, "trusted_until": NOW}, Level.FAIL, "H37 cannot send"),
        ({"evidence": 2, "trusted_until": NOW, "retired_at": NOW}, Level.OK, "0 certificates"),
    ],
)
def test_evidence_that_grows_old(changes: dict[str, Any], level: Level, told: str) -> None:
    proofs = {1: Proof(1, NOW - DAY, NOW + DAY), 2: Proof(2, NOW - 2 * DAY, NOW - DAY)}
    found = _revocation([certificate(**changes)], proofs, NOW)
    assert (found.level, told in found.found) == (level, True)
    assert bool(found.remedy) == (level is not Level.OK)


def test_who_cannot_sign_and_who_soon_cannot() -> None:
    lasting, ending = certificate(), certificate(not_after=NOW + 20 * DAY)
    assert _lasting([lasting], [lasting], {"H37"}, NOW).level is Level.OK
    soon = _lasting([ending], [ending], {"H37"}, NOW)
    assert (soon.level, "H37" in soon.found) == (Level.WARN, True)
    none = _lasting([lasting], [lasting], {"H37", "H38"}, NOW)
    assert (none.level, "no valid one for H38" in none.found) == (Level.WARN, True)
