"""Calls into a library that may never return, each waited for only so long."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from axis.errors import Unavailable

_Result = TypeVar("_Result")


class Bounded:
    """One thread that makes the calls, one after the other; who asks waits only so long for each.

    A call that does not return keeps its thread, since nothing can stop it: until it does, every further one fails at
    once. The thread is a daemon, so that a process can end beside it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        self._stuck: Future[Any] | None = None
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def run(self, call: Callable[[], _Result], seconds: float) -> _Result:
        """Make a call and return what it returns or raise what it raises; Unavailable when it takes longer."""
        if self._stuck is not None and not self._stuck.done():
            raise Unavailable(f"{self._name} does not answer", code="key/unavailable")
        future: Future[_Result] = Future()
        self._calls.put((call, future))
        try:
            return future.result(seconds)
        except TimeoutError as error:
            if future.done():
                # Just now, or the call itself ended in a TimeoutError: either is what whoever asked is to get.
                return future.result()
            # Not begun yet: it never will be. Begun: whatever comes of it, nobody takes it any more.
            if not future.cancel():
                self._stuck = future
            raise Unavailable(f"no answer from {self._name} in {seconds:g} s", code="key/unavailable") from error

    def _work(self) -> None:
        while True:
            call, future = self._calls.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - whatever it is belongs to who asked
                future.set_exception(error)
