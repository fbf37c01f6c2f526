"""Calls that may never return."""

import threading
from concurrent.futures import Future

import pytest

from axis.errors import Unavailable
from axis.trust.bounded import Bounded


def test_a_call_gives_what_it_gives() -> None:
    line = Bounded("a module")
    assert line.run(lambda: 7, 5) == 7
    with pytest.raises(ValueError, match="abc"):
        line.run(lambda: int("abc"), 5)


def test_a_call_that_does_not_return_is_left_and_everything_fails_at_once_until_it_does() -> None:
    line, release, begun = Bounded("a module"), threading.Event(), threading.Event()

    def stuck() -> None:
        begun.set()
        release.wait(30)

    with pytest.raises(Unavailable, match=r"no answer from a module in 0\.05 s") as caught:
        line.run(stuck, 0.05)
    assert caught.value.code == "key/unavailable"
    assert begun.is_set()
    with pytest.raises(Unavailable, match="a module does not answer"):
        line.run(lambda: 1, 30)
    release.set()
    # What it was waiting for is over: the line goes on as soon as the call has returned.
    while line._stuck is None or not line._stuck.done():
        assert begun.wait(1)
    assert line.run(lambda: 2, 5) == 2


def test_a_call_that_ends_just_after_the_deadline_gives_what_it_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = Future.result

    def late(future: Future[int], seconds: float | None = None) -> int:
        given = wait(future, 5)
        if seconds is not None:  # the deadline passed, and then it ended
            raise TimeoutError
        return given

    monkeypatch.setattr(Future, "result", late)
    assert Bounded("a module").run(lambda: 7, 0.01) == 7


def test_a_timeout_of_the_call_itself_is_its_own() -> None:
    def call() -> None:
        raise TimeoutError("the token's own")

    with pytest.raises(TimeoutError, match="own"):
        Bounded("a module").run(call, 5)
