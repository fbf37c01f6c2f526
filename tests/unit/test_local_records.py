"""What axis.local writes down and reads back, and what it takes from the environment."""

import os
import signal
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.errors import Misconfigured
from axis.local import Probe, ProcessSpec, ProcessState, Services, SetState, from_environment, ports
from axis.local.layout import folder, place, write_private
from axis.local.process import SetSpec
from axis.local.record import BROKER_PORTS, PORTS, Record, read_record

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_probes = st.one_of(
    st.none(),
    st.integers(1, 65535).map(Probe.tcp),
    st.builds(Probe.http, _text, user=_text, password=_text),
    st.lists(_text, min_size=1).map(lambda argv: Probe.command(*argv)),
)
_specs = st.builds(
    ProcessSpec,
    name=_text,
    argv=st.lists(_text).map(tuple),
    env=st.dictionaries(_text, _text),
    cwd=_text,
    restart=st.booleans(),
    ready=_probes,
    user=st.none() | _text,
    stop_signal=st.sampled_from([signal.SIGTERM, signal.SIGINT]).map(int),
    stop_seconds=st.floats(0, 100),
)


@given(st.lists(_specs, max_size=3), st.none() | st.integers(1, 2**22))
def test_a_set_is_read_as_it_was_written(processes: list[ProcessSpec], owner: int | None) -> None:
    spec = SetSpec("s", tuple(processes), "/state", "/log", 3.5, owner, 7, ("/scratch",))
    assert SetSpec.from_json(spec.to_json()) == spec


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    process = ProcessState("p", "ready", 12, 34, 1, "2026-11-24T00:00:00+00:00")
    state = SetState("s", "failed", 1, 2, "2026-11-24T00:00:00+00:00", (process,), "không chạy")
    state.write(tmp_path / "state.json")
    assert SetState.read(tmp_path / "state.json") == state
    assert state.process("p") == process


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": "s"}', "null"])
def test_a_state_file_that_is_not_ours_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert SetState.read(tmp_path / "state.json") is None


def test_a_record_is_read_as_it_was_written_and_only_its_owner_can(tmp_path: Path) -> None:
    record = Record(kind="private", data="/data", ports=ports.choose(PORTS))
    record.write(tmp_path)
    assert read_record(tmp_path) == record
    assert stat.S_IMODE((place(tmp_path) / "nodes.json").stat().st_mode) == 0o600


def test_a_broken_record_says_what_to_do(tmp_path: Path) -> None:
    (folder(tmp_path) / "nodes.json").write_text('{"kind": ')
    with pytest.raises(Misconfigured, match="remove it to start afresh"):
        read_record(tmp_path)


def test_no_record_is_none_and_makes_no_folder(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    assert not place(tmp_path).exists()


def test_two_records_share_no_name_and_no_password() -> None:
    one, two = (Record(kind="private", data="/data", ports={}) for _ in range(2))
    for attribute in ("node_name", "cookie", "broker_password", "database_password"):
        assert getattr(one, attribute) != getattr(two, attribute)


def test_ports_are_kept_while_they_are_free_and_replaced_when_one_is_taken() -> None:
    record = Record(kind="private", data="/data", ports=ports.choose(PORTS))
    assert record.with_free_ports() == record
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, record.ports["amqp"]))
        taken.listen()
        other = record.with_free_ports()
        assert record.ports["amqp"] not in other.ports.values()
        assert record.with_free_ports(names=("postgres",)) == record
    assert record.with_free_ports(names=BROKER_PORTS, afresh=True).ports["postgres"] == record.ports["postgres"]


def test_chosen_ports_are_all_different_and_below_those_of_outgoing_connections() -> None:
    chosen = ports.choose(str(number) for number in range(200))
    assert len(set(chosen.values())) == 200
    assert max(chosen.values()) < 32768


FULL = {
    "AXIS_AMQP_URL": "amqp://a:b@h/v",
    "AXIS_RABBITMQ_API_URL": "http://a:b@h:15672",
    "AXIS_DATABASE_URL": "postgresql://a:b@h/d",
}


def test_the_environment_comes_first_when_it_is_whole() -> None:
    services = from_environment(FULL)
    assert services is not None
    assert services.kind == "environment"
    assert services.environment == FULL


@pytest.mark.parametrize("environ", [{}, {"AXIS_AMQP_URL": ""}, {"PATH": "/bin"}])
def test_an_environment_that_names_nothing_is_none(environ: dict[str, str]) -> None:
    assert from_environment(environ) is None


@pytest.mark.parametrize("missing", sorted(FULL))
def test_half_an_environment_is_refused_and_names_what_is_missing(missing: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        from_environment({name: url for name, url in FULL.items() if name != missing})
    assert caught.value.code == "local/environment"
    assert f"not {missing}:" in caught.value.detail


def test_the_addresses_are_written_for_settings_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    path = Services("amqp://a:b@h/v", "http://h", "postgresql://h", "private").write(tmp_path)
    assert path == tmp_path.resolve() / ".axis" / "axis.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert lines == [
        "AXIS_AMQP_URL=amqp://a:b@h/v",
        "AXIS_RABBITMQ_API_URL=http://h",
        "AXIS_DATABASE_URL=postgresql://h",
    ]


def test_a_private_file_follows_no_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "file.new").symlink_to(target)
    write_private(tmp_path / "file", "secret")
    assert target.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder(tmp_path).chmod(0o500)
    with pytest.raises(Misconfigured, match="belongs to"):
        folder(tmp_path)


def test_a_clone_on_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="cannot make"):
        folder(tmp_path / "file")
