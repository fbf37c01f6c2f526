"""register-1m: what pages ask of the register with a million documents in it, against ten thousand."""

import contextlib
import datetime as dt
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.ids import new_id
from axis.store import RegisterStore, Sought, Store
from axis.store.queries import parse
from tests import services as real
from tests.bench.results import Goal, Result
from tests.bench.running import Options
from tests.bench.world import Progress, Stage
from tests.rig import now

_FEW = 10_000
_MANY = 1_000_000
_FILL_SECONDS = 3_600
_SQL = Path(__file__).with_suffix(".sql")

Question = Callable[[RegisterStore, int], Awaitable[object]]


def _searched(**sought: object) -> Question:
    return lambda register, _: register.search(Sought(**sought))  # type: ignore[arg-type]  # by name


def _listed(**sought: object) -> Question:
    return lambda register, _: register.deliveries(Sought(**sought))  # type: ignore[arg-type]  # by name


def _questions() -> dict[str, Question]:
    at = now()
    today = at.date()
    past = at - dt.timedelta(days=50)
    return {
        "the newest": _searched(),
        "a word that all have": _searched(words="văn bản"),
        "a word of one in 2,000": _searched(words="tu77"),
        "a word of seven": lambda register, count: register.search(Sought(words=f"hiem{count // 70}x")),
        "a word of none": _searched(words="không có"),
        "a number": lambda register, count: register.search(Sought(number=f"{count // 3}/VPCP-TTĐT")),
        "a sender": _searched(sender="G12"),
        "a sender and a word": _searched(sender="G12", words="tu79"),
        "what an agency sees": _searched(account="H22"),
        "held": _searched(transport=Transport.HELD),
        "held, of an agency": _searched(account="H22", transport=Transport.HELD),
        "undeliverable": _searched(transport=Transport.UNDELIVERABLE),
        "refused by the recipient": _searched(business="02"),
        "not arrived in time": _searched(late=Clock.ARRIVAL),
        "sent late": _searched(sent_late=True),
        "open": _searched(open=True),
        "a day long ago": _searched(since=past, until=past + dt.timedelta(days=1)),
        "a page far back": lambda register, _: register.search(Sought(sender="G12"), before=new_id(past)),
        "deliveries: the newest": _listed(),
        "deliveries: of an agency": _listed(account="H22"),
        "deliveries: held": _listed(transport=Transport.HELD),
        "deliveries: not arrived in time": _listed(late=Clock.ARRIVAL),
        "deliveries: not arrived in time, of an agency": _listed(late=Clock.ARRIVAL, mailbox="H22"),
        "deliveries: a page far back": lambda register, _: register.deliveries(
            Sought(sender="G12"), before=(new_id(past), "")
        ),
        "count: all": lambda register, _: register.count(Sought()),
        "count: held": lambda register, _: register.count(Sought(transport=Transport.HELD)),
        "count: not arrived in time": lambda register, _: register.count(Sought(late=Clock.ARRIVAL)),
        "tallies of a quarter": lambda register, _: register.tallies(
            today - dt.timedelta(days=90), today, side="received"
        ),
        "flow of six hours": lambda register, _: register.flow(at - dt.timedelta(hours=6), 5),
        "overdue by agency": lambda register, _: register.overdue(Clock.ARRIVAL, at),
        "lag": lambda register, _: register.lag(),
    }


async def register_1m(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Ask two registers the same, in turns."""
    many = options.counted(_MANY)
    times: dict[str, list[tuple[float, float]]] = {}
    async with contextlib.AsyncExitStack() as stack:
        registers = []
        for count in (many, _FEW):
            progress(f"filling a register with {count:,} documents")
            dsn = stack.enter_context(real.fresh_database(stage.services, stage.template))
            await fill(dsn, count)
            registers.append((await stack.enter_async_context(Store.connect(dsn)), count))
        for number in range(-1, options.rounds):  # one more before: statements are prepared, pages are read
            for name, ask in _questions().items():
                ours, theirs = [await _timed(ask, store.register, count) for store, count in registers]
                if number >= 0:
                    times.setdefault(name, []).append((ours, theirs))
            progress(f"register-1m {number + 1}/{options.rounds}")
    return [
        Result(
            "register-1m",
            "ms",
            [ours for ours, _ in pairs],
            [theirs for _, theirs in pairs],
            case=name,
            goal=Goal("<=", 2),
            facts={"registered": many, "against": _FEW},
        )
        for name, pairs in times.items()
    ]


async def fill(dsn: str, count: int) -> None:
    """Fill the register of a database."""
    link = await asyncpg.connect(dsn, command_timeout=_FILL_SECONDS)
    try:
        for query in parse(_SQL.read_text(encoding="utf-8"), "register").values():
            await link.execute(query, *([count] if "$1" in query else []))
        await link.execute("VACUUM ANALYZE")
        await link.execute("CHECKPOINT")
    finally:
        await link.close()


async def _timed(ask: Question, register: RegisterStore, count: int) -> float:
    """The least of three, in milliseconds: others use the machine too."""
    found = []
    for _ in range(3):
        started = time.perf_counter()
        await ask(register, count)
        found.append(1e3 * (time.perf_counter() - started))
    return min(found)
