"""Every bench by its name."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.bench import (
    blobs,
    communes,
    console,
    growth,
    lanes,
    latency,
    packages,
    register,
    resolving,
    route,
    scaling,
    soak,
    track,
)
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
        "router process of the other lane, against none waiting",
        lanes.urgent_lane,
    ),
    "latency": Bench(
        "from sending until the document is in the recipient's hands, and until its status is back at the sender, at "
        "parts of what one router, one tracker and both agencies can do together on this machine",
        latency.latency,
    ),
    "resolve-100k": Bench(
        "finding the mailbox of a unit three levels deep among 100,000 organisations, against 100",
        resolving.resolve_100k,
    ),
    "scaling": Bench(
        "two and four router processes against one, and where each microsecond goes: by process, and in the router by "
        "function (a profiler that samples processor time)",
        scaling.scaling,
    ),
    "communes": Bench(
        "an envelope to all 3,321 communes behind 34 mailboxes, and one to 95 mailboxes, against the bare forwarder "
        "publishing once for each mailbox, of which it knows beforehand",
        communes.communes,
    ),
    "idle-mailboxes": Bench(
        "what a mailbox that nobody uses (three quorum queues, an account) costs the broker in memory",
        communes.idle_mailboxes,
    ),
    "growth": Bench(
        "what workers and people ask of the store with up to 1,000,000 envelopes in it, against 1,000, asked in turns",
        growth.growth,
    ),
    "growth-1m": Bench(
        "routing into a store with 1,000,000 envelopes, against one with 1,000",
        growth.growth_1m,
    ),
    "register-1m": Bench(
        "what pages ask of the register with 1,000,000 documents and three deliveries of each in it, against 10,000",
        register.register_1m,
        default=False,
    ),
    "console-1m": Bench(
        "every page of the console with 1,000,000 envelopes stored and registered, against 10,000; as much is "
        "undeliverable in both, so that its page has as many rows",
        console.console_1m,
        default=False,
    ),
    "blob-memory": Bench(
        "the most memory any process needs beyond what it has when idle, while a file of 1 GiB passes from the "
        "sender's SDK through the gateway into the folders of two recipients (COUNT= is MiB); and (blob-time) how long "
        "that takes, against copying and hashing the file with cp and sha256sum twice",
        blobs.blob_memory,
    ),
    "package-memory": Bench(
        "the same for a file of 1 GiB inside an edXML package that a document system sends over the VXP interface, to "
        "an SDK and a watched folder (COUNT= is MiB)",
        packages.package_memory,
        default=False,
    ),
    "soak": Bench(
        "steady traffic with receipts and statuses for MINUTES= (COUNT= envelopes a second), and the slope of memory "
        "and disk of every process",
        soak.soak,
        default=False,
    ),
}
