"""Play a scenario and account for it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

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
    outage: float  # the longest time without any delivery while documents were sent, in seconds
    versions: Mapping[str, str]
    skipped: str = ""
    kept: Path | None = None  # where logs and data are, when something was found

    def to_json(self) -> dict[str, Any]:
        """Say it for machines."""
        return {
            "scenario": self.scenario.number,
            "name": self.scenario.name,
            "title": self.scenario.title,
            "skipped": self.skipped or None,
            "events": dict(self.events),
            "sent": self.account.sent,
            "deliveries": self.account.deliveries,
            "statuses": self.account.statuses,
            "lost": self.account.lost,
            "doubled": self.account.doubled,
            "misordered": self.account.misordered,
            "unexplained": self.account.unexplained,
            "seconds": round(self.seconds, 1),
            "longest_outage": round(self.outage, 1),
            "findings": self.account.findings,
        }


async def play(scenario: Scenario, budget: Budget, *, seed: int, folder: Path | None = None) -> Played:
    """Open a field of the scenario's shape, play it there, drain, and account."""
    started = time.monotonic()
    if (reason := scenario.impossible()) is not None:
        return Played(scenario, Account(), {}, 0.0, 0.0, {}, skipped=reason)
    async with Field.open(scenario.shape, seed=seed, folder=folder) as field:
        found = await play_on(field, scenario, budget, seed=seed)
        return Played(
            scenario,
            found,
            dict(field.events),
            time.monotonic() - started,
            field.traffic.records.longest_outage,
            {"RabbitMQ": field.broker.version, "PostgreSQL": field.database.version},
        )


async def play_on(field: Field, scenario: Scenario, budget: Budget, *, seed: int) -> Account:
    """Play a scenario on a field that is open, drain, and account; traffic flows again afterwards."""
    field.begin(budget)
    await field.flowing()
    await scenario.play(field, Random(f"{seed} {scenario.name}"))
    await field.flowing()
    await drain(field)
    found = await account(field)
    field.traffic.resume()
    return found
