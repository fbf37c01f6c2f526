"""What workers show: labels with few values, and looks that replace each other whole."""

import datetime as dt
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from axis.core.records import Hold
from axis.observe import Reading, Readings
from axis.store import Backlog, Pile
from tests.builders import NOW
from tests.unit.workers.harness import MINUTE, axis_of, document
from workers.metrics import Metrics

AT = NOW.timestamp()


def shown(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_a_process_says_what_it_is() -> None:
    metrics = Metrics("router")
    ((service, version),) = shown(metrics, "axis_build_info")
    assert (service, version[:3]) == ("router", "202")
    assert shown(metrics, "process_resident_memory_bytes")[()] > 0


def test_a_look_replaces_all_of_the_one_before() -> None:
    metrics = Metrics("relay")
    assert shown(metrics, "axis_unpublished") == {}
    metrics.backlog(
        Backlog(
            envelopes=Pile(2, NOW),
            held={"mailbox/full": Pile(3, NOW), "mailbox/not-taking": Pile(1, NOW)},
            quarantine={"message/poison": Pile(1, NOW)},
        )
    )
    assert shown(metrics, "axis_unpublished") == {("envelope",): 2, ("notice",): 0}
    assert shown(metrics, "axis_unpublished_oldest_timestamp_seconds") == {("envelope",): AT}
    assert shown(metrics, "axis_held") == {("mailbox/full",): 3, ("mailbox/not-taking",): 1}
    metrics.backlog(Backlog(held={"mailbox/full": Pile(1, NOW + MINUTE)}))
    assert shown(metrics, "axis_unpublished") == {("envelope",): 0, ("notice",): 0}
    assert shown(metrics, "axis_unpublished_oldest_timestamp_seconds") == {}
    assert shown(metrics, "axis_held_oldest_timestamp_seconds") == {("mailbox/full",): AT + 60}
    assert shown(metrics, "axis_quarantine") == {}


def test_a_reason_that_nobody_knows_is_no_label() -> None:
    metrics = Metrics("relay")
    later = NOW + MINUTE
    metrics.backlog(Backlog(held={"H37": Pile(1, later), "x" * 900: Pile(2, NOW), "mailbox/full": Pile(4)}))
    assert shown(metrics, "axis_held") == {("other",): 3, ("mailbox/full",): 4}
    assert shown(metrics, "axis_held_oldest_timestamp_seconds") == {("other",): AT}
    metrics.messages("axis.track", "refused", "made/up")
    metrics.messages("axis.track", "accepted")
    assert {labels[2:] for labels in shown(metrics, "axis_messages_total")} == {("refused", "other"), ("accepted", "")}


@dataclass(frozen=True)
class Queue:
    lane: str
    ready: int
    consumers: int
    oldest_at: dt.datetime | None = None
    unacked: int = 0


def test_queues_of_mailboxes_are_added_up_by_lane() -> None:
    metrics = Metrics("auditor")
    metrics.mailboxes(
        [
            Queue("normal", 5, 0, NOW + MINUTE, unacked=1),
            Queue("normal", 2, 1, NOW),
            Queue("normal", 0, 0),
            Queue("urgent", 0, 2),
        ]
    )
    assert shown(metrics, "axis_mailbox_ready")["normal",] == 7
    assert shown(metrics, "axis_mailbox_unacked")["normal",] == 1
    assert shown(metrics, "axis_mailbox_consumers")["urgent",] == 2
    unattended = {("urgent",): 0, ("normal",): 1, ("notices",): 0, ("axis",): 0}
    assert shown(metrics, "axis_mailbox_unattended") == unattended
    assert shown(metrics, "axis_mailbox_oldest_timestamp_seconds") == {("normal",): AT}
    metrics.mailboxes([])
    assert shown(metrics, "axis_mailbox_oldest_timestamp_seconds") == {}


def test_what_others_find_is_shown_too() -> None:
    metrics = Metrics("any")
    metrics.findings({"stuck": Pile(2, NOW), "missing": Pile()})
    metrics.register(4, NOW)
    metrics.webhook_deliveries({"waiting": 3, "given up": 1})
    metrics.certificates_ending({7: 1, 30: 0})
    metrics.log_stopped()
    assert shown(metrics, "axis_log_stopped") == {(): 1}
    metrics.log_current(9, NOW)
    metrics.healed("stuck")
    metrics.webhook("failed")
    metrics.paper("signed")
    assert shown(metrics, "axis_findings") == {("stuck",): 2, ("missing",): 0}
    assert shown(metrics, "axis_findings_oldest_timestamp_seconds") == {("stuck",): AT}
    assert shown(metrics, "axis_register_waiting") == {(): 4}
    assert shown(metrics, "axis_webhook_deliveries") == {("waiting",): 3, ("given up",): 1}
    assert shown(metrics, "axis_certificates_ending") == {("7",): 1, ("30",): 0}
    assert (shown(metrics, "axis_log_stopped"), shown(metrics, "axis_log_size")) == ({(): 0}, {(): 9})
    assert shown(metrics, "axis_log_current_timestamp_seconds") == {(): AT}
    assert [shown(metrics, name) for name in ("axis_healed_total", "axis_webhooks_total", "axis_papers_total")] == [
        {("stuck",): 1},
        {("failed",): 1},
        {("signed",): 1},
    ]
    metrics.register(0, None)
    assert shown(metrics, "axis_register_oldest_timestamp_seconds") == {}


def test_only_what_is_described_can_be_read() -> None:
    registry = CollectorRegistry()
    readings = Readings(registry, [Reading("axis_x", "x", ("kind",))])
    with pytest.raises(ValueError, match="no such gauge: axis_y"):
        readings.read({"axis_x": {("a",): 1}, "axis_y": 1})
    assert b'axis_x{kind="a"}' not in generate_latest(registry)


async def test_the_relay_shows_what_waits() -> None:
    axis = await axis_of(["G22", "H37"])
    await axis.router().handle([document()], "axis.route.normal")
    (envelope,) = await axis.store.unpublished(dt.timedelta(), 1) and axis.store._memory.envelopes
    await axis.store.hold([Hold(envelope, "H37", "mailbox.normal.H37", "mailbox/not-taking", "")])
    await axis.relay().count()
    assert shown(axis.metrics, "axis_unpublished") == {("envelope",): 0, ("notice",): 0}
    assert shown(axis.metrics, "axis_held") == {("mailbox/not-taking",): 1}
