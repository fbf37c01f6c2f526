"""What `axis doctor` looks at, one function a matter; each returns what it found and what to do about it."""

import asyncio
import datetime as dt
import shutil
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args
from urllib.parse import unquote, urlsplit

import httpx

from axis.broker import Link
from axis.cli import moments
from axis.cli.accounts import management, wanted_topology
from axis.cli.certificate_checks import certificates
from axis.cli.console import in_words, local_time
from axis.cli.early_checks import early
from axis.cli.findings import Check, Level, few
from axis.cli.found import check as check_findings
from axis.core.lanes import LANES, route_queue
from axis.core.topology import Verb, difference
from axis.errors import AxisError, Misconfigured
from axis.settings import Service, Settings
from axis.store import Store
from axis.store.hosts import split
from axis.store.reaching import connection
from axis.tls import ALLOW_VARIABLE, told
from schemas.wire import QUARANTINE_QUEUE, TRACK_QUEUE

DEADLINE_SECONDS = 20.0
_CLOCK_WARN, _CLOCK_FAIL = 1.0, 30.0  # seconds
_LOG_WITHIN, _LOG_BEHIND = dt.timedelta(days=1), dt.timedelta(minutes=1)
_DISK_WARN, _DISK_FAIL = 5 * 1024**3, 1024**3  # bytes; RabbitMQ stops taking messages long before zero

# Whoever is connected by the account that the tables belong to, by what their programs call themselves.
_AS_OWNER = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'axis %'
  AND usename = (SELECT tableowner FROM pg_tables WHERE tablename = 'envelope' AND schemaname = current_schema())
"""

Look = Callable[[Settings], Awaitable[list[Check]]]


async def look_at_all(settings: Settings) -> list[Check]:
    """Look at everything at once; what is away makes one failed check and keeps no other from being made."""
    found: list[list[Check]] = [[] for _ in LOOKS]

    async def one(place: int, name: str, look: Look) -> None:
        found[place] = await _guarded(name, look, settings)

    async with asyncio.TaskGroup() as group:
        for place, (name, look) in enumerate(LOOKS):
            group.create_task(one(place, name, look))
    return [check for checks in found for check in checks]


async def _guarded(name: str, look: Look, settings: Settings) -> list[Check]:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await look(settings)
    except AxisError as error:
        remedy = (
            "set it (docs/runbooks/certificates.md); on one machine `axis up` sets up what is missing"
            if isinstance(error, Misconfigured)
            else in_words(error.reason)[1]
        )
        return [Check(name, Level.FAIL, error.detail, remedy)]
    except TimeoutError:
        return [
            Check(name, Level.FAIL, f"no answer within {DEADLINE_SECONDS:g} s", "is it running? `axis local status`")
        ]


async def encryption(settings: Settings) -> list[Check]:
    """Look at what goes over a network without TLS."""
    if found := settings.plaintext:
        remedy = f"amqps://, https:// and sslmode=verify-full; then unset {ALLOW_VARIABLE}"
        return [Check("encryption", Level.WARN, f"allowed without TLS: {'; '.join(found)}", remedy)]
    return [Check("encryption", Level.OK, "nothing leaves this machine unencrypted")]


async def broker(settings: Settings) -> list[Check]:
    """Connect as the workers do, and ask for the version and for alarms."""
    async with management(settings) as api:
        version, alarmed = await api.version(), await api.alarmed()
    async with Link(settings.worker_url, "axis doctor"):
        pass  # that it connects is the check
    if alarmed:
        return [
            Check(
                "broker",
                Level.FAIL,
                f"RabbitMQ {version} takes no messages: it has an alarm",
                "free memory or disk where RabbitMQ runs; everything goes on by itself then",
            )
        ]
    return [Check("broker", Level.OK, f"RabbitMQ {version} answers, the workers' account can log in")]


async def database(settings: Settings) -> list[Check]:
    """Connect, which also asks for the migrations; then look at what waits and at the clock."""
    dsn = settings.operator_database
    async with connection(dsn, "axis doctor") as link:
        version = await link.fetchval("SHOW server_version")
        standbys = await link.fetchval("SHOW synchronous_standby_names")
        asked = dt.datetime.now(dt.UTC)
        theirs = await link.fetchval("SELECT clock_timestamp()")
        answered = dt.datetime.now(dt.UTC)
        as_owner = [record["application_name"] for record in await link.fetch(_AS_OWNER)]
    checks = [Check("database", Level.OK, f"PostgreSQL {version} answers"), _clock(asked, theirs, answered)]
    checks.append(_roles(as_owner))
    checks += _standby(dsn, standbys)
    try:
        async with Store.connect(dsn, name="axis doctor", connections=1) as store:
            held = sorted(await store.held_queues())
    except Misconfigured as error:
        return [
            *checks,
            Check("migrations", Level.FAIL, error.detail, "`axis database migrate` applies them"),
        ]
    checks.append(Check("migrations", Level.OK, "all of this program's are applied"))
    if held:
        checks.append(
            Check(
                "deliveries",
                Level.WARN,
                f"some are held for {few(held)}",
                "`axis track` says why; `axis topology apply` makes missing queues; the relay releases them by itself",
            )
        )
    else:
        checks.append(Check("deliveries", Level.OK, "none is held back"))
    return checks


def _roles(as_owner: Sequence[str]) -> Check:
    """Judge which of the axis's services work as the owner of the tables: such a one could alter everything."""
    if services := sorted(set(as_owner) & {f"axis {service}" for service in get_args(Service)}):
        remedy = "`axis database roles`, then each service its own address: docs/runbooks/certificates.md, step 7"
        return Check("roles", Level.WARN, f"they work as the owner of the database: {few(services)}", remedy)
    return Check("roles", Level.OK, "no service works as the owner of the database")


def _standby(dsn: str, standbys: str) -> list[Check]:
    """Look whether commits wait for the server that would take over, where there is one."""
    if len(split(dsn)) == 1:
        return []
    if standbys:
        return [Check("standby", Level.OK, f"commits wait for {standbys}")]
    said = "the database has several servers and commits wait for none: a failover loses what was answered last"
    return [Check("standby", Level.WARN, said, "set synchronous_standby_names on the server that takes writes")]


def _clock(asked: dt.datetime, theirs: dt.datetime, answered: dt.datetime) -> Check:
    """Judge the difference between the clocks; what the answer took on its way cannot be told apart from it."""
    ahead = max((asked - theirs).total_seconds(), (theirs - answered).total_seconds(), 0.0)
    level = Level.FAIL if ahead > _CLOCK_FAIL else Level.WARN if ahead > _CLOCK_WARN else Level.OK
    remedy = "" if level is Level.OK else "set both clocks by the same time server (chrony, systemd-timesyncd)"
    return Check("clock", level, f"this machine and the database differ by {ahead:.1f} s", remedy)


async def topology(settings: Settings) -> list[Check]:
    """Compare the broker with what the directory demands."""
    async with Store.connect(settings.operator_database, name="axis doctor", connections=1) as store:
        wanted = await wanted_topology(settings, store)
    async with management(settings) as api:
        changes = difference(wanted, await api.actual())
    conflicts = [change.text for change in changes if change.verb is Verb.CONFLICT]
    due = [change.text for change in changes if change.verb is not Verb.CONFLICT]
    if due:
        return [Check("topology", Level.FAIL, f"{len(due)} changes are due: {few(due)}", "`axis topology apply`")]
    if conflicts:
        return [
            Check("topology", Level.WARN, f"{len(conflicts)} things for a person: {few(conflicts)}", "decide by hand")
        ]
    return [Check("topology", Level.OK, f"{len(list(wanted.items()))} objects are as they have to be")]


async def workers(settings: Settings) -> list[Check]:
    """Ask the broker who consumes: a worker that hangs before its queue is seen too.

    Asked over AMQP, as the workers' account: the management API is some seconds behind.
    """
    queues = {
        "router": [route_queue(lane) for lane in LANES],
        "tracker": [TRACK_QUEUE],
        "relay": [QUARANTINE_QUEUE],
    }
    async with Link(settings.worker_url, "axis doctor") as link:
        states = await link.queue_states([name for names in queues.values() for name in names])
    return [_worker(worker, {name: states[name] for name in names}) for worker, names in queues.items()]


def _worker(worker: str, states: Mapping[str, tuple[int, int] | None]) -> Check:
    """Judge a worker by the queues it has to consume: name -> (consumers, messages ready), None when not there."""
    start = f"start it: `axis up`, or python -m workers {worker}"
    if absent := [name for name, state in states.items() if state is None]:
        return Check(
            worker, Level.FAIL, f"there is no queue {', '.join(absent)}", "`axis topology apply`, then `axis up`"
        )
    counted = {name: state for name, state in states.items() if state is not None}
    waiting = sum(ready for _, ready in counted.values())
    if without := [name for name, (consumers, _) in counted.items() if consumers == 0]:
        return Check(worker, Level.FAIL, f"nobody consumes {', '.join(without)}; {waiting} messages wait", start)
    told = ", ".join(f"{name}: {consumers}" for name, (consumers, _) in counted.items())
    return Check(worker, Level.OK, f"consumers of {told}; {waiting} messages wait")


async def log(settings: Settings) -> list[Check]:
    """Look whether every receipt of the last day is in the log, and the log is signed up to its end."""
    async with Store.connect(settings.operator_database, name="axis doctor", connections=1) as store:
        missing = await store.log.unlogged(_LOG_WITHIN, _LOG_BEHIND)
        head = await store.log.head()
    start = "start what writes it: `axis up`, or python -m workers notary"
    if missing:
        found = f"{missing} receipts of the last day are in no log though they are older than a minute"
        return [Check("log", Level.FAIL, found, start)]
    signed = head.latest
    if head.assigned > head.size and (signed is None or moments.now() - signed.signed_at > _LOG_BEHIND):
        found = f"{head.assigned - head.size} entries wait for a checkpoint"
        return [Check("log", Level.WARN, found, f"look into the notary's log: is the blob store away? Else {start}")]
    told = "is empty" if signed is None else f"{head.size} entries, signed {local_time(signed.signed_at)}"
    return [Check("log", Level.OK, told)]


async def gateway(settings: Settings) -> list[Check]:
    """Ask the gateway for its health."""
    if settings.gateway_url is None:
        return [
            Check(
                "gateway",
                Level.FAIL,
                "AXIS_GATEWAY_URL is not set",
                "set it to the gateway's address",
            )
        ]
    return [await _health("gateway", settings.gateway_url.rstrip("/"), "/v1/health", settings)]


async def console(settings: Settings) -> list[Check]:
    """Ask the console for its health where browsers reach it; without an address or a port nothing is known of it."""
    if settings.console_url is None and not settings.console_port:
        return []
    address = (settings.console_url or settings.console_address).rstrip("/")
    return [await _health("console", address, "/health", settings)]


async def _health(name: str, address: str, path: str, settings: Settings) -> Check:
    try:
        verify = settings.tls.context()
        async with httpx.AsyncClient(timeout=DEADLINE_SECONDS / 2, trust_env=False, verify=verify) as client:
            answer = await client.get(f"{address}{path}")
    except (httpx.HTTPError, ssl.SSLError) as error:
        refused = told(error, address)
        if refused is not None:
            raise refused from error
        found = f"{address} does not answer: {type(error).__name__}"
        return Check(name, Level.FAIL, found, f"start it: `axis up`, or python -m axis.{name}")
    if answer.status_code != httpx.codes.OK:
        found = f"{address} answers {answer.status_code}: {answer.text[:200]}"
        return Check(name, Level.FAIL, found, "what it names is away: database or blob store")
    return Check(name, Level.OK, f"{address} is healthy")


async def disk(settings: Settings) -> list[Check]:
    """Look at the space left where data and blobs are, as far as that is on this machine."""
    places = {"data": settings.home}
    blobs = urlsplit(settings.blobs)
    if blobs.scheme == "file":
        places["blobs"] = Path(unquote(blobs.path))
    return [await asyncio.to_thread(_space, f"disk ({name})", place) for name, place in places.items()]


def _space(name: str, place: Path) -> Check:
    existing = next(each for each in (place.absolute(), *place.absolute().parents) if each.exists())
    free = shutil.disk_usage(existing).free
    level = Level.FAIL if free < _DISK_FAIL else Level.WARN if free < _DISK_WARN else Level.OK
    return Check(name, level, f"{free / 1024**3:.1f} GiB free at {place}", "" if level is Level.OK else "make room")


LOOKS: tuple[tuple[str, Look], ...] = (
    ("encryption", encryption),
    ("broker", broker),
    ("database", database),
    ("topology", topology),
    ("workers", workers),
    ("auditor", check_findings),
    ("early recalls", early),
    ("log", log),
    ("gateway", gateway),
    ("console", console),
    ("certificates", certificates),
    ("disk", disk),
)
