"""console-1m: every page of the console with a million envelopes stored, against ten thousand."""

import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx

from axis.catalogue import load as load_catalogue
from axis.console import Desk, create_app
from axis.console.access.passwords import Passwords
from axis.console.guarding import Origins
from axis.console.pages import PAGES
from axis.core.operators import Operator, Role
from axis.settings import Settings
from axis.store import Sought, Store
from axis.store.queries import parse
from tests import services as real
from tests.bench.register import fill as fill_register
from tests.bench.results import Goal, Result
from tests.bench.running import Options
from tests.bench.world import Progress, Stage
from tests.rig import now

_FEW = 10_000
_MANY = 1_000_000
_FILL_SECONDS = 3_600
_SQL = Path(__file__).with_suffix(".sql")
_URL, _LOGIN, _PASSWORD = "http://127.0.0.1:1", "bench", "mật khẩu đủ dài 1"
# Streams, files that are made of one document, and messages in quarantine, where none lie.
_NO_PAGES = frozenset({"/overview/live", "/documents/{id}/proof", "/quarantine/{id}", "/quarantine/requeues/{group}"})
# What takes the place of a name in an address.
_EXAMPLES = {"{code}": "H37", "{login:path}": _LOGIN}
# What people ask of the pages that search.
_SEARCHES = {
    "a word that all have": "/documents?words=văn+bản",
    "a number": "/documents?number=777",
    "an agency's, held": "/deliveries?recipient=H37&transport=held",
    "not arrived in time": "/deliveries?late=arrival",
    "undeliverable": "/deliveries?transport=undeliverable",
    "a day": "/documents?since={day}&until={day}",
}


async def console_1m(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Ask two consoles the same, in turns."""
    many = options.counted(_MANY)
    times: dict[str, list[tuple[float, float]]] = {}
    async with contextlib.AsyncExitStack() as stack:
        browsers = []
        for count in (many, _FEW):
            progress(f"filling a store with {count:,} envelopes")
            dsn = stack.enter_context(real.fresh_database(stage.services, stage.template))
            await fill_register(dsn, count)
            await _fill(dsn)
            browsers.append(await stack.enter_async_context(_browser(dsn)))
        for number in range(-1, options.rounds):  # one more before: statements are prepared, pages are read
            for name in browsers[0][1]:
                ours, theirs = [await _timed(client, addresses[name]) for client, addresses in browsers]
                if number >= 0:
                    times.setdefault(name, []).append((ours, theirs))
            progress(f"console-1m {number + 1}/{options.rounds}")
    return [
        Result(
            "console-1m",
            "ms",
            [ours for ours, _ in pairs],
            [theirs for _, theirs in pairs],
            case=name,
            goal=Goal("<=", 2),
            facts={"stored": many, "against": _FEW},
        )
        for name, pairs in times.items()
    ]


@contextlib.asynccontextmanager
async def _browser(dsn: str) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, str]]]:
    """Log an administrator in to a console on a database; with the addresses of its pages by name."""
    cheap = Passwords(memory_kib=8, passes=1, lanes=1)
    where = {"amqp_url": "amqp://nobody@127.0.0.1:1/", "rabbitmq_api_url": "http://nobody@127.0.0.1:1"}
    settings = Settings.model_validate({**where, "database_url": dsn, "console_url": _URL})
    async with Store.connect(dsn) as store:
        await store.directory.put_organisations(load_catalogue())
        await store.operators.add(Operator(_LOGIN, _LOGIN, Role.ADMINISTRATOR), cheap.hash(_PASSWORD), by="bench")
        desk = Desk(store, settings, lambda: dt.datetime.now(dt.UTC), passwords=cheap)
        app = create_app(desk, Origins.of(_URL, "127.0.0.1", 1, tls=False))
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 40_000))
        headers = {"origin": _URL, "sec-fetch-site": "same-origin"}
        async with httpx.AsyncClient(transport=transport, base_url=_URL, headers=headers) as client:
            entered = await client.post("/login", data={"login": _LOGIN, "password": _PASSWORD})
            if entered.status_code != httpx.codes.SEE_OTHER:
                raise AssertionError(f"the login answers {entered.status_code}")
            yield client, await _addresses(store)


async def _addresses(store: Store) -> dict[str, str]:
    """Name every page, and an address of it."""
    (newest,) = await store.register.search(Sought(), limit=1)
    found: dict[str, str] = {}
    for page in PAGES:
        if "GET" in page.methods and page.path not in _NO_PAGES:
            address = page.path.replace("{id}", newest.id)
            for name, example in _EXAMPLES.items():
                address = address.replace(name, example)
            found[page.path] = address
    day = (now() - dt.timedelta(days=50)).date().isoformat()
    return found | {name: address.format(day=day) for name, address in _SEARCHES.items()}


async def _fill(dsn: str) -> None:
    link = await asyncpg.connect(dsn, command_timeout=_FILL_SECONDS)
    try:
        for query in parse(_SQL.read_text(encoding="utf-8"), "console").values():
            await link.execute(query)
        await link.execute("VACUUM ANALYZE")
        await link.execute("CHECKPOINT")
    finally:
        await link.close()


async def _timed(client: httpx.AsyncClient, address: str) -> float:
    """The least of three, in milliseconds: others use the machine too."""
    found = []
    for _ in range(3):
        started = time.perf_counter()
        answered = await client.get(address)
        found.append(1e3 * (time.perf_counter() - started))
        if answered.status_code != httpx.codes.OK:
            raise AssertionError(f"{address} answers {answered.status_code}")
    return min(found)
