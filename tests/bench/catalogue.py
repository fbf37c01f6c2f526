"""Every bench by its name."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.bench import route
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
}
