"""What the relay does about certificates, on a store in memory."""

import datetime as dt
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from axis.errors import Misconfigured, Unavailable
from axis.evidence import Swept
from axis.store import FakeStore
from tests.builders import NOW
from tests.unit.store.rows import THUMBPRINT, certificate
from workers.certificates import Certificates
from workers.metrics import Metrics


class Sweeping:
    """A refresher whose findings the test chooses."""

    def __init__(self, found: Swept | Exception) -> None:
        self.found = found

    async def sweep(self) -> Swept:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def made(
    store: FakeStore, found: Swept | Exception, clock: list[dt.datetime]
) -> tuple[Certificates, LogCapture, Metrics]:
    capture, metrics = LogCapture(), Metrics("relay")
    log: Any = structlog.wrap_logger(None, processors=[capture])
    refresher: Any = Sweeping(found)
    return (
        Certificates(store=store, refresher=refresher, now=lambda: clock[0], log=log, metrics=metrics),
        capture,
        metrics,
    )


async def test_each_end_is_warned_of_once_by_however_many_relays() -> None:
    store, clock = FakeStore(), [NOW]
    await store.directory.put_certificate(certificate(not_after=NOW + dt.timedelta(days=50)))
    relays = [made(store, Swept(), clock) for _ in range(2)]
    for days in (0, 0, 19, 20, 42, 43, 44):
        clock[0] = NOW + dt.timedelta(days=days)
        for certificates, _, _ in relays:
            await certificates.warn()
    told = [entry for _, capture, _ in relays for entry in capture.entries]
    assert [(entry["organisation"], entry["within_days"], entry["log_level"]) for entry in told] == [
        ("H37", 60, "warning"),
        ("H37", 30, "warning"),
        ("H37", 7, "warning"),
    ]
    assert sorted((await store.proofs.warned())[THUMBPRINT]) == [7, 30, 60]


async def test_a_look_is_logged_and_counted() -> None:
    found = Swept(proved=["A", "B"], revoked=["C"], unproven={"D": "away"}, not_asked=[])
    certificates, capture, metrics = made(FakeStore(), found, [NOW])
    await certificates.refresh()
    assert [entry["event"] for entry in capture.entries] == ["unproven", "evidence"]
    assert capture.entries[0]["detail"] == "away"
    counted = {
        sample.labels["found"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "axis_certificates"
    }
    assert counted == {"proved": 2, "unproven": 1}


async def test_an_unreadable_folder_of_authorities_does_not_end_the_relay() -> None:
    certificates, capture, _ = made(FakeStore(), Misconfigured("bad.pem: no certificate"), [NOW])
    await certificates.refresh()
    (entry,) = capture.entries
    assert (entry["log_level"], entry["detail"]) == ("error", "bad.pem: no certificate")


async def test_a_fault_of_ours_in_one_look_does_not_end_the_relay() -> None:
    certificates, capture, _ = made(FakeStore(), ZeroDivisionError("strange"), [NOW])
    await certificates.refresh()
    (entry,) = capture.entries
    assert (entry["log_level"], entry["event"], entry["exc_info"]) == ("error", "evidence", True)


async def test_a_store_that_is_away_is_waited_for() -> None:
    certificates, capture, _ = made(FakeStore(), Unavailable("the store is away"), [NOW])
    with pytest.raises(Unavailable):
        await certificates.refresh()
    assert capture.entries == []
