"""What is said between a sender and one recipient about a recall, an update or a replacement: one table.

A conversation begins with an envelope that acts on an earlier one, or with status 13 (take back), and is had with each
recipient alone. What comes after is said by the recipient:

- 16: it declines, with a reason;
- 15: it agrees;
- 15 with `destroyed`: the copy is destroyed (QĐ 28/2018 article 9.2); only a recall and a take-back ask for it, so
  for an update or a replacement this is an agreement like any other;
- 15 with `destroyed.untaken`: the document was still in the mailbox, and nobody has seen it. The axis says the same of
  a document that it still held.

The states stand in the order of how much has been done, and a conversation only moves forward: declined, agreed,
withdrawn, destroyed. Whoever declined may still agree; whoever agreed cannot decline any more, what it says then is
recorded and changes nothing. So the same set of statuses leads to the same state in whatever order they come.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from axis.core.lifecycle import Effect
from schemas import Action, Status, StatusCode


class Kind(StrEnum):
    """What is asked."""

    RECALL = "recall"
    UPDATE = "update"
    REPLACE = "replace"
    TAKE_BACK = "take back"

    @property
    def destroys(self) -> bool:
        """Whether the recipient is to destroy its copy."""
        return self in {Kind.RECALL, Kind.TAKE_BACK}


class Talk(StrEnum):
    """How far a conversation is, and what moves it there."""

    REQUESTED = "requested"
    DECLINED = "declined"
    AGREED = "agreed"
    WITHDRAWN = "withdrawn"
    DESTROYED = "destroyed"


# Rows: the state before ("--": nothing was asked). Columns: what is said.
_TABLE = """
           requested  declined  agreed    withdrawn  destroyed
--         advanced   advanced  advanced  advanced   advanced
requested  repeated   advanced  advanced  advanced   advanced
declined   late       repeated  advanced  advanced   advanced
agreed     late       late      repeated  advanced   advanced
withdrawn  late       late      late      repeated   advanced
destroyed  late       late      late      late       repeated
"""


def _read(table: str) -> Mapping[Talk | None, Mapping[Talk, Effect]]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    said = [Talk(each) for each in head]
    return MappingProxyType(
        {
            None if before == "--" else Talk(before): MappingProxyType(
                dict(zip(said, map(Effect, effects), strict=True))
            )
            for before, *effects in rows
        }
    )


TRANSITIONS: Mapping[Talk | None, Mapping[Talk, Effect]] = _read(_TABLE)


@dataclass(frozen=True, slots=True)
class Conversation:
    """How a conversation with one recipient stands.

    `request` is the envelope that asks, and for a take-back the document itself; `about` is the document. `recipient`
    is as addressed in the request, `original` as addressed in the document: None for one that it was never sent to.
    """

    request: str
    about: str
    recipient: str
    original: str | None
    kind: Kind
    state: Talk
    requested_at: dt.datetime
    requested_by: str
    reason: str | None = None
    answered_at: dt.datetime | None = None
    answered_by: str | None = None
    answer: str | None = None
    destroyed_at: dt.datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the others."""
        return self.request, self.recipient

    @property
    def freezes(self) -> bool:
        """Whether the document is recalled from this recipient: asked by an envelope, or given back on request."""
        return self.kind is Kind.RECALL or (self.kind is Kind.TAKE_BACK and self.state in _GIVEN_BACK)

    def hear(self, status: Status, at: dt.datetime) -> "Conversation":
        """Return how it stands after an answer (15, 16) that came at a time; of what came late nothing stays."""
        said = said_by(status, self.kind)
        if TRANSITIONS[self.state][said] is not Effect.ADVANCED:
            return self
        heard = replace(self, state=said)
        if said in {Talk.DESTROYED, Talk.WITHDRAWN}:
            heard = replace(heard, destroyed_at=at if status.destroyed is None else status.destroyed.at)
            if self.state is Talk.AGREED:  # it is the agreement that people want to see
                return heard
        return replace(heard, answered_at=at, answered_by=status.reporter, answer=status.reason)


def said_by(status: Status, kind: Kind) -> Talk:
    """Say what an answer does."""
    if status.code is StatusCode.DECLINED:
        return Talk.DECLINED
    if status.destroyed is None or not kind.destroys:
        return Talk.AGREED
    return Talk.WITHDRAWN if status.destroyed.untaken else Talk.DESTROYED


def kind_of(action: Action) -> Kind:
    """Name what an envelope asks; not for a new document."""
    return Kind(action.value)


def is_final(state: Talk | None) -> bool:
    """Say whether nothing can move a conversation any more."""
    return Effect.ADVANCED not in TRANSITIONS[state].values()


def diagram() -> str:
    """Draw the table as a Mermaid state diagram; what leaves the state as it is is not drawn.

    Nobody answers before being asked, so the ways from nothing to an answer are left out as well.
    """
    lines = ["stateDiagram-v2", f"    [*] --> {Talk.REQUESTED}"]
    for before, row in TRANSITIONS.items():
        if before is not None:
            lines += [f"    {before} --> {said}" for said, effect in row.items() if effect is Effect.ADVANCED]
    lines += [f"    {state} --> [*]" for state in Talk if is_final(state)]
    return "\n".join(lines) + "\n"


_GIVEN_BACK = frozenset({Talk.AGREED, Talk.WITHDRAWN, Talk.DESTROYED})
