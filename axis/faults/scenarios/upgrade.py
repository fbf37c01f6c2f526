"""A new version is rolled out under traffic: migrations while the old one works, then workers one by one."""

import asyncio
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from random import Random

import asyncpg

from axis.errors import AxisError
from axis.faults.field import Field
from axis.faults.fleet import WorkerProcess
from axis.faults.scenario import Scenario, Shape
from axis.store import migrate
from axis.store.migrating import Migration, packaged

_TABLES = ("envelope", "delivery", "notice", "status_event", "quarantine", "attachment", "organisation", "certificate")
_PACKAGES = ("axis", "schemas", "workers")
# Far beyond what a release will ever reach: numbers have four digits.
_FIRST = 9_000
_BREATH_SECONDS = 0.3
_CONFIG_EXIT = 78


class Release:
    """The program of a version to come: a copy of this one with one migration more."""

    def __init__(self, folder: Path, migrations: list[Migration]) -> None:
        self.folder = folder
        self.migrations = migrations

    def argv(self, kind: str) -> tuple[str, ...]:
        """Return how its worker is started."""
        return ("/usr/bin/env", f"PYTHONPATH={self.folder}", sys.executable, "-m", "workers", kind)


async def _play(field: Field, random: Random) -> None:
    known = list(packaged())
    folder = field.folder / "release"
    await asyncio.to_thread(_copy_program, folder)
    number = _FIRST
    while not field.over():
        await _fail_half_way(field, known, number)
        migration = _additive(random, number)
        await asyncio.to_thread(_add, folder, migration)
        release = Release(folder, [*known, migration])
        await _is_refused_too_early(field, release, random)
        await _migrate(field, release)
        known = release.migrations
        await field.flowing()  # the old version goes on with the new tables
        await _restart_old(field, random)
        await _roll(field, release, random)
        number += 1
    await _roll_back(field)


async def _fail_half_way(field: Field, known: list[Migration], number: int) -> None:
    """Apply a migration whose end fails: nothing of it may stay."""
    field.event("migration failed half way")
    bad = Migration(
        number, f"{number}_bad", "CREATE TABLE half (id integer); ALTER TABLE envelope ADD half text; SELECT 1/0;"
    )
    try:
        await migrate(field.database.url, migrations=[*known, bad])
    except asyncpg.DivisionByZeroError:
        pass
    else:
        field.explain("a migration that fails was taken for one that does not")
    (left,) = await field.database.execute(
        "SELECT to_regclass('half') IS NOT NULL"
        " OR EXISTS (SELECT FROM information_schema.columns WHERE column_name = 'half')"
        " OR EXISTS (SELECT FROM axis_migration WHERE number = $1) AS anything",
        number,
    )
    if left["anything"]:
        field.explain("a migration that failed left something behind")


async def _is_refused_too_early(field: Field, release: Release, random: Random) -> None:
    """Start a new worker before its migration: it has to say so and end, and to disturb nobody."""
    kind = random.choice([worker.kind for worker in field.workers])
    field.event("new worker before its migration", worker=kind)
    early = WorkerProcess.start(kind, field.environment, field.folder, argv=release.argv(kind))
    try:
        code = await early.wait()
        if code != _CONFIG_EXIT or b"lacks migration" not in early.log.read_bytes():
            field.explain(f"a {kind} without its migration ended with {code}: {early.log}")
    finally:
        await early.close()


async def _migrate(field: Field, release: Release) -> None:
    """Apply the migration twice at once, under traffic."""
    field.event("migrated, twice at once")
    url = field.database.url
    applied = await asyncio.gather(*(migrate(url, migrations=release.migrations) for _ in range(2)))
    names = [name for names in applied for name in names]
    if names != [release.migrations[-1].name]:
        field.explain(f"two migrations at once applied {names}")


async def _restart_old(field: Field, random: Random) -> None:
    """Start a worker of the old version anew on the new tables, as after a crash in the middle of a rollout."""
    worker = random.choice(field.workers)
    field.event("old worker started anew", worker=worker.kind)
    await field.kill_worker(worker)
    await field.start_worker(worker.kind)


async def _roll(field: Field, release: Release, random: Random) -> None:
    """Replace every worker by one of the new version, one after the other."""
    for worker in random.sample(field.workers, len(field.workers)):
        field.event("worker replaced", worker=worker.kind)
        await field.start_worker(worker.kind, argv=release.argv(worker.kind))
        code = await field.stop_worker(worker)
        if code != 0:
            field.explain(f"a {worker.kind} that was drained ended with {code}")
        await field.calm(_BREATH_SECONDS)
    await field.flowing()


async def _roll_back(field: Field) -> None:
    """Go back to the old version on the new tables, all at once."""
    before = list(field.workers)
    await field.start_workers([worker.kind for worker in before])
    for worker in before:
        try:
            await field.stop_worker(worker)
        except AxisError as error:
            field.explain(f"a {worker.kind} did not end: {error}")


def _additive(random: Random, number: int) -> Migration:
    tables = random.sample(_TABLES, 3)
    lines = [f"ALTER TABLE {table} ADD COLUMN note_{number} text;" for table in tables]
    lines.append(f"CREATE INDEX by_note_{number} ON {tables[0]} (note_{number});")
    lines.append(f"CREATE TABLE later_{number} (id integer PRIMARY KEY);")
    return Migration(number, f"{number}_later", "\n".join(lines) + "\n")


def _copy_program(folder: Path) -> None:
    for name in _PACKAGES:
        found = find_spec(name)
        for place in (found and found.submodule_search_locations) or ():
            shutil.copytree(place, folder / name)


def _add(folder: Path, migration: Migration) -> None:
    (folder / "axis" / "store" / "migrations" / f"{migration.name}.sql").write_text(migration.text, encoding="utf-8")


SCENARIO = Scenario(
    number=11,
    name="upgrade",
    title="Migrations under traffic, old and new workers side by side, one replaced after the other",
    play=_play,
    shape=Shape(routers=2),
)
