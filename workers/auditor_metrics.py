"""What the auditor shows to Prometheus: by kind and lane, never by agency; agencies are in the store's watch."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Gauge

from axis.core.watching import Finding, Kind, MailboxWatch

_LANES = ("urgent", "normal", "notices", "axis")


class AuditorMetrics:
    """Gauges of the last look."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._findings = Gauge("axis_findings", "Open findings of the auditor", ["kind"], registry=registry)
        self._ready = Gauge(
            "axis_mailbox_ready",
            "Messages ready in the queues of a lane, handed out to nobody",
            ["lane"],
            registry=registry,
        )
        self._unacked = Gauge(
            "axis_mailbox_unacked", "Messages handed out and not yet acknowledged", ["lane"], registry=registry
        )
        self._consumers = Gauge(
            "axis_mailbox_consumers", "Consumers of the queues of a lane", ["lane"], registry=registry
        )
        self._alone = Gauge(
            "axis_mailboxes_without_consumer",
            "Queues in which messages wait and nobody consumes",
            ["lane"],
            registry=registry,
        )
        self._oldest = Gauge(
            "axis_mailbox_oldest_seconds",
            "Since when the oldest message of a lane has been waiting",
            ["lane"],
            registry=registry,
        )
        self._look = Gauge("axis_auditor_look_timestamp_seconds", "When the last look was made", registry=registry)
        self._pass = Gauge(
            "axis_auditor_pass_seconds", "How long the last comparison with the store took", registry=registry
        )

    def show(self, watches: Iterable[MailboxWatch], found: Sequence[Finding], at: dt.datetime) -> None:
        """Show one look and what was found by it."""
        by_lane: dict[str, list[MailboxWatch]] = {lane: [] for lane in _LANES}
        for watch in watches:
            by_lane[watch.lane].append(watch)
        for lane, some in by_lane.items():
            self._ready.labels(lane).set(sum(each.ready for each in some))
            self._unacked.labels(lane).set(sum(each.unacked for each in some))
            self._consumers.labels(lane).set(sum(each.consumers for each in some))
            self._alone.labels(lane).set(sum(1 for each in some if each.waiting and not each.consumers))
            oldest = min((each.oldest_at for each in some if each.oldest_at is not None), default=at)
            self._oldest.labels(lane).set((at - oldest).total_seconds())
        counts = Counter(finding.kind for finding in found)
        for kind in Kind:
            self._findings.labels(kind.value).set(counts[kind])
        self._look.set(at.timestamp())

    def passed(self, took: dt.timedelta) -> None:
        """Show how long a pass through the store took."""
        self._pass.set(took.total_seconds())
