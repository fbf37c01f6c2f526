"""The fake of what accounts have taken, where time goes as the test wants."""

import datetime as dt

from axis.core.quotas import Taking
from axis.store import FakeStore
from tests.builders import NOW


async def test_a_clock_that_was_set_back_adds_nothing() -> None:
    times = [NOW]
    store = FakeStore(now=lambda: times[-1])
    await store.quotas.add([Taking("H37", "messages", 10, 1.0)])
    times.append(NOW - dt.timedelta(hours=1))
    assert await store.quotas.add([Taking("H37", "messages", 0, 1.0)]) == {("H37", "messages"): 10.0}
