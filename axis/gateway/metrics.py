"""What the gateway counts, for Prometheus. No label names an agency or a blob: /metrics asks for no token."""

from prometheus_client import Counter, Gauge, Histogram

from axis.observe import process_registry

_METHODS = frozenset({"DELETE", "GET", "HEAD", "POST", "PUT"})
_BUCKETS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1800)


class Metrics:
    """The counters of one gateway process."""

    def __init__(self) -> None:
        self.registry = process_registry("gateway")
        self._requests = Counter(
            "axis_gateway_requests",
            "Requests answered",
            ["route", "method", "status", "code"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "axis_gateway_request_seconds",
            "From the headers to the last byte",
            ["route", "method"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._bytes = Counter(
            "axis_gateway_bytes", "Bytes of blobs by direction: in, out", ["direction"], registry=self.registry
        )
        self.transfers = Gauge(
            "axis_gateway_transfers", "Transfers running by direction: in, out", ["direction"], registry=self.registry
        )
        self.corrupted = Counter(
            "axis_gateway_corrupted", "Blobs found not to fit their digest", registry=self.registry
        )
        self.agencies = Gauge(
            "axis_gateway_agencies",
            "Agencies served for existing document systems: connected, away",
            ["state"],
            registry=self.registry,
        )
        self.lost = Counter("axis_gateway_lost", "Blobs recorded but not stored", registry=self.registry)

    def request(self, *, route: str, method: str, status: int, code: str, seconds: float) -> None:
        """Count one request; `status` 0: the client left before there was an answer."""
        known = method if method in _METHODS else "other"
        self._requests.labels(route, known, str(status), code).inc()
        self._seconds.labels(route, known).observe(seconds)

    def moved(self, direction: str, count: int) -> None:
        """Count bytes taken (`in`) or sent (`out`)."""
        self._bytes.labels(direction).inc(count)
