"""A process that has used the object store ends with its own exit code, whatever threads of the library still do."""

import subprocess
import sys

import pytest

from axis.errors import AxisError, Misconfigured, Unavailable
from axis.leaving import outcome

# A thread of another language that asks for the interpreter while it is taken down ends the process in its own way:
# here by the code 3, as the object store's does by SIGABRT.
PROGRAM = """
import sys, types, os
from axis.leaving import leave
class LetsGo:
    def __del__(self): os._exit(3)
if {loaded}: sys.modules["obstore"] = types.ModuleType("obstore")
sys.modules["obstore.threads"] = LetsGo()
print("tất cả đã xong")
sys.stderr.write("và đây nữa")
leave(66)
"""


def end(*, loaded: bool) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(loaded=loaded)
    command = [sys.executable, "-X", "utf8", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, encoding="utf-8")


def test_the_exit_code_and_all_that_was_written_are_its_own() -> None:
    ran = end(loaded=True)
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (66, "tất cả đã xong", "và đây nữa")


def test_without_the_library_python_ends_as_always() -> None:
    assert end(loaded=False).returncode == 3


def failing(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    "error",
    [Unavailable("the broker is away"), ExceptionGroup("tasks", [ExceptionGroup("of a task", [Unavailable("away")])])],
    ids=["alone", "wrapped by task groups"],
)
def test_an_error_of_ours_is_a_sentence_and_an_exit_code(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("router", lambda: failing(error)) == Unavailable.exit_code
    assert capsys.readouterr().err.startswith("router: axis/unavailable: ")


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError(), ExceptionGroup("tasks", [Misconfigured("x"), ZeroDivisionError()])],
    ids=["alone", "beside"],
)
def test_a_fault_of_ours_is_not_hidden_behind_it(error: Exception) -> None:
    with pytest.raises(type(error)):
        outcome("router", lambda: failing(error))


def test_what_ends_well_is_zero() -> None:
    assert outcome("router", lambda: None) == 0
    assert AxisError.exit_code != 0
