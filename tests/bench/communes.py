"""communes: a list of 3,321 recipients behind 34 mailboxes, 95 mailboxes, and what an idle mailbox costs the broker."""

from tests.bench import route
from tests.bench.processes import memory_bytes, quiet
from tests.bench.results import Detail, Result
from tests.bench.running import Options, cpu_detail, cpu_facts, paired
from tests.bench.world import SENDER, BenchFailed, Progress, Stage, World
from tests.builders import organisations

_PROVINCES = [f"H{number:02}" for number in range(1, 35)]
_COMMUNES = [f"{_PROVINCES[number % 34]}.{number:04}" for number in range(3_321)]
_NINETY_FIVE = [f"G{number:02}" for number in range(1, 96) if number != 22] + ["H01"]
_BIG = 40
_WIDE = 200
_STEPS = (100, 300)
_COUNTRY = 5_000


async def communes(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Compare with the bare forwarder, which knows the mailboxes already and publishes once for each."""
    results = []
    for case, codes, recipients, count in (
        ("3,321 communes through 34 mailboxes", _PROVINCES, _COMMUNES, _BIG),
        ("95 mailboxes", _NINETY_FIVE, _NINETY_FIVE, _WIDE),
    ):
        async with stage.world(progress) as world:
            await world.join([SENDER, *codes])
            await world.axis.store.directory.put_organisations(organisations(set(recipients) - set(codes)))
            sides = route.Sides(world, codes, options.counted(count), "aio_pika_forwarder", recipients=recipients)
            pairs = await paired(options.rounds, sides.ours, sides.baseline, world, f"communes, {case}")
        results.append(
            Result(
                "communes",
                "deliveries/s",
                [our.rate for our, _ in pairs],
                [their.rate for _, their in pairs],
                case=case,
                details=[cpu_detail(f"communes, {case}: processor time", "delivery to a mailbox", pairs)],
                facts={"messages": options.counted(count), **cpu_facts(pairs)},
            )
        )
    return results


async def idle_mailboxes(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Give the broker more and more mailboxes that nobody uses, and look at its memory."""
    broker = stage.servers.broker
    if broker is None:
        raise BenchFailed("idle-mailboxes: the broker is not on this machine, so its memory cannot be seen")
    steps = (*_STEPS[:1], max(options.counted(_STEPS[-1]), _STEPS[0] + 1))
    async with stage.world(progress) as world:
        sizes = [(0, await _settled(broker))]
        for step in steps:
            await _mailboxes(world, sizes[-1][0], step)
            sizes.append((step, await _settled(broker)))
            progress(f"idle-mailboxes: {step} mailboxes, {sizes[-1][1] / 2**20:.0f} MiB")
    each = (sizes[-1][1] - sizes[1][1]) / (sizes[-1][0] - sizes[1][0])
    base = sizes[-1][1] - each * sizes[-1][0]
    rows: list[list[str | float]] = [[count, round(size / 2**20), "measured"] for count, size in sizes]
    rows += [[count, round((base + each * count) / 2**20), "by that slope"] for count in (1_000, _COUNTRY)]
    return [
        Result(
            "idle-mailboxes",
            "KiB of broker memory per idle mailbox",
            [each / 1024],
            details=[
                Detail("idle-mailboxes: memory of one broker node", ["mailboxes", "MiB", ""], rows),
                Detail("idle-mailboxes: the advice that follows", ["mailboxes", "advice"], _advice(base, each)),
            ],
            facts={"mailboxes": sizes[-1][0]},
        )
    ]


def _advice(base: float, each: float) -> list[list[str | float]]:
    """Say how much memory a node should have: quorum queues stop everything at the alarm, so half of it stays free."""
    rows: list[list[str | float]] = []
    for count in (95, 1_000, _COUNTRY):
        need = (base + each * count) / 2**30
        rows.append([count, f"give each node {max(2.0, 2 * need):.1f} GiB: {need:.1f} idle, as much again to work in"])
    return rows


async def _mailboxes(world: World, have: int, want: int) -> None:
    codes = [f"A{number // 100:02}.{number % 100:02}" for number in range(have, want)]
    await world.join(codes)


async def _settled(broker: int) -> int:
    await quiet(broker)
    return memory_bytes(broker)
