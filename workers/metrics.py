"""What a worker counts, for Prometheus.

Every label takes few values: queues of the workers, outcomes, kinds, lanes, and reasons of `schemas/reasons`. Never an
agency or an id: /metrics asks for no password, and each value is a series for ever. docs/observing.md is made of this.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from axis.observe import Reading, Readings, process_registry
from axis.store import Backlog, Pile
from schemas.reasons import REASONS

_BATCH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LANES = ("urgent", "normal", "notices", "axis")
OTHER = "other"  # a reason that this version does not know

# What is found by looking, and replaced by the next look.
READINGS = (
    Reading("axis_unpublished", "Committed and not confirmed by the broker yet; counted up to 100,000", ("kind",)),
    Reading("axis_unpublished_oldest_timestamp_seconds", "Since when the oldest of these waits", ("kind",)),
    Reading("axis_held", "Deliveries held for a mailbox that takes nothing; counted up to 100,000", ("reason",)),
    Reading("axis_held_oldest_timestamp_seconds", "Since when the oldest of these is held", ("reason",)),
    Reading("axis_quarantine", "Messages in quarantine, equal ones once; counted up to 100,000", ("reason",)),
    Reading(
        "axis_certificates_ending", "Certificates without a successor, by the days within which they end", ("days",)
    ),
    Reading("axis_log_size", "Entries under the newest checkpoint of the log of receipts"),
    Reading("axis_log_stopped", "1 while nothing is signed, because what was published and what is stored differ"),
    Reading("axis_log_current_timestamp_seconds", "When the published log last had everything that was committed"),
    Reading("axis_register_waiting", "Documents whose place in the register is behind the store"),
    Reading("axis_register_oldest_timestamp_seconds", "Since when the oldest of these waits"),
    Reading("axis_findings", "What the auditor found and what is not healed", ("kind",)),
    Reading("axis_findings_oldest_timestamp_seconds", "Since when the oldest of these stands", ("kind",)),
    Reading("axis_mailbox_ready", "Messages in the queues of mailboxes that nobody has taken out", ("lane",)),
    Reading("axis_mailbox_unacked", "Messages handed to agencies and not answered for", ("lane",)),
    Reading("axis_mailbox_consumers", "Consumers on the queues of mailboxes", ("lane",)),
    Reading("axis_mailbox_unattended", "Queues of mailboxes with messages and without a consumer", ("lane",)),
    Reading("axis_mailbox_oldest_timestamp_seconds", "When the oldest message that waits got there", ("lane",)),
    Reading("axis_webhook_deliveries", "Calls of webhooks: waiting for their time, given up", ("state",)),
)


class Watched(Protocol):
    """A queue as the auditor saw it; see `axis.core.watching`."""

    @property
    def lane(self) -> str:
        """One of urgent, normal, notices and axis."""
        ...

    @property
    def ready(self) -> int:
        """Messages nobody has taken out."""
        ...

    @property
    def unacked(self) -> int:
        """Messages handed out."""
        ...

    @property
    def consumers(self) -> int:
        """How many take from it."""
        ...

    @property
    def oldest_at(self) -> dt.datetime | None:
        """When the oldest message got there."""
        ...


class Metrics:
    """The counters of one worker process; `serve` shows them over HTTP."""

    def __init__(self, worker: str) -> None:
        self.registry = process_registry(worker)
        self._worker = worker
        self._readings = Readings(self.registry, READINGS)
        self._messages = Counter(
            "axis_messages",
            "Messages that reached their end, by the queue they came from",
            ["worker", "source", "outcome", "reason"],
            registry=self.registry,
        )
        self._published = Counter("axis_published", "Publishes", ["worker", "kind", "outcome"], registry=self.registry)
        self._batch = Histogram(
            "axis_batch_seconds",
            "From taking a batch to its ack",
            ["worker", "source"],
            buckets=_BATCH_SECONDS,
            registry=self.registry,
        )
        self._away = Gauge(
            "axis_unavailable", "1 while something outside cannot be reached", ["worker"], registry=self.registry
        )
        self._away.labels(worker).set(0)
        self._certificates = Gauge(
            "axis_certificates",
            "Enrolled certificates by what the last look found of their revocation: proved, unproven",
            ["worker", "found"],
            registry=self.registry,
        )
        self._papers = Counter("axis_papers", "PDFs looked at, by what was found", ["standing"], registry=self.registry)
        self._healed = Counter("axis_healed", "Findings that the auditor healed", ["kind"], registry=self.registry)
        self._webhooks = Counter("axis_webhooks", "Calls of webhooks", ["outcome"], registry=self.registry)
        self._headers = Counter(
            "axis_trace_headers",
            "Trace contexts that came with messages: taken, or ignored because they are not of the form",
            ["outcome"],
            registry=self.registry,
        )

    # What happens

    def messages(self, source: str, outcome: str, reason: str = "", *, count: int = 1) -> None:
        """Count messages by the queue they came from and how they ended."""
        self._messages.labels(self._worker, source, outcome, reason and bounded(reason)).inc(count)

    def published(self, kind: str, outcome: str, *, count: int = 1) -> None:
        """Count publishes by kind (document, receipt, status) and outcome (confirmed, failed)."""
        self._published.labels(self._worker, kind, outcome).inc(count)

    def batch(self, source: str, seconds: float) -> None:
        """Record how long one batch of a queue took."""
        self._batch.labels(self._worker, source).observe(seconds)

    def away(self, *, away: bool) -> None:
        """Say whether the worker is waiting for something outside."""
        self._away.labels(self._worker).set(float(away))

    def paper(self, standing: str) -> None:
        """Count one PDF that was looked at."""
        self._papers.labels(standing).inc()

    def healed(self, kind: str, *, count: int = 1) -> None:
        """Count findings that were healed."""
        self._healed.labels(kind).inc(count)

    def webhook(self, outcome: str) -> None:
        """Count one call of a webhook by how it ended (answered, failed, given up)."""
        self._webhooks.labels(outcome).inc()

    def trace_header(self, taken: bool) -> None:
        """Count one trace context that came with a message."""
        self._headers.labels("taken" if taken else "ignored").inc()

    # What is found by looking

    def certificates(self, *, proved: int, unproven: int) -> None:
        """Say how many certificates were shown not to be revoked, and how many were not."""
        self._certificates.labels(self._worker, "proved").set(proved)
        self._certificates.labels(self._worker, "unproven").set(unproven)

    def certificates_ending(self, by_days: Mapping[int, int]) -> None:
        """Say how many certificates end within so many days and have no successor."""
        self._readings.read({"axis_certificates_ending": {(str(days),): n for days, n in by_days.items()}})

    def backlog(self, backlog: Backlog) -> None:
        """Say what waits in the store."""
        unpublished = {"envelope": backlog.envelopes, "notice": backlog.notices}
        held = by_reason(backlog.held)
        self._readings.read(
            {
                "axis_unpublished": _counts(unpublished),
                "axis_unpublished_oldest_timestamp_seconds": _oldest(unpublished),
                "axis_held": _counts(held),
                "axis_held_oldest_timestamp_seconds": _oldest(held),
                "axis_quarantine": _counts(by_reason(backlog.quarantine)),
            }
        )

    def log_current(self, size: int, at: dt.datetime) -> None:
        """Say that the published log has everything, so many entries."""
        current = {"axis_log_size": size, "axis_log_stopped": 0, "axis_log_current_timestamp_seconds": at.timestamp()}
        self._readings.read(current)

    def log_stopped(self) -> None:
        """Say that nothing is signed."""
        self._readings.read({"axis_log_stopped": 1})

    def register(self, waiting: int, oldest: dt.datetime | None) -> None:
        """Say how far the register is behind the store: `RegisterStore.lag`."""
        self._readings.read(
            {
                "axis_register_waiting": waiting,
                "axis_register_oldest_timestamp_seconds": None if oldest is None else oldest.timestamp(),
            }
        )

    def findings(self, open_: Mapping[str, Pile]) -> None:
        """Say what the auditor found, by kind (every kind there is: one without findings shows 0)."""
        self._readings.read({"axis_findings": _counts(open_), "axis_findings_oldest_timestamp_seconds": _oldest(open_)})

    def mailboxes(self, watched: Iterable[Watched]) -> None:
        """Say how the queues stand that the auditor saw, added up by lane."""
        queues = list(watched)
        by_lane = {(lane,): [each for each in queues if each.lane == lane] for lane in _LANES}
        oldest = {lane: min((q.oldest_at for q in of if q.oldest_at), default=None) for lane, of in by_lane.items()}
        self._readings.read(
            {
                "axis_mailbox_ready": {lane: sum(q.ready for q in of) for lane, of in by_lane.items()},
                "axis_mailbox_unacked": {lane: sum(q.unacked for q in of) for lane, of in by_lane.items()},
                "axis_mailbox_consumers": {lane: sum(q.consumers for q in of) for lane, of in by_lane.items()},
                "axis_mailbox_unattended": {
                    lane: sum(q.ready > 0 and not q.consumers for q in of) for lane, of in by_lane.items()
                },
                "axis_mailbox_oldest_timestamp_seconds": {
                    lane: at.timestamp() for lane, at in oldest.items() if at is not None
                },
            }
        )

    def webhook_deliveries(self, by_state: Mapping[str, int]) -> None:
        """Say how many calls of webhooks wait, and how many were given up."""
        self._readings.read({"axis_webhook_deliveries": {(state,): n for state, n in by_state.items()}})

    def serve(self, host: str, port: int) -> int:
        """Serve /metrics in a thread of its own and return the port taken."""
        server, _ = start_http_server(port, host, registry=self.registry)
        return int(server.server_port)


def bounded(reason: str) -> str:
    """Keep a reason that is known; what an older or newer version wrote into the store must not become a label."""
    return reason if reason in REASONS else OTHER


def by_reason(piles: Mapping[str, Pile]) -> dict[str, Pile]:
    """Add up by reasons that are known."""
    added: dict[str, Pile] = {}
    for reason, pile in piles.items():
        before = added.get(bounded(reason), Pile())
        times = [at for at in (before.oldest, pile.oldest) if at is not None]
        added[bounded(reason)] = Pile(before.count + pile.count, min(times, default=None))
    return added


def _counts(piles: Mapping[str, Pile]) -> dict[tuple[str, ...], float]:
    return {(name,): pile.count for name, pile in piles.items()}


def _oldest(piles: Mapping[str, Pile]) -> dict[tuple[str, ...], float]:
    return {(name,): pile.oldest.timestamp() for name, pile in piles.items() if pile.oldest is not None}
