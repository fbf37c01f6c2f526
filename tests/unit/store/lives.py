"""Random lives of documents, played into a store; and every number of a report counted by looking at each row."""

import datetime as dt
import json
import math
import random
from collections import Counter

from axis.core.ids import new_id
from axis.core.records import DeliveryRow, DeliveryState
from axis.core.registered import EntryDelivery, Side, Sought
from axis.core.workdays import VIETNAM_TIME
from axis.store import Entry, Store
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted, delivery_row, status_row

FIRST = dt.date(2026, 9, 29)  # the days around the end of a quarter
DAYS = 5
CODES = ("G22", "G22.01", "H37", "H37.05", "H37.05.02", "H370", "G01")
STATUSES = ("01", "02", "03", "04", "05", "06")
REASONS = ("recipient/unknown", "recipient/closed")
KEPT = ("on time", "late", "none")


async def play(store: Store, seed: int, documents: int) -> None:
    """Let documents be accepted and statuses come, registering in between, so that counts move as they do."""
    dice = random.Random(seed)  # noqa: S311 - a game
    sent: list[tuple[str, DeliveryRow, dt.datetime]] = []
    for number in range(documents):
        midnight = dt.datetime.combine(FIRST, dt.time(), VIETNAM_TIME)
        # At the very edge of a day now and then, where Vietnam's day and UTC's differ.
        minutes = dice.choice((0, 1439, dice.randrange(1440)))
        at = midnight + dt.timedelta(days=dice.randrange(DAYS), minutes=minutes)
        identifier = new_id(at)
        deliveries = [_delivery(dice, identifier, code) for code in dice.sample(CODES, dice.randint(1, 3))]
        document = {
            "issued_on": str((at - dt.timedelta(days=dice.choice((0, 0, 1, 9)))).date()),
            "due_on": dice.choice((None, str((at + dt.timedelta(days=dice.randint(0, 4))).date()))),
        }
        row = accepted(
            [],
            deliveries=deliveries,
            id=identifier,
            body=json.dumps({"id": identifier, "document": document}).encode(),
            sender=(code := dice.choice(CODES)),
            account=code.split(".")[0],
            lane=dice.choice(("normal", "urgent")),
            sent_at=at,
            accepted_at=at,
            subject=f"V/v số {number}",
        )
        async with store.transaction() as tx:
            await tx.accept([row])
        sent += [(identifier, each, at) for each in deliveries if each.state is DeliveryState.ROUTED]
        if dice.random() < 0.3:
            await keep(store)
        if sent and dice.random() < 0.8:
            await _report(store, dice, *dice.choice(sent))
    await keep(store)


def _delivery(dice: random.Random, identifier: str, code: str) -> DeliveryRow:
    match dice.randrange(6):
        case 0:
            state, reason = DeliveryState.REFUSED, dice.choice(REASONS)
            return delivery_row(identifier, code, state=state, reason=reason, mailbox=None, resolved=None)
        case 1:
            return delivery_row(identifier, code, state=DeliveryState.HELD, reason="mailbox/not-ready", detail="x")
    return delivery_row(identifier, code, mailbox=code.split(".", maxsplit=1)[0])


async def _report(store: Store, dice: random.Random, identifier: str, row: DeliveryRow, at: dt.datetime) -> None:
    received = at + dt.timedelta(minutes=dice.choice((1, 30, 300, 3000, 20_000)))
    code = dice.choice(STATUSES)
    said = status_row(
        identifier,
        id=new_id(received),
        reporter=row.recipient,
        recipients=(row.recipient,),
        code=code,
        at=received,
        received_at=received,
        account=row.mailbox or row.recipient,
        reason="sai thẩm quyền" if code == "02" else None,
    )
    async with store.transaction() as tx:
        await tx.statuses([said], {(identifier, row.recipient): (code, received)})


async def rows_of(store: Store) -> tuple[tuple[Entry, ...], tuple[EntryDelivery, ...]]:
    return await store.register.search(Sought(), limit=10_000), await store.register.deliveries(Sought(), limit=10_000)


def took_again(
    deliveries: tuple[EntryDelivery, ...],
    side: Side,
    first: dt.date,
    last: dt.date,
    code: str | None,
    *,
    whole: bool,
) -> dict[str, tuple[int, float | None]]:
    """Say how many arrived, were accepted and finished, and after how many seconds on average, in another way."""
    found: dict[str, list[int]] = {"arrived": [], "accepted": [], "finished": []}
    for each in deliveries:
        whose = each.sender if side == "sent" else each.recipient
        day = each.entry.accepted_at.astimezone(VIETNAM_TIME).date()
        if first <= day <= last and (code in {None, whose} or (whole and whose.startswith(f"{code}."))):
            for name, done in (
                ("arrived", each.arrived_at),
                ("accepted", each.accepted_at),
                ("finished", each.finished_at),
            ):
                if done is not None:
                    found[name].append(max(0, math.floor((done - each.entry.accepted_at).total_seconds())))
    return {name: (len(each), sum(each) / len(each) if each else None) for name, each in found.items()}


def counted_again(  # noqa: PLR0917 - said once, by name
    entries: tuple[Entry, ...],
    deliveries: tuple[EntryDelivery, ...],
    side: Side,
    first: dt.date,
    last: dt.date,
    code: str | None,
    *,
    whole: bool,
) -> Counter[str]:
    """Count all that a report counts, in another way than it does."""

    def ours(found: str) -> bool:
        return code is None or found == code or (whole and found.startswith(f"{code}."))

    def within(moment: dt.datetime) -> bool:
        return str(first) <= moment.astimezone(VIETNAM_TIME).isoformat()[:10] <= str(last)

    counts: Counter[str] = Counter()
    for entry in entries:
        if side == "sent" and within(entry.accepted_at) and ours(entry.sender):
            counts["documents"] += 1
            counts["documents late"] += entry.sent_late
    for each in deliveries:
        if not within(each.entry.accepted_at) or not ours(each.sender if side == "sent" else each.recipient):
            continue
        counts["deliveries"] += 1
        counts[f"transport {each.transport.value}"] += 1
        counts[f"business {each.business or 'none'}"] += 1
        for name, by, done in (
            ("arrival", each.arrive_by, each.arrived_at),
            ("acceptance", each.accept_by, each.accepted_at),
            ("finishing", each.finish_by, each.finished_at),
        ):
            counts[f"{name} {'none' if not (by and done) else 'late' if done > by else 'on time'}"] += 1
        if each.transport.value in {"routed", "taken"} and each.business in {None, "01"}:
            counts["unanswered"] += 1
    return counts
