"""Every bench by its name."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.bench import lanes, latency, route, track
from tests.bench.results import Result
from tests.bench.running import Options
from tests.bench.world import Progress, Stage


@dataclass(frozen=True, slots=True)
class Bench:
    """What a bench measures and how; `default`: whether `make bench` alone runs it."""

    about: str
    run: Callable[[Stage, Options, Progress], Awaitable[list[Result]]]
    default: bool = True


BENCHES = {
    "route-1": Bench(
        "2 KiB envelopes to one recipient, ES256 verified and recorded, one router process, against a bare aio-pika "
        "forwarder (consume, publish confirmed, ack; no checks, no database)",
        route.route_1,
    ),
    "route-1-faststream": Bench("the same against a FastStream subscriber that forwards", route.route_1_faststream),
    "route-63": Bench(
        "envelopes to 63 mailboxes, in deliveries, against the bare forwarder publishing each 63 times",
        route.route_63,
    ),
    "track": Bench(
        "statuses verified, applied, recorded and forwarded by one tracker process, against a consumer that inserts "
        "one row per message with asyncpg over a pool of 32 connections and acks it, up to 256 at once",
        track.track,
    ),
    "urgent-lane": Bench(
        "how long an urgent envelope takes into the recipient's hands (p99) while 20,000 normal ones wait before the "
        "same router process, against none waiting",
        lanes.urgent_lane,
    ),
    "latency": Bench(
        "from sending until the document is in the recipient's hands, and until its status is back at the sender, at "
        "parts of what one router, one tracker and both agencies can do together on this machine",
        latency.latency,
    ),
}
