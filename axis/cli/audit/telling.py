"""What is said of two sides that were compared, and how a command about them ends."""

from typing import Any

import typer

from axis.cli.audit.looking import Looked, unique
from axis.cli.console import local_time, print_json, say, utc_time
from axis.core.audit import Plan, counted

KEPT = 1000  # gaps in the audit table's entry; all of them are in the answer

_TO_DO = 3
_TOLD = 50


def plain(looked: Looked, *, gaps: int | None = None) -> dict[str, Any]:
    """Say what was found as values for JSON; `gaps`: at most so many of them."""
    plan, found = looked.plan, unique(looked.plan.gaps)
    return {
        "since": utc_time(looked.window.since),
        "until": utc_time(looked.window.until),
        "newest_in_store": None if looked.newest is None else utc_time(looked.newest),
        "queues": looked.queues,
        "messages": looked.messages,
        "workers_running": list(looked.working),
        "planned": dict(counted(plan)),
        "gaps": [
            {"problem": g.problem.value, "id": g.id, "mailbox": g.mailbox, "detail": g.detail, "remedy": g.remedy}
            for g in found[:gaps]
        ],
        "at_risk": [
            {
                "side": risk.side.value,
                "since": utc_time(risk.since),
                "first_unknown": None if risk.first_unknown is None else utc_time(risk.first_unknown),
                "last_unknown": None if risk.last_unknown is None else utc_time(risk.last_unknown),
                "ask": list(risk.ask),
            }
            for risk in plan.risks
        ],
    }


def show(looked: Looked, done: dict[str, int] | None, *, as_json: bool) -> None:
    """Say what was found and, where it was, what was done."""
    plan = looked.plan
    if as_json:
        print_json({**plain(looked), "steps": list(plan.steps()), **({} if done is None else {"done": done})})
        return
    say(f"{looked.messages} messages seen in {looked.queues} queues; the store's newest: {local_time(looked.newest)}")
    steps = list(plan.steps())
    for step in steps[:_TOLD]:
        say(f"{step.action.value} {step.id} ({', '.join(step.mailboxes)}): {step.reason}")
    _more(len(steps), "steps")
    gaps = unique(plan.gaps)
    for gap in gaps[:_TOLD]:
        say(f"cannot be brought together: {gap.problem.value} {gap.id} ({gap.mailbox}): {gap.detail}. {gap.remedy}")
    _more(len(gaps), "gaps")
    for risk in plan.risks:
        say(f"the {risk.side.value} was an old one: nobody may know all that happened since {local_time(risk.since)}")
        if risk.first_unknown is not None:
            say(f"  seen of that time: {local_time(risk.first_unknown)} to {local_time(risk.last_unknown)}")
        for ask in risk.ask:
            say(f"  ask {ask}")
    counts = [f"{count} × {name}" for name, count in (counted(plan) if done is None else done).items() if count]
    verb = "to do" if done is None else "done"
    say(f"{verb}: {', '.join(counts)}" if counts else "store and broker know the same: nothing to do")


def _more(count: int, what: str) -> None:
    if count > _TOLD:
        say(f"… {count} {what} in all; --json lists them")


def end(plan: Plan, *, to_do: bool) -> None:
    """End with the exit code that says what is left."""
    if not plan.complete:
        raise typer.Exit(1)
    if to_do:
        raise typer.Exit(_TO_DO)
