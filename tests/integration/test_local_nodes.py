"""`axis local` on real nodes: up, down and status, after crashes, in awkward folders, beside other clones and users."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import aio_pika
import asyncpg
import httpx
import pytest

from axis import local
from axis.local import Services, private
from axis.local.pids import Process
from axis.local.programs import find_postgres, find_rabbitmq
from axis.local.record import read_record
from tests.services import open_folder

SECONDS = 120.0
VARIABLES = ("AXIS_AMQP_URL", "AXIS_RABBITMQ_API_URL", "AXIS_DATABASE_URL")
CODE = Path(local.__file__).parents[2]

pytestmark = pytest.mark.skipif(
    find_rabbitmq() is None or find_postgres() is None, reason="no RabbitMQ and PostgreSQL programs on this machine"
)


@pytest.fixture(autouse=True)
def _no_services_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clone() -> Iterator[Callable[[str], Path]]:
    """Make folders that stand for clones; what was started in them is stopped, and they are removed."""
    made: list[Path] = []

    def make(name: str = "") -> Path:
        base = open_folder(f"{tempfile.gettempdir()}/axis-clone-{secrets.token_hex(4)}")
        root = base / name
        root.mkdir(parents=True, exist_ok=True)
        made.append(base)
        roots.append(root)
        return root

    roots: list[Path] = []
    yield make
    for root in roots:
        record = read_record(root)
        local.stop_set(root, private.SET_NAME)
        if record is not None:
            shutil.rmtree(record.data, ignore_errors=True)
    for base in made:
        shutil.rmtree(base, ignore_errors=True)


def start(root: Path, *, told: list[str] | None = None, durable: bool = False) -> Services:
    """Start the nodes; durable where data has to outlive `down`: the broker is killed otherwise, and may forget."""
    lines: list[str] = [] if told is None else told
    return local.up(root, progress=lines.append, assume_yes=True, durable=durable, owner_pid=os.getpid())


def node(root: Path, name: str) -> Process:
    state = local.set_state(root, private.SET_NAME)
    assert state is not None
    process = state.process(name)
    assert process.pid is not None
    return Process(process.pid, process.started)


def keeper(root: Path) -> Process:
    state = local.set_state(root, private.SET_NAME)
    assert state is not None
    return Process(state.keeper_pid, state.keeper_started)


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not met():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


async def remember(services: Services) -> None:
    """Leave a row in the database and a message in a queue."""
    async with asyncio.timeout(30):
        connection = await asyncpg.connect(services.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
        async with await aio_pika.connect(services.amqp_url) as broker:
            channel = await broker.channel()
            await channel.declare_queue("kept", durable=True)
            message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, "kept")


async def recall(services: Services) -> tuple[int, bytes]:
    async with asyncio.timeout(30):
        connection = await asyncpg.connect(services.database_url)
        answer = await connection.fetchval("SELECT answer FROM kept")
        await connection.close()
        async with await aio_pika.connect(services.amqp_url) as broker:
            queue = await (await broker.channel()).get_queue("kept")
            message = await queue.get(no_ack=True, timeout=20)
            assert message is not None
            return answer, message.body


def test_up_serves_on_loopback_only_and_up_again_returns_the_same_at_once(clone: Callable[[], Path]) -> None:
    root, told = clone(), list[str]()
    services = start(root, told=told)
    assert services.kind == "private"
    assert any("RabbitMQ" in line and "ready" in line for line in told)
    for url in (f"{services.api_url}/api/overview", services.prometheus_url):
        assert url is not None
        assert httpx.get(url, timeout=30, trust_env=False).status_code == 200
    asyncio.run(remember(services))
    record = read_record(root)
    assert record is not None
    listening = {port: address for address, port in _listening()}
    assert {listening[port] for port in record.ports.values()} == {"127.0.0.1"}
    before = node(root, "rabbitmq"), node(root, "postgres")
    told.clear()
    assert start(root, told=told) == services
    assert told == []
    assert (node(root, "rabbitmq"), node(root, "postgres")) == before
    environment = (root / ".axis" / "axis.env").read_text()
    assert all(f"{name}={url}\n" in environment for name, url in services.environment.items())


def _listening() -> Iterator[tuple[str, int]]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        address, port = fields[1].split(":")
        if fields[3] == "0A":
            yield socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)


async def test_data_outlives_down_and_a_move(clone: Callable[[], Path]) -> None:
    root = clone()
    # Without an owner, as a person's `up` has none.
    first = await asyncio.to_thread(local.up, root, progress=lambda _: None, assume_yes=True)
    await remember(first)
    processes = [node(root, "rabbitmq"), node(root, "postgres"), node(root, "epmd"), keeper(root)]
    assert await asyncio.to_thread(local.down, root)
    assert not any(process.alive for process in processes)
    assert not local.status(root).running
    assert not local.down(root)
    elsewhere = clone()
    elsewhere.rmdir()
    root.rename(elsewhere)
    second = await asyncio.to_thread(start, elsewhere)
    assert await recall(second) == (42, b"kept")


async def test_after_the_keeper_was_killed_nothing_is_left_and_up_recovers(clone: Callable[[], Path]) -> None:
    root = clone()
    await remember(await asyncio.to_thread(start, root))
    processes = [node(root, "rabbitmq"), node(root, "postgres"), node(root, "epmd")]
    keeper(root).signal(signal.SIGKILL)
    await asyncio.to_thread(until, lambda: not any(process.alive for process in processes))
    assert not local.status(root).running
    connection = await asyncpg.connect((await asyncio.to_thread(start, root)).database_url)
    assert await connection.fetchval("SELECT answer FROM kept") == 42
    await connection.close()


def test_killed_nodes_are_healed_and_counted(clone: Callable[[], Path]) -> None:
    root = clone()
    services = start(root)
    for name in ("epmd", "postgres", "rabbitmq"):
        node(root, name).signal(signal.SIGKILL)
        until(lambda name=name: _healed(root, name))  # type: ignore[misc]  # mypy cannot infer a bound default
    assert local.status(root).services == services
    asyncio.run(remember(services))


def _healed(root: Path, name: str) -> bool:
    state = local.set_state(root, private.SET_NAME)
    return state is not None and (state.process(name).restarts, state.process(name).condition) == (1, "ready")


def test_two_clones_run_side_by_side(clone: Callable[[], Path]) -> None:
    one, two = clone(), clone()
    first, second = start(one), start(two)
    assert first.amqp_url != second.amqp_url
    asyncio.run(remember(first))
    asyncio.run(remember(second))
    local.down(one)
    assert asyncio.run(recall(second)) == (42, b"kept")


def test_ports_taken_while_it_was_down_are_left_to_their_new_owner(clone: Callable[[], Path]) -> None:
    root = clone()
    start(root)
    local.down(root)
    record = read_record(root)
    assert record is not None
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", record.ports["postgres"]))
        other.listen()
        asyncio.run(remember(start(root)))


def test_a_clone_may_lie_anywhere(clone: Callable[[str], Path]) -> None:
    root = clone("/".join(["văn bản đến", 'it\'s a "test"', *["a-rather-long-folder"] * 12]))
    asyncio.run(remember(start(root, durable=True)))
    local.down(root)
    assert asyncio.run(recall(start(root))) == (42, b"kept")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the nodes as other users")
def test_as_root_a_closed_folder_is_left_closed(clone: Callable[[], Path]) -> None:
    root = clone()
    root.chmod(0o700)
    asyncio.run(remember(start(root)))
    assert root.stat().st_mode & 0o777 == 0o700
    assert Path(f"/proc/{node(root, 'postgres').pid}").owner() != "root"
    shown = {shown.name: shown for shown in local.status(root).nodes}
    assert not shown["postgres"].data.startswith(str(root))


# What another process runs: the command itself.


def run_python(*arguments: str, user: str | None = None, python: str = sys.executable) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    packages = [path for path in sys.path if path.endswith("site-packages")]
    return subprocess.Popen(
        [python, *arguments],
        env={**environment, "PYTHONPATH": os.pathsep.join([str(CODE), *packages]), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        user=user,
        extra_groups=None if user is None else [],
        start_new_session=True,
    )


def command(*arguments: str) -> subprocess.Popen[str]:
    return run_python("-c", "from axis.cli import main; main()", "local", *arguments)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def test_the_command_from_up_to_down(clone: Callable[[], Path]) -> None:
    root = str(clone())
    code, out, _ = finish(command("status", "--root", root))
    assert code == 3
    assert "`axis local up`" in out

    code, out, err = finish(command("up", "--no-durable", "--json", "--root", root))
    assert code == 0
    assert "RabbitMQ" in err
    shown = json.loads(out)
    assert (shown["running"], shown["kind"]) == (True, "private")
    assert [found["running"] for found in shown["nodes"]] == [True, True]
    record = read_record(Path(root))
    assert record is not None

    code, out, err = finish(command("status", "--root", root))
    assert code == 0
    for word in ("PostgreSQL", "RabbitMQ", record.data, str(record.ports["amqp"]), str(shown["nodes"][1]["pid"])):
        assert word in out
    assert record.broker_password not in out + err
    assert record.database_password not in out + err

    assert finish(command("down", "--root", root))[0] == 0
    assert finish(command("status", "--json", "--root", root))[0] == 3
    code, out, _ = finish(command("down", "--json", "--root", root))
    assert (code, json.loads(out)) == (0, {"stopped": False})


def test_ctrl_c_while_the_broker_starts_leaves_nothing(clone: Callable[[], Path]) -> None:
    root = clone()
    with command("up", "--root", str(root)) as running:

        def starting() -> bool:
            state = local.set_state(root, private.SET_NAME)
            return state is not None and state.process("rabbitmq").condition == "starting"

        until(starting)
        processes = [node(root, "rabbitmq"), node(root, "postgres"), node(root, "epmd"), keeper(root)]
        os.killpg(running.pid, signal.SIGINT)
        code, _, err = finish(running)
    assert code == 130
    assert "interrupted" in err
    assert not any(process.alive for process in processes)


def test_two_commands_at_once_start_one_pair(clone: Callable[[], Path]) -> None:
    root = str(clone())
    both = [command("up", "--no-durable", "--json", "--root", root) for _ in range(2)]
    (one, first, _), (two, second, _) = [finish(process) for process in both]
    assert (one, two) == (0, 0)
    assert json.loads(first) == json.loads(second)


ORDINARY = """
import json, sys
from pathlib import Path
from axis import local
root = Path(sys.argv[2])
if sys.argv[1] == "up":
    local.up(root, progress=lambda text: None, assume_yes=False, durable=False)
elif sys.argv[1] == "down":
    local.down(root)
print(json.dumps([node.pid for node in local.status(root).nodes]))
"""


def _python_for(user: str) -> str | None:
    """Find a Python the user may run that can import our packages; a clone below /root has none."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            asked = run_python("-c", "import axis.local", user=user, python=python)
        except OSError:
            continue
        if finish(asked)[0] == 0:
            return python
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user_can_and_root_can_go_on_and_so_can_the_user(clone: Callable[[], Path]) -> None:
    user = "nobody"
    python = _python_for(user)
    if python is None:
        pytest.skip("the user nobody cannot read this clone or run its Python")
    root = clone()
    shutil.chown(root, user)

    def run(word: str) -> Sequence[int | None]:
        code, out, err = finish(run_python("-c", ORDINARY, word, str(root), user=user, python=python))
        assert code == 0, err
        pids: list[int | None] = json.loads(out)
        return pids

    for pid in run("up"):
        assert Path(f"/proc/{pid}").owner() == user
    run("down")
    asyncio.run(remember(start(root)))
    assert Path(f"/proc/{node(root, 'rabbitmq').pid}").owner() == user
    local.down(root)
    run("up")
    run("down")
    assert all(path.owner() == user for path in root.rglob("*"))
