"""Store and broker of different age: one of them is brought back from a copy, or empty, while the other went on.

The operator's part is that of docs/runbooks/restore.md, and the agencies do what the audit's answer asks them for.
"""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from axis.client import NotConfirmed
from axis.core.ids import time_of
from axis.errors import Unavailable
from axis.faults.account import drain
from axis.faults.field import Field
from axis.faults.fleet import drained
from axis.faults.members import apply_topology, utc_now
from axis.faults.records import Document, Said
from axis.faults.scenario import Scenario, Shape
from axis.local.programs import find_postgres
from axis.store import Store

_AXIS = "from axis.cli import main; main()"
_PROGRAM_SECONDS = 120.0
_THROUGH_SECONDS = 120.0
_AT_ONCE = 50
_LEFT_TO_AGENCIES = {"envelope-missing", "status-alone"}  # gaps that sending again closes


async def database_brought_back(field: Field, random: Random) -> None:
    """Bring the database back from a copy made under traffic; the broker has gone on."""
    away = random.choice(field.traffic.codes)
    await _dump(field)
    await field.calm(random.uniform(1.0, 2.0))
    # What an agency that is away has waiting is what can be seen; the others have taken theirs.
    await _shut_out(field, away)
    await field.calm(random.uniform(2.0, 3.0))
    kinds = await _stop_workers(field)
    field.event("database brought back from a copy", away=away)
    await _restore(field)
    told = await _audit(field, "database")
    await _let_in(field, away)
    # Statuses about what the store has forgotten would be refused: the trackers wait until it is sent again.
    await field.start_workers([kind for kind in kinds if kind != "tracker"])
    await field.consumed()
    since = told.get("at_risk", [{}])[0].get("since", "")
    documents = [each for each in field.traffic.records.documents.values() if _made(each.id) >= since]
    await _send_again(field, documents)
    await _await_stored(field, [each for each in documents if each.confirmed])
    await field.start_workers([kind for kind in kinds if kind == "tracker"])
    await _report_again(field, since)
    await _settle(field, documents)


async def broker_brought_back(field: Field, random: Random) -> None:
    """Bring the broker's data back from a copy of its stopped node; the store has gone on."""
    asleep = random.choice(field.traffic.codes)
    field.traffic.stop_reading(asleep)
    await field.calm(random.uniform(1.0, 2.0))
    data, copy = _broker_data(field), field.folder / "broker-copy"
    await field.broker.stop()
    since = utc_now().isoformat()
    await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
    await _run("cp", "-a", str(data), str(copy))
    await field.broker.start()
    await field.flowing(without=[asleep])
    await field.calm(random.uniform(1.0, 3.0))

    async def bring_back() -> None:
        await asyncio.to_thread(shutil.rmtree, data)
        await _run("cp", "-a", str(copy), str(data))
        await field.broker.start()

    await _replace_broker(field, "broker brought back from a copy", since, bring_back, asleep)


async def broker_emptied(field: Field, random: Random) -> None:
    """Let the broker come back without any data; the store has gone on."""
    asleep = random.choice(field.traffic.codes)
    field.traffic.stop_reading(asleep)
    await field.calm(random.uniform(2.0, 4.0))

    async def bring_back() -> None:
        await asyncio.to_thread(shutil.rmtree, _broker_data(field))
        await field.broker.start()
        async with Store.connect(field.database.url, name="faults") as store:
            await apply_topology(store, field.broker.amqp_url, field.broker.api_url)
        await field.broker.settled()

    # Whatever was ever delivered may have waited there.
    await _replace_broker(field, "broker came back empty", "2020-01-01", bring_back, asleep)


async def _replace_broker(
    field: Field, kind: str, since: str, bring_back: Callable[[], Awaitable[None]], asleep: str
) -> None:
    kinds = await _stop_workers(field)
    await field.broker.kill()  # what it has is lost in any case
    field.event(kind, asleep=asleep)
    await bring_back()
    await _audit(field, "broker", "--since", since)
    field.traffic.read(asleep)
    await field.start_workers(kinds)
    documents = [each for each in field.traffic.records.documents.values() if each.confirmed and not each.receipts]
    await _send_again(field, documents)
    await _report_again(field, since)
    await _settle(field, documents)


# The operator


async def _stop_workers(field: Field) -> list[str]:
    kinds = [worker.kind for worker in field.workers]
    for worker, code in (await drained(field.workers)).items():
        if code != 0:
            field.explain(f"{worker.log.stem} ended with {code} after SIGTERM, see {worker.log}")
    field.workers.clear()
    return kinds


async def _dump(field: Field) -> None:
    await _run(
        *(field.database.programs.program("pg_dump"), "--format=custom", "--compress=0"),
        *(f"--file={field.folder / 'axis.dump'}", field.database.url),
    )


async def _restore(field: Field) -> None:
    name = urlsplit(field.database.url).path.lstrip("/")
    await _administer(field, 'DROP DATABASE IF EXISTS "brought_back"', 'CREATE DATABASE "brought_back"')
    restore = field.database.programs.program("pg_restore")
    await _run(
        restore, f"--dbname={_beside(field, 'brought_back')}", "--exit-on-error", str(field.folder / "axis.dump")
    )
    await _administer(
        field, f'DROP DATABASE "{name}" WITH (FORCE)', f'ALTER DATABASE "brought_back" RENAME TO "{name}"'
    )


async def _administer(field: Field, *statements: str) -> None:
    link = await asyncpg.connect(_beside(field, "postgres"), timeout=30.0, command_timeout=60.0)
    try:
        for statement in statements:
            await link.execute(statement)
    finally:
        await link.close(timeout=10.0)


def _beside(field: Field, name: str) -> str:
    return urlunsplit(urlsplit(field.database.url)._replace(path=f"/{name}"))


def _broker_data(field: Field) -> Path:
    return Path(field.broker.record.data) / "rabbitmq" / "data"


async def _shut_out(field: Field, code: str) -> None:
    """Keep an agency's programs away, as an operator can."""
    await field.broker.api("PUT", f"user-limits/{code}/max-connections", {"value": 0})
    end = time.monotonic() + _PROGRAM_SECONDS
    while theirs := [each for each in await field.broker.api("GET", "connections") or [] if each.get("user") == code]:
        if time.monotonic() > end:
            raise Unavailable(f"the broker does not close the connections of {code}")
        for each in theirs:
            await field.broker.close_connection(each["name"])
        await asyncio.sleep(0.1)


async def _let_in(field: Field, code: str) -> None:
    await field.broker.api("DELETE", f"user-limits/{code}/max-connections")


async def _audit(field: Field, restored: str, *options: str) -> dict[str, Any]:
    """Apply twice: what is named has to be what agencies can mend, and the second time has to find nothing to do."""
    first = await _apply(field, "--restored", restored, *options)
    if odd := [gap for gap in first.get("gaps", ()) if gap["problem"] not in _LEFT_TO_AGENCIES]:
        field.explain(f"the audit could not bring together {odd[:3]}, {len(odd)} in all")
    again = await _apply(field, "--restored", restored, *options)
    if again.get("done") != {}:
        field.explain(f"applied a second time, the audit did {again.get('done')} after {first.get('done')}")
    return first


async def _apply(field: Field, *options: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _AXIS, "audit", "apply", "--json", *options),
        env={**os.environ, **field.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await _output(process, "axis audit apply")
    try:
        answer: dict[str, Any] = json.loads(out)
    except ValueError:
        field.explain(f"axis audit apply ended with {process.returncode}: {err.decode(errors='replace')[-500:]}")
        return {}
    if "error" in answer:
        field.explain(f"axis audit apply: {answer['error']}")
        return {}
    field.note("audit", planned=answer["planned"], done=answer["done"])
    return answer


async def _run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, err = await _output(process, argv[0])
    if process.returncode != 0:
        raise Unavailable(f"{argv[0]} failed: {err.decode(errors='replace')[-500:]}")


async def _output(process: asyncio.subprocess.Process, what: str) -> tuple[bytes, bytes]:
    try:
        async with asyncio.timeout(_PROGRAM_SECONDS):
            return await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Unavailable(f"{what} did not end within {_PROGRAM_SECONDS:g} s") from None


# The agencies


async def _send_again(field: Field, documents: Iterable[Document]) -> None:
    async def send(document: Document) -> None:
        try:
            await field.traffic.agencies[document.account].send_again(document.id)
        except NotConfirmed:
            return  # kept, and sent until it is

    await _each(sorted(documents, key=lambda each: each.id), send)


async def _report_again(field: Field, since: str) -> None:
    async def report(place: tuple[str, str]) -> None:
        account, envelope = place
        await field.traffic.agencies[account].report_again(envelope)

    said: list[Said] = [each for each in field.traffic.records.statuses.values() if _made(each.id) >= since]
    await _each(sorted({(each.reporter.partition(".")[0], each.envelope) for each in said}), report)


async def _each(items: list[Any], act: Callable[[Any], Awaitable[None]]) -> None:
    for start in range(0, len(items), _AT_ONCE):
        async with asyncio.TaskGroup() as group:
            for item in items[start : start + _AT_ONCE]:
                group.create_task(_once(act, item))


async def _once(act: Callable[[Any], Awaitable[None]], item: Any) -> None:
    await act(item)


async def _await_stored(field: Field, documents: list[Document]) -> None:
    ids = [each.id for each in documents]
    end = time.monotonic() + _THROUGH_SECONDS
    while True:
        (row,) = await field.database.execute("SELECT count(*) AS n FROM envelope WHERE id = ANY ($1::uuid[])", ids)
        if row["n"] == len(ids):
            return
        if time.monotonic() > end:
            field.explain(f"{len(ids) - row['n']} of {len(ids)} documents sent again are not in the store")
            return
        await asyncio.sleep(0.2)


async def _settle(field: Field, again: list[Document]) -> None:
    """Let everything come through; a document sent again may be answered again, in the same words."""
    await drain(field)
    for document in again:
        document.receipts = list(dict.fromkeys(document.receipts))
    field.traffic.resume()


def _made(identifier: str) -> str:
    return time_of(identifier).isoformat()


async def _play(field: Field, random: Random) -> None:
    ways = [database_brought_back, broker_brought_back, broker_emptied]
    random.shuffle(ways)
    while not field.over():
        ways.append(way := ways.pop(0))
        await way(field, random)
        await field.flowing()


def _impossible() -> str | None:
    found = find_postgres()
    if found is None or not Path(found.program("pg_dump")).exists() or not Path(found.program("pg_restore")).exists():
        return "PostgreSQL's pg_dump and pg_restore are not on this machine"
    return None


SCENARIO = Scenario(
    number=12,
    name="restore",
    title="Database or broker brought back from a copy, or the broker empty, while the other went on",
    play=_play,
    shape=Shape(rate=60.0, limit=300),  # everything since the copy is sent twice
    impossible=_impossible,
)
