import os
import subprocess
import sys

from tests.bench.processes import cpu_seconds, memory_bytes, threads, tree


def test_a_tree_holds_the_children() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in tree(os.getpid())
        assert memory_bytes(child.pid) > 0
        assert threads(child.pid) >= 1


def test_time_of_children_that_ended_still_counts() -> None:
    before = cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass"], check=True)

    assert cpu_seconds(os.getpid()) - before > 0.1  # told in hundredths


def test_a_process_that_is_gone_counts_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass

    assert (cpu_seconds(child.pid), memory_bytes(child.pid), threads(child.pid)) == (0, 0, 0)
