"""What the doctor finds: a level, a sentence, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_TOLD = 5


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's: what was looked at, what was found, what to do."""

    name: str
    level: Level
    found: str
    remedy: str = ""


def few(names: Sequence[str]) -> str:
    """Name the first few and count the rest."""
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more
