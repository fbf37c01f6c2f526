"""One mailbox that nobody reads, or that takes nothing more, while the others go on."""

from random import Random
from urllib.parse import quote

from axis.core.lanes import LANES, mailbox_queue
from axis.core.topology import POLICY
from axis.faults.field import Field
from axis.faults.scenario import Scenario, Shape

_LIMIT = 30  # documents waiting in a queue of a mailbox; a real axis has some ten thousand
_RATE, _CATCHING_UP = 20.0, 8.0  # envelopes a second, all together: whoever reads has to keep up on any machine
_QUEUE_LENGTH = 10
_POLICY = "faults-short"
_SECONDS = 90.0
_REASONS = {
    "unread": {"mailbox/full", "mailbox/behind"},
    # What was counted before the policy came may be over the limit of the axis as well.
    "refusing": {"mailbox/not-taking", "mailbox/behind", "mailbox/full"},
}
_FIRST = {"unread": "mailbox/full", "refusing": "mailbox/not-taking"}  # of the first that is held


async def _play(field: Field, random: Random) -> None:
    traffic = field.traffic
    before = traffic.limit, traffic.rate
    # What waits for one mailbox must not keep its senders from the others; and nobody else may be late with reading.
    traffic.limit, traffic.rate = 2_000, _RATE
    kinds = random.sample(sorted(_REASONS), len(_REASONS))
    while not field.over():
        kinds.append(kind := kinds.pop(0))
        code = random.choice(traffic.codes)
        field.event(f"a mailbox {'nobody reads' if kind == 'unread' else 'whose queue takes no more'}", mailbox=code)
        traffic.stop_reading(code)
        if kind == "refusing":
            await _shorten(field, code)
        # Its share of the traffic would take long to be more than its programs take ahead and its queues may hold.
        traffic.copied_to = code
        await _held(field, code, kind)
        traffic.copied_to = None
        await field.flowing(without=[code])
        if kind == "refusing":
            await field.broker.api("DELETE", f"policies/{quote(field.broker.vhost, safe='')}/{_POLICY}")
        # A recipient that reads again has to get ahead of what comes in.
        traffic.rate = _CATCHING_UP
        traffic.read(code)
        await _released(field, code)
        traffic.rate = _RATE
    traffic.limit, traffic.rate = before


async def _shorten(field: Field, code: str) -> None:
    """Limit the queues of a mailbox at the broker, as an operator may: it refuses what is beyond (nack)."""
    policy = {
        "pattern": f"^mailbox\\.[a-z]+\\.{code.replace('.', '[.]')}$",
        "apply-to": "queues",
        # Of several policies a queue has the one of the highest priority alone.
        "definition": {**POLICY.definition, "max-length": _QUEUE_LENGTH},
        "priority": POLICY.priority + 1,
    }
    await field.broker.api("PUT", f"policies/{quote(field.broker.vhost, safe='')}/{_POLICY}", json=policy)


async def _held(field: Field, code: str, kind: str) -> None:
    """Wait until deliveries are held for the reason there is, and find nobody else's held."""
    queues = [mailbox_queue(lane, code) for lane in LANES]

    async def some() -> bool:
        query = "SELECT FROM delivery WHERE held_for = ANY ($1) AND reason = $2 LIMIT 1"
        return bool(await field.database.execute(query, queues, _FIRST[kind]))

    if not await field.eventually(some, _SECONDS):
        field.explain(f"nothing is held for {code} as {_FIRST[kind]} within {_SECONDS:g} s")
    rows = await field.database.execute("SELECT DISTINCT held_for, reason FROM delivery WHERE state = 'held'")
    for row in rows:
        if row["held_for"] not in queues or row["reason"] not in _REASONS[kind]:
            field.explain(f"while {code} is {kind}, something is held for {row['held_for']}: {row['reason']}")


async def _released(field: Field, code: str) -> None:
    async def none() -> bool:
        return not await field.database.execute("SELECT FROM delivery WHERE state = 'held' LIMIT 1")

    if not await field.eventually(none, _SECONDS):
        field.explain(f"what was held for {code} is not released within {_SECONDS:g} s")


SCENARIO = Scenario(
    number=8,
    name="mailbox",
    title="One mailbox that nobody reads or that takes no more; the others flow, what waits is held and goes in order",
    play=_play,
    shape=Shape(routers=2, settings={"mailbox_limit": str(_LIMIT)}),
    weight=2.0,
)
