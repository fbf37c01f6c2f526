"""The keeper on real processes: it heals, stops in order, and whatever ends it leaves no orphans."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axis import local
from axis.errors import Unavailable
from axis.local import Probe, ProcessSpec, SetState
from axis.local.pids import Process, named
from axis.local.ports import free_port

SECONDS = 60.0


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not met():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.01)


def program(
    name: str, code: str, *, restart: bool = True, ready: Probe | None = None, stop_seconds: float = 10.0
) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=(sys.executable, "-S", "-c", textwrap.dedent(code)),
        env={"PATH": os.environ["PATH"]},
        cwd="/",
        restart=restart,
        ready=ready,
        stop_seconds=stop_seconds,
    )


WAIT = "import signal; signal.pause()"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    local.stop_set(tmp_path, "s")


def state_of(root: Path) -> SetState:
    state = local.set_state(root, "s")
    assert state is not None
    return state


def process_of(root: Path, name: str) -> Process:
    state = state_of(root).process(name)
    assert state.pid is not None
    return Process(state.pid, state.started)


def keeper_of(root: Path) -> Process:
    state = state_of(root)
    return Process(state.keeper_pid, state.keeper_started)


def test_each_starts_after_the_one_before_is_ready_and_all_stop_in_reverse(root: Path) -> None:
    story = root / "story"

    def noisy(name: str, mark: str) -> ProcessSpec:
        return program(
            name,
            f"""
            import pathlib, signal, sys, time
            def tell(text):
                with open({str(story)!r}, "a") as out: out.write(text + "\\n")
            def leave(*_):
                tell("{name} leaves"); sys.exit(0)
            signal.signal(signal.SIGTERM, leave)
            tell("{name} comes")
            time.sleep(0.2)
            pathlib.Path({mark!r}).touch()
            tell("{name} is ready")
            while True: signal.pause()
            """,
            ready=Probe.command("test", "-e", mark),
        )

    specs = [noisy("one", str(root / "m1")), noisy("two", str(root / "m2"))]
    seen: list[SetState] = []
    state = local.start_set(root, "s", specs, deadline=SECONDS, watch=seen.append)
    assert state.phase == "ready"
    assert [process.condition for process in state.processes] == ["ready", "ready"]
    assert seen[-1] == state
    stopped = local.stop_set(root, "s")
    assert stopped is not None
    assert stopped.phase == "stopped"
    assert story.read_text().splitlines() == [
        "one comes", "one is ready", "two comes", "two is ready", "two leaves", "one leaves",
    ]  # fmt: skip


def test_a_killed_process_is_started_again_and_its_output_appended(root: Path) -> None:
    local.start_set(root, "s", [program("p", f"print('hello', flush=True); {WAIT}")], deadline=SECONDS)
    log = root / ".axis" / "log" / "p.log"
    seen = set()
    for restarts in range(3):
        until(lambda wanted=restarts: state_of(root).process("p").restarts == wanted)  # type: ignore[misc]  # bound now
        until(lambda wanted=restarts: log.read_text().count("hello") == wanted + 1)  # type: ignore[misc]  # bound now
        seen.add(process_of(root, "p"))
        process_of(root, "p").signal(signal.SIGKILL)
    assert len(seen) == 3


def test_what_is_not_to_be_restarted_stays_ended(root: Path) -> None:
    local.start_set(root, "s", [program("p", WAIT, restart=False), program("q", WAIT)], deadline=SECONDS)
    process_of(root, "p").signal(signal.SIGKILL)
    until(lambda: state_of(root).process("p").condition == "ended")
    assert state_of(root).phase == "ready"
    assert process_of(root, "q").alive


def test_a_restarted_process_counts_as_ready_only_when_its_probe_says_so(root: Path) -> None:
    mark = root / "mark"
    mark.touch()
    local.start_set(root, "s", [program("p", WAIT, ready=Probe.command("test", "-e", str(mark)))], deadline=SECONDS)
    mark.unlink()
    process_of(root, "p").signal(signal.SIGKILL)
    until(lambda: state_of(root).process("p").condition == "starting")
    mark.touch()
    until(lambda: state_of(root).process("p").condition == "ready")


def test_a_port_that_accepts_and_a_page_that_answers_are_ready(root: Path) -> None:
    port = free_port()
    server = f"""
        import http.server
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = self.headers["Authorization"] == "Basic dTpw"
                self.send_response(204 if wanted else 401)
                self.end_headers()
        http.server.HTTPServer(("127.0.0.1", {port}), Page).serve_forever()
        """
    page = Probe.http(f"http://127.0.0.1:{port}/", user="u", password="p")
    specs = [program("server", server, ready=page), program("after", WAIT, ready=Probe.tcp(port))]
    assert local.start_set(root, "s", specs, deadline=SECONDS).phase == "ready"


def test_one_that_ends_while_starting_fails_the_set_with_its_last_words(root: Path) -> None:
    broken = program("broken", "raise SystemExit('no such port: 99999')", ready=Probe.command("false"))
    with pytest.raises(Unavailable) as caught:
        local.start_set(root, "s", [program("fine", WAIT), broken], deadline=SECONDS)
    assert caught.value.code == "local/start"
    assert "broken ended while starting (exit 1)" in caught.value.detail
    assert "no such port: 99999" in caught.value.detail
    assert state_of(root).phase == "failed"
    assert not keeper_of(root).alive
    assert all(process.pid is None for process in state_of(root).processes)


def test_one_that_cannot_be_started_fails_the_set(root: Path) -> None:
    missing = ProcessSpec(name="missing", argv=("/no/such/program",), env={}, cwd="/")
    with pytest.raises(Unavailable, match="missing cannot be started"):
        local.start_set(root, "s", [missing], deadline=SECONDS)


def test_one_that_is_never_ready_fails_the_set_at_the_deadline(root: Path) -> None:
    with pytest.raises(Unavailable, match=r"slow was not ready within 0\.3 s"):
        local.start_set(root, "s", [program("slow", WAIT, ready=Probe.command("false"))], deadline=0.3)
    assert not keeper_of(root).alive


def test_one_that_ignores_the_stop_signal_is_killed_at_its_deadline(root: Path) -> None:
    deaf = """
        import pathlib, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        while True: signal.pause()
        """
    spec = program("deaf", deaf, stop_seconds=0.3)
    local.start_set(root, "s", [spec], deadline=SECONDS)
    until(lambda: "deaf" in (root / ".axis" / "log" / "deaf.log").read_text())
    process = process_of(root, "deaf")
    stopped = local.stop_set(root, "s")
    assert stopped is not None
    assert stopped.phase == "stopped"
    assert not process.alive


def test_a_running_set_is_returned_as_it_is(root: Path) -> None:
    first = local.start_set(root, "s", [program("p", WAIT)], deadline=SECONDS)
    assert local.start_set(root, "s", [program("other", WAIT)], deadline=SECONDS) == first


def test_of_two_starters_at_once_one_launches_and_both_get_the_same_set(root: Path) -> None:
    found: list[SetState] = []
    slow = program("p", f"import time; time.sleep(0.3); open({str(root / 'mark')!r}, 'w'); {WAIT}",
                   ready=Probe.command("test", "-e", str(root / "mark")))  # fmt: skip
    starters = [
        threading.Thread(target=lambda: found.append(local.start_set(root, "s", [slow], deadline=SECONDS)))
        for _ in range(4)
    ]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(SECONDS)
    assert len(found) == 4
    assert len({state.keeper_pid for state in found}) == 1


def test_a_killed_keeper_takes_its_processes_with_it_and_the_set_starts_anew(root: Path) -> None:
    specs = [program("p", WAIT), program("q", WAIT)]
    local.start_set(root, "s", specs, deadline=SECONDS)
    keeper, children = keeper_of(root), [process_of(root, name) for name in ("p", "q")]
    keeper.signal(signal.SIGKILL)
    until(lambda: not any(process.alive for process in [keeper, *children]))
    assert state_of(root).phase == "stopped"
    assert local.start_set(root, "s", specs, deadline=SECONDS).phase == "ready"
    assert keeper_of(root) != keeper


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process as another user")
def test_a_killed_keeper_takes_processes_of_another_user_with_it(root: Path) -> None:
    as_nobody = ProcessSpec(name="p", argv=("sleep", "600"), env={"PATH": os.environ["PATH"]}, cwd="/", user="nobody")
    local.start_set(root, "s", [as_nobody], deadline=SECONDS)
    process = process_of(root, "p")
    assert Path(f"/proc/{process.pid}").owner() == "nobody"
    keeper_of(root).signal(signal.SIGKILL)
    until(lambda: not process.alive)


def test_what_a_process_has_split_off_ends_with_the_set(root: Path) -> None:
    pid_file = root / "daemon.pid"
    daemon = f"""
        import os, signal
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                with open({str(pid_file)!r} + ".new", "w") as out: out.write(str(os.getpid()))
                os.rename({str(pid_file)!r} + ".new", {str(pid_file)!r})
                while True: signal.pause()
            os._exit(0)
        os.wait()
        while True: signal.pause()
        """
    local.start_set(root, "s", [program("p", daemon)], deadline=SECONDS)
    until(pid_file.exists)
    split_off = named(int(pid_file.read_text()))
    assert split_off.alive
    local.stop_set(root, "s")
    assert not split_off.alive


def start_elsewhere(root: Path, *, owned: bool, ready: bool = True, scratch: bool = False) -> subprocess.Popen[bytes]:
    """Run a program that starts the set and then waits: the one that gets interrupted or killed."""
    code = f"""
        import os, signal, sys
        from pathlib import Path
        from axis import local
        from axis.local import Probe, ProcessSpec
        root = Path({str(root)!r})
        spec = ProcessSpec(name="p", argv=("sleep", "600"), env=dict(os.environ), cwd="/",
                           ready=Probe.command({"'true'" if ready else "'false'"}))
        try:
            local.start_set(root, "s", [spec], owner_pid=os.getpid() if {owned} else None, deadline=600,
                            scratch=[root] if {scratch} else [])
            signal.pause()
        except KeyboardInterrupt:
            sys.exit(130)
        """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], start_new_session=True)


def await_condition(root: Path, condition: str) -> tuple[Process, Process]:
    def met() -> bool:
        state = local.set_state(root, "s")
        return state is not None and state.process("p").condition == condition

    until(met)
    return keeper_of(root), process_of(root, "p")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_set_ends_with_its_owner(root: Path, number: signal.Signals) -> None:
    with start_elsewhere(root, owned=True) as owner:
        keeper, process = await_condition(root, "ready")
        owner.send_signal(number)
        until(lambda: not keeper.alive and not process.alive)
    assert state_of(root).phase == "stopped"


def test_a_set_whose_owner_is_killed_while_it_starts_ends_too(root: Path) -> None:
    with start_elsewhere(root, owned=True, ready=False) as owner:
        keeper, process = await_condition(root, "starting")
        owner.kill()
        until(lambda: not keeper.alive and not process.alive)


def test_the_scratch_folder_goes_when_the_owner_was_killed(tmp_path: Path) -> None:
    root = tmp_path / "scratch"
    root.mkdir()
    with start_elsewhere(root, owned=True, scratch=True) as owner:
        keeper, _ = await_condition(root, "ready")
        owner.kill()
        until(lambda: not keeper.alive)
    assert not root.exists()


def test_a_set_without_owner_outlives_its_starter(root: Path) -> None:
    with start_elsewhere(root, owned=False) as starter:
        keeper, process = await_condition(root, "ready")
        starter.kill()
        starter.wait(SECONDS)
    assert keeper.alive
    assert process.alive


def test_ctrl_c_while_starting_leaves_nothing_running(root: Path) -> None:
    with start_elsewhere(root, owned=False, ready=False) as starter:
        keeper, process = await_condition(root, "starting")
        # A terminal sends Ctrl-C to the whole foreground group.
        os.killpg(starter.pid, signal.SIGINT)
        assert starter.wait(SECONDS) == 130
    assert not keeper.alive
    assert not process.alive


def test_an_owner_that_is_already_gone_ends_the_set(root: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait(SECONDS)
    with pytest.raises(Unavailable):
        local.start_set(root, "s", [program("p", WAIT)], owner_pid=gone.pid, deadline=SECONDS)
    assert not keeper_of(root).alive


def test_nothing_is_made_by_asking(tmp_path: Path) -> None:
    assert local.set_state(tmp_path, "s") is None
    assert local.stop_set(tmp_path, "s") is None
    assert list(tmp_path.iterdir()) == []
