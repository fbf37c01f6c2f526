"""The life of a delivery after it arrived: one table says what each reported status does.

The codes are those of the connection guide (schemas.StatusCode). A recipient normally goes 01 arrived, 03 accepted,
04 assigned, 05 in process, 06 finished, and may leave steps out. 02 refused ends the life from any step before the
end: a recipient that accepted first and sends the document back later says something the sender must not miss.
After 02 the sender corrects and sends a new envelope; after 06 nothing is left to do.

Statuses come late, twice and in any order, so each of them has one of four effects:

- advanced: the delivery is now in the state reported;
- repeated: it was there already;
- late: it is further on, or at its end; the status is recorded and changes nothing;
- noted: the status is not about progress (13 take back, 15 agreed, 16 declined); it is recorded beside the state.

Hence a delivery never moves backwards, and the same set of statuses leads to the same state in whatever order they
come, with one exception that nobody can heal: 02 and 06 contradict each other, and the first to come stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from schemas import StatusCode


class Effect(StrEnum):
    """What a reported status does to the delivery."""

    ADVANCED = "advanced"
    REPEATED = "repeated"
    LATE = "late"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Step:
    """The effect of one status, and the state after it (None: nothing about progress was reported yet)."""

    effect: Effect
    current: StatusCode | None


# Rows: the state before ("--": nothing reported). Columns: the status reported.
_TABLE = """
        01        02        03        04        05        06        13     15     16
--   advanced  advanced  advanced  advanced  advanced  advanced  noted  noted  noted
01   repeated  advanced  advanced  advanced  advanced  advanced  noted  noted  noted
03   late      advanced  repeated  advanced  advanced  advanced  noted  noted  noted
04   late      advanced  late      repeated  advanced  advanced  noted  noted  noted
05   late      advanced  late      late      repeated  advanced  noted  noted  noted
02   late      repeated  late      late      late      late      noted  noted  noted
06   late      late      late      late      late      repeated  noted  noted  noted
"""


def _read(table: str) -> Mapping[StatusCode | None, Mapping[StatusCode, Effect]]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    reported = [StatusCode(code) for code in head]
    return MappingProxyType(
        {
            None if before == "--" else StatusCode(before): MappingProxyType(
                dict(zip(reported, map(Effect, effects), strict=True))
            )
            for before, *effects in rows
        }
    )


TRANSITIONS: Mapping[StatusCode | None, Mapping[StatusCode, Effect]] = _read(_TABLE)


def apply(current: StatusCode | None, incoming: StatusCode) -> Step:
    """Return what a reported status does to a delivery in state `current`. Never raises for two status codes."""
    # 13, 15 and 16 are never a state; a store that says so is answered with "noted", not with an exception.
    effect = TRANSITIONS.get(current, {}).get(incoming, Effect.NOTED)
    return Step(effect, incoming if effect is Effect.ADVANCED else current)


def is_final(state: StatusCode | None) -> bool:
    """Say whether no status can move the delivery any more."""
    return Effect.ADVANCED not in TRANSITIONS.get(state, {}).values()


def diagram() -> str:
    """Draw the table as a Mermaid state diagram; effects that leave the state as it is are not drawn."""
    lines = ["stateDiagram-v2"]
    states = [state for state in TRANSITIONS if state is not None]
    lines += [f"    s{state.value} : {state.value} {state.name.lower().replace('_', ' ')}" for state in states]
    for before, row in TRANSITIONS.items():
        lines += [
            f"    {_node(before)} --> {_node(reported)}"
            for reported, effect in row.items()
            if effect is Effect.ADVANCED
        ]
    lines += [f"    {_node(state)} --> [*]" for state in states if is_final(state)]
    return "\n".join(lines) + "\n"


def _node(state: StatusCode | None) -> str:
    return "[*]" if state is None else f"s{state.value}"
