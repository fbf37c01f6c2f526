"""The commands against a whole axis of their own: broker, database, workers and gateway are real."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from axis import local
from axis.cli.accounts import management
from axis.cli.onboarding import Newcomer, connect_all, onboard_many
from axis.client import AgencySettings
from axis.core.topology import Binding, Change, Verb
from axis.errors import Misconfigured
from axis.store import Store
from tests.programs import AXIS
from tests.whole_axis import SECONDS, Axis, whole_axis

# Broker accounts are shared by all virtual hosts of a broker, so these codes are this module's own.
SENDER, RECEIVER, UNIT, STRANGER = "X41", "X42", "X42.07", "X49"
WORKER = "axis-worker-of-test-cli"


@pytest.fixture(scope="module")
def axis(services: local.Services, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Axis]:
    with whole_axis(services, migrated_template, tmp_path_factory.mktemp("cli"), worker=WORKER) as running:
        yield running


@pytest.fixture(scope="module")
def agencies(axis: Axis) -> Axis:
    axis.run("agency", "add", SENDER, "--name", "Cơ quan gửi", "--demonstration-key")
    axis.run("agency", "add", RECEIVER, "--name", "Cơ quan nhận", "--demonstration-key", "--key-kind", "p256")
    axis.run("agency", "add", UNIT, "--name", "Phòng Tổng hợp", "--no-mailbox")
    return axis


def test_adding_an_agency_makes_everything_at_once_and_again_nothing(agencies: Axis) -> None:
    again = agencies.json("agency", "add", SENDER, "--demonstration-key")
    assert again["done"] == []
    folder = Path(again["folder"])
    assert stat.S_IMODE((folder / "profile.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert AgencySettings.load(folder).key.thumbprint == again["thumbprint"]
    shown = agencies.json("agency", "show", "000.00.00." + SENDER)
    assert shown["queues"] == [f"mailbox.urgent.{SENDER}", f"mailbox.normal.{SENDER}", f"notices.{SENDER}"]
    listed = {each["code"]: each for each in agencies.json("agency", "list")["organisations"]}
    assert (listed[RECEIVER]["mailbox"], listed[UNIT]["mailbox"]) == (True, False)


def test_the_topology_is_as_it_has_to_be_after_adding(agencies: Axis) -> None:
    checks = {check["name"]: check for check in agencies.json("doctor")["checks"]}
    assert {name: check["level"] for name, check in checks.items() if check["level"] == "fail"} == {}
    assert "consumers of axis.route.urgent: 1, axis.route.normal: 1" in checks["router"]["found"]


def test_a_topology_plan_shows_and_apply_mends_what_is_missing(agencies: Axis) -> None:
    assert agencies.json("topology", "plan", "--exit-code") == {"applied": False, "changes": []}

    async def break_it() -> None:
        async with management(agencies.settings) as api:
            await api.apply([Change(Verb.DELETE, binding.kind, binding.queue, "taken away", binding)], lambda _: None)

    queue = f"notices.{RECEIVER}"
    binding = Binding("axis.deliver", queue, queue)
    asyncio.run(break_it())
    (change,) = agencies.json("topology", "plan", "--exit-code", code=2)["changes"]
    assert (change["verb"], change["kind"]) == ("create", "binding")
    assert "1 done" in agencies.run("topology", "apply").stdout
    assert "as it has to be" in agencies.run("topology", "plan", "--exit-code").stdout


def test_a_document_goes_there_and_its_status_comes_back(agencies: Axis, tmp_path: Path) -> None:
    letter = tmp_path / "công văn.txt"
    letter.write_text("Kính gửi", encoding="utf-8")
    arguments = ("--as", SENDER, "--to", UNIT, "--to", RECEIVER, "--to", STRANGER, "--subject", "V/v kết nối")
    sent = agencies.json("send", str(letter), *arguments, "--priority", "urgent", code=1)
    assert sent["receipt"]["outcome"] == "partial"
    told = {each["recipient"]: each for each in sent["receipt"]["recipients"]}
    assert told[UNIT]["mailbox"] == RECEIVER
    assert told[STRANGER]["code"] == "recipient/unknown"

    looked = agencies.json("inbox", "--as", RECEIVER, "--leave")["documents"]
    assert [each["taken"] for each in looked] == [False]

    received = tmp_path / "received"
    (document,) = agencies.json("inbox", "--as", RECEIVER, "--save", str(received), "--accept")["documents"]
    assert document["envelope"]["id"] == sent["envelope"]
    assert sorted(document["recipients"]) == [RECEIVER, UNIT]
    assert (received / sent["envelope"] / "files" / letter.name).read_text(encoding="utf-8") == "Kính gửi"
    assert agencies.json("inbox", "--as", RECEIVER)["documents"] == []

    agencies.run("status", "send", sent["envelope"], "--as", RECEIVER, "--code", "06", "--wait", "0")
    statuses = _tracked_until(agencies, sent["envelope"], RECEIVER, "06")
    assert statuses[UNIT] == "03"
    assert "06" in agencies.run("track", sent["envelope"]).stdout


def test_following_the_inbox_ends_quietly_with_ctrl_c(agencies: Axis, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("x", encoding="utf-8")
    envelope = agencies.json("send", str(note), "--as", SENDER, "--to", RECEIVER)["envelope"]
    following = subprocess.Popen(
        [sys.executable, *AXIS, "inbox", "--as", RECEIVER, "--follow", "--json"],
        env={**os.environ, "AXIS_HOME": str(agencies.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["envelope"]["id"] == envelope
        following.send_signal(signal.SIGINT)
        assert following.communicate(timeout=SECONDS) == ("", "")
        assert following.returncode == 130
    finally:
        following.kill()
        following.wait()


def test_a_refused_status_says_why(agencies: Axis) -> None:
    unknown = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"
    ran = agencies.run("status", "send", unknown, "--as", RECEIVER, "--code", "03", "--wait", "30", code=65)
    assert "status/unknown-envelope" in ran.stdout
    ran = agencies.run("status", "send", unknown, "--as", RECEIVER, "--code", "02", code=65)
    assert "needs a reason" in ran.stderr


def test_an_agency_without_a_profile(agencies: Axis) -> None:
    ran = agencies.run("inbox", "--as", STRANGER, code=66)
    assert "axis agency add X49" in ran.stderr


async def test_a_dozen_at_once_and_the_topology_once(axis: Axis) -> None:
    told: list[str] = []
    newcomers = [Newcomer(f"X43.{number:02}", f"Đơn vị {number}") for number in range(12)]
    dsn = axis.settings.database_url.get_secret_value()
    async with Store.connect(dsn, connections=2) as store:
        folders = await onboard_many(axis.settings, store, newcomers, progress=told.append)
        assert sorted(folders) == [each.code for each in newcomers]
        told.clear()
        again = await connect_all(axis.settings, store, newcomers, progress=told.append)
    assert all(profile.done == () for profile in again.values())
    assert told == [f"connecting {each.code} …" for each in newcomers]
    async with management(axis.settings) as api:
        assert {f"mailbox.normal.{each.code}" for each in newcomers} <= set(await api.queue_depths())


async def test_a_lost_password_is_not_replaced_unasked(axis: Axis) -> None:
    newcomer = Newcomer("X44", "Cơ quan mất mật khẩu")
    async with Store.connect(axis.settings.database_url.get_secret_value(), connections=2) as store:
        folders = await onboard_many(axis.settings, store, [newcomer], progress=lambda _: None)
        profile = folders["X44"] / "profile.json"
        before = profile.read_text()
        profile.unlink()
        with pytest.raises(Misconfigured, match="--new-password"):
            await onboard_many(axis.settings, store, [newcomer], progress=lambda _: None)
        renewed = Newcomer("X44", new_password=True)
        connected = await connect_all(axis.settings, store, [renewed], progress=lambda _: None)
    assert connected["X44"].done == ("password changed", "profile written")
    assert profile.read_text() != before


def test_a_closed_agency_is_out_at_once_and_comes_back_to_what_waited(agencies: Axis, tmp_path: Path) -> None:
    agencies.run("agency", "add", "X46", "--name", "Cơ quan sẽ đóng", "--demonstration-key")
    letter = tmp_path / "thu.txt"
    letter.write_text("Thử")
    agencies.run("send", str(letter), "--as", SENDER, "--to", "X46")
    assert "agency/waiting" in agencies.run("agency", "close", "X46", "--why", "sáp nhập", code=65).stderr
    told = agencies.json("agency", "close", "X46", "--why", "sáp nhập", "--yes")
    assert (told["code"], told["mailbox"], told["waiting"]) == ("X46", None, 1)
    agencies.run("inbox", "--as", "X46", code=69)
    refused = agencies.run("send", str(letter), "--as", SENDER, "--to", "X46", code=65)
    assert "recipient/no-mailbox" in refused.stdout
    assert "has no mailbox" in agencies.run("agency", "close", "X46", "--why", "lần nữa", code=66).stderr
    agencies.run("agency", "add", "X46", "--new-password")
    assert agencies.json("inbox", "--as", "X46")


def test_the_last_mailbox_for_somebody_is_not_closed_unasked(agencies: Axis) -> None:
    agencies.run("agency", "add", "X47", "--name", "Cơ quan", "--demonstration-key")
    agencies.run("agency", "add", "X47.01", "--name", "Đơn vị", "--demonstration-key")
    assert "agency/last" in agencies.run("agency", "close", "X47", "--why", "thử", code=65).stderr
    assert agencies.json("agency", "close", "X47.01", "--why", "thử")["mailbox"] == "X47"


async def test_a_run_that_ended_between_profile_and_store_is_taken_up_again(axis: Axis) -> None:
    async with Store.connect(axis.settings.database_url.get_secret_value(), connections=2) as store:

        async def gone(*_: object) -> None:
            raise ConnectionError("killed")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store.directory, "put_mailbox", gone)
            with pytest.raises(ConnectionError):
                await onboard_many(axis.settings, store, [Newcomer("X45", "Dở dang")], progress=lambda _: None)
        profile = axis.home / "agencies" / "X45" / "profile.json"
        before = profile.read_text()
        await onboard_many(axis.settings, store, [Newcomer("X45", "Dở dang")], progress=lambda _: None)
    assert profile.read_text() == before


def _tracked_until(axis: Axis, envelope: str, recipient: str, code: str) -> dict[str, str | None]:
    """Track again and again until the recipient's last status is the code; the program's own deadline ends it."""
    while True:
        (tracked,) = axis.json("track", envelope)["envelopes"]
        statuses = {each["recipient"]: each["last_status"] for each in tracked["deliveries"]}
        if statuses[recipient] == code:
            return statuses
