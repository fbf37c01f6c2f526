"""Where broker and database come from: which way is taken, and what each way would do."""

import fcntl
import itertools
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from axis import local
from axis.errors import Unavailable
from axis.local import docker, nodes, packages, ports, postgres, private, programs, rabbitmq, sets
from axis.local.layout import folder, open_lock
from axis.local.record import PORTS, Record

RECORD = Record(
    kind="docker",
    data="",
    ports={name: 20000 + number for number, name in enumerate(PORTS)},
    node_name="axis-12ab@localhost",
    broker_password="bp",
    database_password="dp",
)


ENGINE = docker.engine  # before the machine is made bare


def silent(_: str) -> None:
    pass


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing on it and no rights."""
    for name in ("AXIS_AMQP_URL", "AXIS_RABBITMQ_API_URL", "AXIS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(nodes, "find_rabbitmq", lambda: None)
    monkeypatch.setattr(nodes, "find_postgres", lambda: None)
    monkeypatch.setattr(packages, "can_install", lambda: False)
    monkeypatch.setattr(docker, "engine", lambda: False)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put programs of our own first on the path; each appends its arguments to a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, body: str) -> Path:
        told = tmp_path / f"{name}.told"
        told.touch()
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "$@" >> {told}\n{body}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return told

    return make


def test_with_nothing_at_all_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        local.up(tmp_path, progress=silent, assume_yes=True)
    assert (caught.value.code, caught.value.exit_code) == ("local/nothing", 69)
    for word in ("RabbitMQ 3.10 or newer", "PostgreSQL 15 or newer", "Docker", "AXIS_AMQP_URL"):
        assert word in caught.value.detail
    assert caught.value.detail.count("\n") == 0


def test_only_what_is_missing_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "find_postgres", lambda: programs.Postgres(Path("/pg"), 17))
    monkeypatch.setattr(packages, "is_debian", lambda: True)
    with pytest.raises(Unavailable) as caught:
        local.up(tmp_path, progress=silent, assume_yes=True)
    assert "`apt-get install rabbitmq-server`" in caught.value.detail
    assert "PostgreSQL" not in caught.value.detail.partition(" or set ")[0]


def test_the_environment_is_taken_before_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = {
        "AXIS_AMQP_URL": "amqp://h/v",
        "AXIS_RABBITMQ_API_URL": "http://h",
        "AXIS_DATABASE_URL": "postgresql://h/d",
    }
    for name, url in urls.items():
        monkeypatch.setenv(name, url)
    services = local.up(tmp_path, progress=silent, assume_yes=True)
    assert services.environment == urls
    assert list(tmp_path.iterdir()) == []
    status = local.status(tmp_path)
    assert status.running
    assert status.nodes == ()
    assert not local.down(tmp_path)


def test_missing_packages_are_named_installed_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    installed: list[str] = []

    def install(names: list[str], *, progress: Callable[[str], None]) -> None:
        installed.extend(names)
        monkeypatch.setattr(nodes, "find_rabbitmq", lambda: programs.Rabbitmq(Path("/rmq"), "4.0.5", Path("/epmd")))
        monkeypatch.setattr(nodes, "find_postgres", lambda: programs.Postgres(Path("/pg"), 17))

    def start(*_: object, **__: object) -> Record:
        return Record(kind="private", data="/data", ports=RECORD.ports)

    monkeypatch.setattr(packages, "can_install", lambda: True)
    monkeypatch.setattr(packages, "install", install)
    monkeypatch.setattr(private, "start", start)
    services = local.up(tmp_path, progress=told.append, assume_yes=False)
    assert services.kind == "private"
    assert installed == ["rabbitmq-server", "postgresql"]
    assert "will install the packages: rabbitmq-server postgresql" in told[0]


@pytest.mark.parametrize(("answer", "installs"), [("\n", True), ("y\n", True), ("n\n", False), ("", True)])
def test_on_a_terminal_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, answer: str, installs: bool) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

        def write(self, _: str) -> int:
            return 0

        def flush(self) -> None:
            pass

    installed: list[str] = []
    monkeypatch.setattr(packages, "can_install", lambda: True)
    monkeypatch.setattr(packages, "install", lambda names, progress: installed.extend(names))
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(Unavailable):
        local.up(tmp_path, progress=silent, assume_yes=False)
    assert bool(installed) == installs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ID=debian\nVERSION_ID="12"\n', True),
        ("ID=ubuntu\nID_LIKE=debian\n", True),
        ('ID="linuxmint"\nID_LIKE="ubuntu debian"\n', True),
        ('ID=fedora\nPRETTY_NAME="not debian"\n', False),
        ("", False),
    ],
)
def test_debian_and_its_children_are_known(tmp_path: Path, text: str, *, expected: bool) -> None:
    (tmp_path / "os-release").write_text(text)
    assert packages.is_debian(tmp_path / "os-release") is expected
    assert not packages.is_debian(tmp_path / "absent")


POLICY = """case "$2" in
rabbitmq-server) echo "  Candidate: 3.10.8-1.1";;
postgresql) echo "  Candidate: 15+248";;
esac"""


def test_apt_installs_without_starting_services(tools: Callable[[str, str], Path]) -> None:
    tools("apt-cache", POLICY)
    told = tools("apt-get", 'echo "$SYSTEMD_OFFLINE $DEBIAN_FRONTEND" >> "$0.env"')
    packages.install(["rabbitmq-server", "postgresql"], progress=silent)
    (line,) = told.read_text().splitlines()
    assert "install --yes --no-install-recommends" in line
    assert line.endswith("rabbitmq-server postgresql")
    assert (told.parent / "bin" / "apt-get.env").read_text() == "1 noninteractive\n"


def test_apt_lists_are_fetched_when_they_do_not_know_the_package(tools: Callable[[str, str], Path]) -> None:
    told = tools("apt-get", "")
    tools("apt-cache", f'test -s {told} || exit 0\necho "  Candidate: 4.0.5-7"')
    packages.install(["rabbitmq-server"], progress=silent)
    update, install = told.read_text().splitlines()
    assert update.endswith("update")
    assert "install" in install


def test_apt_offers_nothing(tools: Callable[[str, str], Path]) -> None:
    tools("apt-get", "")
    tools("apt-cache", 'echo "  Candidate: (none)"')
    with pytest.raises(Unavailable, match="no package rabbitmq-server") as caught:
        packages.install(["rabbitmq-server"], progress=silent)
    assert caught.value.code == "local/install"


@pytest.mark.parametrize(
    ("name", "candidate"), [("rabbitmq-server", "3.9.13-1ubuntu0.22.04.2"), ("postgresql", "14+238")]
)
def test_apt_offers_only_what_is_too_old(tools: Callable[[str, str], Path], name: str, candidate: str) -> None:
    told = tools("apt-get", "")
    tools("apt-cache", f'echo "  Candidate: {candidate}"')
    with pytest.raises(Unavailable, match="or newer is needed"):
        packages.install([name], progress=silent)
    assert told.read_text() == ""


def test_apt_failing_twice_is_reported_with_its_last_words(tools: Callable[[str, str], Path]) -> None:
    tools("apt-cache", POLICY)
    told = tools("apt-get", 'case "$*" in *install*) echo "E: 404 Not Found"; exit 100;; esac')
    with pytest.raises(Unavailable, match="E: 404 Not Found"):
        packages.install(["postgresql"], progress=silent)
    assert [line.split()[3] for line in told.read_text().splitlines()] == ["install", "update", "install"]


def test_ctrl_c_does_not_leave_an_installation_half_done(tools: Callable[[str, str], Path], tmp_path: Path) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    tools("apt-cache", POLICY)
    tools("apt-get", f"for i in $(seq 1500); do test -e {go} && break; sleep 0.02; done; touch {done}")
    code = """
        import functools, signal
        from axis.local import packages
        signal.signal(signal.SIGINT, signal.default_int_handler)
        see = packages._see_through
        packages._see_through = lambda *arguments: (print("waiting", flush=True), see(*arguments))
        packages.install(["postgresql"], progress=functools.partial(print, flush=True))
        """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert "apt-get install postgresql" in running.stdout.readline()
            assert running.stdout.readline() == "waiting\n"
            while Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
                time.sleep(0.01)  # it is about to
            # A terminal sends Ctrl-C to the whole foreground group.
            os.killpg(running.pid, signal.SIGINT)
            assert "apt-get finishes first" in running.stdout.readline()
        finally:
            go.touch()
        assert running.wait(30) == -signal.SIGINT
    assert done.exists()


def test_docker_commands_publish_on_loopback_only_and_keep_data_in_volumes() -> None:
    broker = docker.run_command(RECORD, "rabbitmq")
    assert broker[:7] == [
        "run", "--detach", "--rm", "--name", "axis-12ab-rabbitmq", "--hostname", "axis-12ab-rabbitmq",
    ]  # fmt: skip
    assert broker[-1] == "rabbitmq:4-management"
    for pair in (
        ("--publish", f"127.0.0.1:{RECORD.ports['amqp']}:5672"),
        ("--publish", f"127.0.0.1:{RECORD.ports['management']}:15672"),
        ("--volume", "axis-12ab-rabbitmq:/var/lib/rabbitmq"),
        ("--env", "RABBITMQ_DEFAULT_PASS=bp"),
        ("--env", "RABBITMQ_DEFAULT_VHOST=axis"),
    ):
        assert pair in itertools.pairwise(broker)
    database = docker.run_command(RECORD, "postgres")
    for pair in (
        ("--publish", f"127.0.0.1:{RECORD.ports['postgres']}:5432"),
        ("--env", "POSTGRES_PASSWORD=dp"),
        ("--env", "POSTGRES_DB=axis"),
    ):
        assert pair in itertools.pairwise(database)
    published = [value for name, value in itertools.pairwise([*broker, *database]) if name == "--publish"]
    assert all(value.startswith("127.0.0.1:") for value in published)


def test_docker_is_the_last_resort(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: Callable[[str, str], Path]
) -> None:
    told = tools(
        "docker",
        f"""case "$1" in
        run) touch {tmp_path}/$5 ;;
        inspect) test -e {tmp_path}/$4 && echo true ;;
        stop) test -e {tmp_path}/$4 && rm {tmp_path}/$4 ;;
        esac""",
    )
    monkeypatch.setattr(docker, "engine", lambda: True)
    monkeypatch.setattr(docker, "is_ready", lambda _: True)
    root = tmp_path / "clone"
    root.mkdir()
    services = local.up(root, progress=silent, assume_yes=True)
    assert services.kind == "docker"
    assert [line.split()[0] for line in told.read_text().splitlines()].count("run") == 2
    assert local.up(root, progress=silent, assume_yes=True) == services
    assert [line.split()[0] for line in told.read_text().splitlines()].count("run") == 2
    assert all(node.running for node in local.status(root).nodes)
    assert local.down(root)
    assert not local.status(root).running


@pytest.mark.parametrize(("code", "answers"), [(0, True), (1, False)])
def test_a_docker_client_without_an_engine_is_no_engine(
    tools: Callable[[str, str], Path], *, code: int, answers: bool
) -> None:
    tools("docker", f"exit {code}")
    assert ENGINE() is answers


@pytest.mark.parametrize(
    ("version", "expected"), [("3.10.8-1.1", (3, 10, 8)), ("15+248", (15,)), ("4.0.5", (4, 0, 5)), ("x", ())]
)
def test_versions_are_compared_as_numbers(version: str, expected: tuple[int, ...]) -> None:
    assert programs.numbers(version) == expected


def test_the_newest_usable_rabbitmq_is_found_and_wrappers_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: Callable[[str, str], Path]
) -> None:
    for version in ("3.8.9", "3.10.8", "4.0.5"):
        home = tmp_path / f"rabbitmq_server-{version}"
        (home / "sbin").mkdir(parents=True)
        (home / "sbin" / "rabbitmq-server").touch()
        (home / "sbin" / "rabbitmq-defaults").touch()
        (home / "plugins" / f"rabbit-{version}").mkdir(parents=True)
        (home / "plugins" / f"rabbit_common-{version}").mkdir()
    tools("rabbitmq-server", "")  # a wrapper: nothing of an installation around it
    tools("epmd", "")
    monkeypatch.setattr(programs, "_RABBITMQ_PLACES", (str(tmp_path / "rabbitmq_server-*"),))
    found = programs.find_rabbitmq()
    assert found is not None
    assert found.version == "4.0.5"
    assert found.server == tmp_path / "rabbitmq_server-4.0.5" / "sbin" / "rabbitmq-server"


def test_the_newest_postgres_or_the_one_that_wrote_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for major in (13, 15, 17):
        folder = tmp_path / str(major) / "bin"
        folder.mkdir(parents=True)
        (folder / "initdb").touch()
        (folder / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.4 (Debian)'\n")
        (folder / "postgres").chmod(0o755)
    monkeypatch.setattr(programs, "_POSTGRES_PLACES", (str(tmp_path / "*" / "bin"),))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    newest, older, absent = programs.find_postgres(), programs.find_postgres(15), programs.find_postgres(16)
    assert newest is not None
    assert older is not None
    assert (newest.major, older.major, absent) == (17, 15, None)


def test_the_broker_is_told_every_file_and_listens_on_loopback_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RABBITMQ_NODENAME", "somebody@else")
    monkeypatch.setenv("ERL_EPMD_PORT", "4369")
    record = Record(kind="private", data=str(tmp_path), ports=ports.choose(PORTS))
    found = programs.Rabbitmq(Path("/rmq"), "4.0.5", Path("/usr/bin/epmd"))
    epmd, broker = rabbitmq.prepare(found, record, None)
    for spec in (epmd, broker):
        assert spec.env["RABBITMQ_NODENAME"] == record.node_name
        assert spec.env["ERL_EPMD_PORT"] == str(record.ports["epmd"])
        files = [value for name, value in spec.env.items() if name.endswith(("_FILE", "_FILES", "_BASE", "_DIR"))]
        assert len(files) == 10
        assert all(value.startswith(str(tmp_path)) for value in [*files, spec.env["HOME"]])
    configuration = (tmp_path / "rabbitmq" / "rabbitmq.conf").read_text()
    assert f"listeners.tcp.1 = 127.0.0.1:{record.ports['amqp']}" in configuration
    assert configuration.count(".ip = 127.0.0.1") == 2
    assert "delivery" not in configuration
    assert "consumer_timeout" not in configuration
    assert stat.S_IMODE((tmp_path / "rabbitmq" / "rabbitmq.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "rabbitmq" / "home" / ".erlang.cookie").stat().st_mode) == 0o400


def test_data_of_a_version_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = replace(RECORD, data=str(tmp_path))
    monkeypatch.setattr(postgres, "data_major", lambda _: 12)
    monkeypatch.setattr(private, "find_postgres", lambda _: None)
    with pytest.raises(Unavailable) as caught:
        private._fitting(programs.Postgres(tmp_path, 15), record)
    assert caught.value.code == "local/version"


def test_a_starter_that_does_not_finish(tmp_path: Path) -> None:
    held = open_lock(folder(tmp_path) / "s.lock")
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Unavailable) as caught, sets._locked(tmp_path, "s", time.monotonic()):
            pytest.fail("two have the lock")
        assert caught.value.code == "local/busy"
    finally:
        os.close(held)


def test_a_container_that_does_not_start(tools: Callable[[str, str], Path]) -> None:
    tools("docker", "echo no such image >&2; exit 1")
    with pytest.raises(Unavailable, match="no such image") as caught:
        docker.start(RECORD, progress=silent)
    assert caught.value.code == "local/start"
