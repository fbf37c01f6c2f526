"""What a worker counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server


class Metrics:
    """The counters of one worker process; `serve` shows them over HTTP."""

    def __init__(self, worker: str) -> None:
        self.registry = CollectorRegistry()
        self._worker = worker
        self._messages = Counter(
            "axis_messages",
            "Messages that reached their end",
            ["worker", "source", "outcome", "reason"],
            registry=self.registry,
        )
        self._published = Counter("axis_published", "Publishes", ["worker", "kind", "outcome"], registry=self.registry)
        self._batch = Histogram(
            "axis_batch_seconds", "From taking a batch to its ack", ["worker"], registry=self.registry
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

    def messages(self, source: str, outcome: str, reason: str = "", *, count: int = 1) -> None:
        """Count messages by the queue they came from and how they ended."""
        self._messages.labels(self._worker, source, outcome, reason).inc(count)

    def published(self, kind: str, outcome: str, *, count: int = 1) -> None:
        """Count publishes by kind (document, receipt, status) and outcome (confirmed, failed)."""
        self._published.labels(self._worker, kind, outcome).inc(count)

    def batch(self, seconds: float) -> None:
        """Record how long one batch took."""
        self._batch.labels(self._worker).observe(seconds)

    def away(self, *, away: bool) -> None:
        """Say whether the worker is waiting for something outside."""
        self._away.labels(self._worker).set(float(away))

    def certificates(self, *, proved: int, unproven: int) -> None:
        """Say how many certificates were shown not to be revoked, and how many were not."""
        self._certificates.labels(self._worker, "proved").set(proved)
        self._certificates.labels(self._worker, "unproven").set(unproven)

    def serve(self, host: str, port: int) -> int:
        """Serve /metrics in a thread of its own and return the port taken."""
        server, _ = start_http_server(port, host, registry=self.registry)
        return int(server.server_port)
