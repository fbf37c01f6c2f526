"""`axis findings`: what the auditor found, and what to do about it."""

import asyncio
import datetime as dt
from typing import Annotated, Any

import typer

from axis.cli import moments
from axis.cli.console import JsonOption, local_time, print_json, say, speaks_vietnamese
from axis.cli.findings import Check, Level, few
from axis.core.glance import is_stale
from axis.core.watching import Finding, Kind, MailboxWatch
from axis.settings import Settings
from axis.store import Store

_START = "start it: `axis up`, or python -m workers auditor"


def findings(
    *,
    healed: Annotated[bool, typer.Option("--healed", help="Those that are healed, the last first.")] = False,
    kind: Annotated[Kind | None, typer.Option(help="Only of this kind.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Show what the auditor found: stuck, missing, doubled, or not at the broker; with what to do about each.

    What it heals by itself is a queue or a binding that was lost, and what the relay should have published long ago.
    Everything else it only names. A document that was taken in silence looks like one that was lost: such a finding is
    called a suspicion.

    For example:

      axis findings

      axis findings --kind missing --json

      axis findings --healed --limit 20

    Exit code 0: nothing is wrong, or --healed; 1: something is; 69: the database is away, or nobody is looking.
    """
    settings = Settings.load()
    found, looked_at = asyncio.run(_read(settings, healed=healed, limit=limit, kind=kind))
    stale = is_stale(looked_at, moments.now(), settings.watch_seconds)
    if as_json:
        print_json({"looked_at": looked_at, "stale": stale, "findings": [plain(each) for each in found]})
    else:
        for each in found:
            _tell(each)
        if not found:
            say("nothing is healed yet" if healed else "nothing found")
        say(f"last look {local_time(looked_at)}" + (f": nobody is looking; {_START}" if stale else ""))
    if healed:
        return
    if stale:
        raise typer.Exit(69)
    if found:
        raise typer.Exit(1)


async def check(settings: Settings) -> list[Check]:
    """Judge, for the doctor, what the auditor found and whether it is looking."""
    found, looked_at = await _read(settings, healed=False, limit=1_000, kind=None)
    if is_stale(looked_at, moments.now(), settings.watch_seconds):
        told = "has never looked" if looked_at is None else f"looked last at {local_time(looked_at)}"
        return [Check("auditor", Level.FAIL, told, _START)]
    if not found:
        return [Check("auditor", Level.OK, f"nothing is stuck, missing or doubled; looked at {local_time(looked_at)}")]
    subjects = [f"{each.kind.value} {each.subject}" for each in found]
    return [Check("auditor", Level.WARN, f"{len(found)} found: {few(subjects)}", "`axis findings` says what to do")]


def plain(finding: Finding) -> dict[str, Any]:
    """Say a finding as values for JSON."""
    return {
        "kind": finding.kind,
        "cause": finding.cause,
        "subject": finding.subject,
        "mailbox": finding.mailbox,
        "since": finding.since,
        "count": finding.count,
        "about": finding.about,
        "detail": finding.detail,
        "detail_vi": finding.detail_vi,
        "remedy": finding.remedy,
        "remedy_vi": finding.remedy_vi,
        "healed_at": finding.healed_at,
        "healed": finding.healed,
    }


async def _read(
    settings: Settings, *, healed: bool, limit: int, kind: Kind | None
) -> tuple[list[Finding], dt.datetime | None]:
    async with Store.connect(settings.operator_database, name="axis findings", connections=1) as store:
        found = await store.watches.findings(open=not healed, limit=limit if kind is None else 10_000)
        watches: tuple[MailboxWatch, ...] = await store.watches.watches()
    looked_at = max((each.seen_at for each in watches), default=None)
    return [each for each in found if kind is None or each.kind is kind][:limit], looked_at


def _tell(finding: Finding) -> None:
    vietnamese = speaks_vietnamese()
    detail = finding.detail_vi if vietnamese else finding.detail
    say(f"{finding.kind.value:<9} {detail}")
    if finding.healed_at is None:
        say(f"{'':<9} → {finding.remedy_vi if vietnamese else finding.remedy}")
    else:
        say(f"{'':<9} healed {local_time(finding.healed_at)} by {finding.healed}")
