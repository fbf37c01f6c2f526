"""Play a scenario and account for it."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from axis.errors import AxisError
from axis.faults.account import Account, account, drain
from axis.faults.field import Field
from axis.faults.scenario import Budget, Scenario


@dataclass(frozen=True, slots=True)
class Played:
    """What one scenario did and what came of it. `skipped`: why it was not played; nothing is said then."""

    scenario: Scenario
    account: Account
    events: Mapping[str, int]
    seconds: float
    outage: float  # the longest time in which no document came to its end while agencies were sending, in seconds
    versions: Mapping[str, str]
    skipped: str = ""
    kept: Path | None = None  # where logs and data are, when something was found

    def to_json(self) -> dict[str, Any]:
        """Say it for machines."""
        found = self.account
        return {
            "scenario": self.scenario.number,
            "name": self.scenario.name,
            "title": self.scenario.title,
            "skipped": self.skipped or None,
            "events": dict(self.events),
            "sent": found.sent,
            "deliveries": found.deliveries,
            "statuses": found.statuses,
            "lost": found.lost,
            "doubled": found.doubled,
            "misordered": found.misordered,
            "unexplained": found.unexplained,
            "seconds": round(self.seconds, 1),
            "longest_outage": round(self.outage, 1),
            "findings": found.findings,
        }


async def play(scenario: Scenario, budget: Budget, *, seed: int) -> Played:
    """Open a field of the scenario's shape in a temporary folder, play there, drain, and account.

    The folder is removed unless something was found.
    """
    if (reason := scenario.impossible()) is not None:
        return Played(scenario, Account(), {}, 0.0, 0.0, {}, skipped=reason)
    place = Path(tempfile.mkdtemp(prefix=f"axis-faults-{scenario.name}-"))
    keep = False
    try:
        played = await _play_in(place, scenario, budget, seed)
        keep = not played.account.clean
        return replace(played, kept=place) if keep else played
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)


async def _play_in(place: Path, scenario: Scenario, budget: Budget, seed: int) -> Played:
    started = time.monotonic()
    try:
        async with Field.open(scenario.shape, seed=seed, folder=place) as field:
            found = await play_on(field, scenario, budget, seed=seed)
            outage = field.traffic.records.longest_outage
            versions = {"RabbitMQ": field.broker.version, "PostgreSQL": field.database.version}
            return Played(scenario, found, dict(field.events), time.monotonic() - started, outage, versions)
    except (AxisError, ExceptionGroup, OSError) as error:
        # One scenario that cannot even be accounted for must not keep the others from being played.
        failed = Account()
        failed.note("unexplained", [f"{scenario.name} could not be played to its end: {_words(error)}"])
        return Played(scenario, failed, {}, time.monotonic() - started, 0.0, {})


async def play_on(field: Field, scenario: Scenario, budget: Budget, *, seed: int) -> Account:
    """Play a scenario on a field that is open, drain, and account; traffic flows again afterwards."""
    await field.flowing()
    field.begin(budget)
    try:
        await scenario.play(field, Random(f"{seed} {scenario.name}"))
    except (AxisError, ExceptionGroup, OSError) as error:
        field.explain(f"{scenario.name} broke off: {_words(error)}")
    await field.flowing()
    await drain(field)
    found = await account(field)
    field.traffic.resume()
    return found


def _words(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_words(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}"
