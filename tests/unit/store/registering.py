"""Keeping a register in tests: a calendar of their own, and everything registered at a call."""

from axis.core.deadlines import Deadlines, DocumentFacts, Pause, Targets, deadlines
from axis.core.register import Reckon, register
from axis.core.workdays import Calendar
from axis.store import Store

CALENDAR = Calendar()


def reckon(facts: DocumentFacts, pauses: tuple[Pause, ...]) -> Deadlines:
    return deadlines(facts, pauses, CALENDAR, Targets())


async def keep(store: Store, reckoning: Reckon = reckon, batch: int = 500) -> int:
    """Register all there is; return in how many steps."""
    steps = 0
    while await store.register.keep(batch, lambda subjects: [register(each, reckoning) for each in subjects]):
        steps += 1
    return steps
