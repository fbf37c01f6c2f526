"""Importing a list of organisations into the directory, and telling what became of every row."""

import asyncio
import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated

import typer

from axis.catalogue import CATALOGUE_START, ImportPlan, clean, load, read_rows
from axis.cli.console import print_json, print_table, say
from axis.errors import Malformed
from axis.settings import Settings
from axis.store import Counts, Store

CatalogueOption = Annotated[
    bool, typer.Option("--catalogue", help="The built-in ministries and provinces, with the closures of 2025.")
]


def import_organisations(file: Path | None, *, valid_from: dt.datetime | None, dry_run: bool, as_json: bool) -> None:
    """Import a file, or the built-in catalogue when there is none."""
    plan = (
        ImportPlan(accepted=load())
        if file is None
        else clean(read_rows(file), valid_from=valid_from or CATALOGUE_START)
    )
    counts = asyncio.run(_put(plan, dry_run=dry_run, source="catalogue" if file is None else file.name))
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "accepted": len(plan.accepted),
                "new": counts.new,
                "changed": counts.changed,
                "same": counts.same,
                "cleaned": plan.cleaned,
                "repeated": plan.repeated,
                "refused": plan.refused,
            }
        )
    else:
        _tell(plan, counts, dry_run=dry_run)
    if not plan.accepted:
        raise typer.Exit(Malformed.exit_code)


async def _put(plan: ImportPlan, *, dry_run: bool, source: str) -> Counts:
    async with Store.connect(Settings.load().operator_database, name="axis cli") as store:
        if dry_run:
            return await _would_put(store, plan)
        counts = await store.directory.put_organisations(plan.accepted)
        if counts.new or counts.changed:
            detail = {"new": counts.new, "changed": counts.changed, "refused": len(plan.refused)}
            await store.audit(getpass.getuser(), "agency.import", source, detail)
        return counts


async def _would_put(store: Store, plan: ImportPlan) -> Counts:
    organisations, _, _ = await store.directory.load()
    known = {(each.code, each.valid_from): each for each in organisations}
    found = [known.get((each.code, each.valid_from)) for each in plan.accepted]
    same = sum(before == each for before, each in zip(found, plan.accepted, strict=True))
    new = found.count(None)
    return Counts(new=new, changed=len(found) - new - same, same=same)


def _tell(plan: ImportPlan, counts: Counts, *, dry_run: bool) -> None:
    if plan.refused:
        rows = [(row.row_number, row.code, row.reason, row.raw[:100]) for row in plan.refused]
        print_table(("row", "code", "why", "as it is"), rows, title="refused")
        say("")
    if plan.repeated:
        say(f"repeated: {', '.join(f'row {row.row_number} says what row {row.first} does' for row in plan.repeated)}")
    would = "would be imported" if dry_run else "imported"
    say(
        f"{len(plan.accepted)} {would}: {counts.new} new, {counts.changed} changed, {counts.same} as they were; "
        f"{plan.cleaned} cleaned, {len(plan.repeated)} repeated, {len(plan.refused)} refused"
    )
