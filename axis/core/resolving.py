"""From the code a sender wrote to the mailbox that gets the document, as of a date, with every step in words.

Two questions are asked, each answered by one rule after the other.

Which organisation is meant?
  in force      The code is known and in force: it is meant itself.
  successor     It is closed: its successor is meant, where one is named and forwarding is allowed.
  open below    It is unknown below a known organisation that takes such documents ("open"): that organisation is
                meant. Below all others a unit has to be registered.

Which mailbox is its?
  mailbox       It has one.
  mailbox above The nearest organisation above it that has one. When an organisation on the way up is closed, its
                successor took over the units below as well, and the questions begin again with the successor; a closed
                organisation without one is passed over, and never receives: its mailbox may still be there, for
                reading what came before.

Whatever cannot be answered ends in a refusal with a stable code. Each question leads to a successor not asked about
before, or up, so this always ends, even where successors were entered in a circle.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from types import MappingProxyType

from axis.core.codes import lineage
from axis.core.directory import Directory
from axis.core.workdays import vietnam_day
from schemas import Organisation, UnknownBelow

# Organisations merge every few years; a longer chain is a mistake in the directory.
MAX_SUCCESSORS = 8
_MAX_DETAIL = 2_000  # characters, of the receipt's schema


class Rule(StrEnum):
    """The rule a step followed, or the one it failed by."""

    IN_FORCE = "in force"
    SUCCESSOR = "successor"
    OPEN_BELOW = "open below"
    MAILBOX = "mailbox"
    MAILBOX_ABOVE = "mailbox above"
    UNKNOWN = "unknown"
    NOT_REGISTERED = "not registered"
    NOT_YET_VALID = "not yet valid"
    CLOSED = "closed"
    NO_MAILBOX = "no mailbox"


class How(StrEnum):
    """How a step came out, exactly: each is one sentence, in WORDS and in the console's texts."""

    IN_FORCE = "in force"
    SUCCESSOR = "successor"
    SUCCESSOR_ABOVE = "successor above"
    OPEN_BELOW = "open below"
    MAILBOX = "mailbox"
    MAILBOX_ABOVE = "mailbox above"
    UNKNOWN = "unknown"
    NOT_REGISTERED = "not registered"
    NOT_YET_VALID = "not yet valid"
    NO_SUCCESSOR = "no successor"
    NOT_FORWARDING = "not forwarding"
    CIRCLE = "circle"
    TOO_MANY = "too many"
    NO_MAILBOX = "no mailbox"


WORDS: Mapping[How, str] = MappingProxyType(
    {
        How.IN_FORCE: "{code} is in force: {name}",
        How.SUCCESSOR: "via successor {successor}: {code} closed on {day}",
        How.SUCCESSOR_ABOVE: "via successor {successor}: {above}, above {code}, closed on {day}",
        How.OPEN_BELOW: "via {above}: it takes documents for units that are not registered below it, such as {code}",
        How.MAILBOX: "{code} has a mailbox",
        How.MAILBOX_ABOVE: "via {above}: the nearest above {code} with a mailbox",
        How.UNKNOWN: "{code} is not in the directory, nor is anything above it",
        How.NOT_REGISTERED: "{code} is not registered below {above}; address {above}, or have {code} registered",
        How.NOT_YET_VALID: "{code} is in force from {day} on",
        How.NO_SUCCESSOR: "{code} closed on {day} and names no successor",
        How.NOT_FORWARDING: "{code} closed on {day} and does not forward; its successor is {successor}",
        How.CIRCLE: "the successors lead in a circle: {way}",
        How.TOO_MANY: "the successors lead over more than {most} organisations: {way}",
        How.NO_MAILBOX: "neither {code} nor any organisation in force above it has a mailbox",
    }
)

_INDIRECT = frozenset({Rule.SUCCESSOR, Rule.OPEN_BELOW, Rule.MAILBOX_ABOVE})
_REASONS = {
    Rule.UNKNOWN: "recipient/unknown",
    Rule.NOT_REGISTERED: "recipient/not-registered",
    Rule.NOT_YET_VALID: "recipient/not-yet-valid",
    Rule.CLOSED: "recipient/closed",
    Rule.NO_MAILBOX: "recipient/no-mailbox",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was considered: `code` is what it led to or stopped at, `text` says so in an English sentence.

    `how` and `told` are the same for other languages: which sentence, and what is to be filled in.
    """

    rule: Rule
    code: str
    text: str
    how: How
    told: Mapping[str, str | dt.date]


@dataclass(frozen=True)
class Resolution:
    """Where a recipient's documents go: either a mailbox, or a reason (of schemas.reasons) with its detail."""

    recipient: str
    resolved: str | None
    mailbox: str | None
    steps: tuple[Step, ...]
    reason: str | None = None
    detail: str | None = None

    @property
    def ok(self) -> bool:
        """Say whether there is a mailbox."""
        return self.mailbox is not None

    @cached_property
    def via(self) -> tuple[str, ...]:
        """Return the indirect steps in words; empty when the recipient has a mailbox of its own."""
        return tuple(step.text for step in self.steps if step.rule in _INDIRECT)


Resolver = Callable[[str], Resolution]


def resolver(directory: Directory, at: dt.datetime) -> Resolver:
    """Return `resolve` for one directory and one time; it remembers, for many envelopes name the same recipients."""
    return cache(lambda recipient: resolve(directory, recipient, at))


def resolve(directory: Directory, recipient: str, at: dt.datetime) -> Resolution:
    """Find the mailbox of a recipient (a canonical code) as of a time. Never raises."""
    steps: list[Step] = []
    asked = [recipient]
    while True:
        answer = _ask(directory, asked[-1], at, steps)
        if isinstance(answer, _Found):
            return Resolution(recipient, answer.resolved, answer.mailbox, tuple(steps))
        if answer.successor is None:
            return _refused(recipient, answer.resolved, steps)
        if answer.successor in asked or len(asked) > MAX_SUCCESSORS:
            way = " → ".join([*asked, answer.successor])
            if answer.successor in asked:
                steps.append(_step(Rule.CLOSED, asked[-1], How.CIRCLE, way=way))
            else:
                steps.append(_step(Rule.CLOSED, asked[-1], How.TOO_MANY, most=str(MAX_SUCCESSORS), way=way))
            return _refused(recipient, None, steps)
        asked.append(answer.successor)


@dataclass(frozen=True, slots=True)
class _Found:
    resolved: str
    mailbox: str


@dataclass(frozen=True, slots=True)
class _Open:
    """Not found: ask again with the successor, or else the last step is why not."""

    successor: str | None = None
    resolved: str | None = None


def _ask(directory: Directory, code: str, at: dt.datetime, steps: list[Step]) -> _Found | _Open:
    """Ask both questions about one code."""
    known = _known(directory, code, at, steps)
    if known is None:
        return _Open()
    organisation = directory.organisation(known, at)
    if organisation is None:
        return _Open(_successor(directory, known, at, steps))
    steps.append(_step(Rule.IN_FORCE, known, How.IN_FORCE, code=known, name=organisation.name))
    for above in lineage(known):
        if directory.organisation(above, at) is not None:
            if directory.has_mailbox(above, at):
                steps.append(_mailbox_step(known, above))
                return _Found(known, above)
        elif (closed := directory.closed(above, at)) is not None and (successor := _forwards_to(closed)) is not None:
            told = {"successor": successor, "above": above, "code": known}
            steps.append(_step(Rule.SUCCESSOR, successor, How.SUCCESSOR_ABOVE, **told, day=_day(closed.valid_to or at)))
            return _Open(successor)
    steps.append(_step(Rule.NO_MAILBOX, known, How.NO_MAILBOX, code=known))
    return _Open(resolved=known)


def _known(directory: Directory, code: str, at: dt.datetime, steps: list[Step]) -> str | None:
    """Return the code itself if the directory knows it, or the nearest above that stands in for it."""
    known = next((above for above in lineage(code) if directory.history(above)), None)
    if known is None:
        steps.append(_step(Rule.UNKNOWN, code, How.UNKNOWN, code=code))
        return None
    if known == code:
        return code
    organisation = directory.organisation(known, at) or directory.latest(known)
    if organisation is not None and organisation.unknown_below is UnknownBelow.OPEN:
        steps.append(_step(Rule.OPEN_BELOW, known, How.OPEN_BELOW, above=known, code=code))
        return known
    steps.append(_step(Rule.NOT_REGISTERED, code, How.NOT_REGISTERED, code=code, above=known))
    return None


def _successor(directory: Directory, code: str, at: dt.datetime, steps: list[Step]) -> str | None:
    """Return who takes the documents of a known code that is not in force."""
    closed = directory.closed(code, at)
    if closed is None:
        begins = _day(directory.history(code)[0].valid_from)
        steps.append(_step(Rule.NOT_YET_VALID, code, How.NOT_YET_VALID, code=code, day=begins))
        return None
    successor, day = _forwards_to(closed), _day(closed.valid_to or at)
    if successor is not None:
        steps.append(_step(Rule.SUCCESSOR, successor, How.SUCCESSOR, successor=successor, code=code, day=day))
        return successor
    if closed.successor is None:
        steps.append(_step(Rule.CLOSED, code, How.NO_SUCCESSOR, code=code, day=day))
    else:
        told = {"code": code, "successor": closed.successor}
        steps.append(_step(Rule.CLOSED, code, How.NOT_FORWARDING, **told, day=day))
    return None


def _forwards_to(closed: Organisation) -> str | None:
    return closed.successor if closed.forwarding else None


def _mailbox_step(code: str, mailbox: str) -> Step:
    if mailbox == code:
        return _step(Rule.MAILBOX, mailbox, How.MAILBOX, code=code)
    return _step(Rule.MAILBOX_ABOVE, mailbox, How.MAILBOX_ABOVE, above=mailbox, code=code)


def _step(rule: Rule, led_to: str, how: How, **told: str | dt.date) -> Step:
    return Step(rule, led_to, WORDS[how].format(**told), how, told)


def _refused(recipient: str, resolved: str | None, steps: list[Step]) -> Resolution:
    last = steps[-1]
    led = [step.text for step in steps[:-1] if step.rule in _INDIRECT]
    # What is wrong with a successor is not for the sender to put right: to it, the code it wrote is closed.
    forwarded = last.rule is not Rule.NO_MAILBOX and any(step.rule is Rule.SUCCESSOR for step in steps)
    reason = _REASONS[Rule.CLOSED if forwarded else last.rule]
    return Resolution(recipient, resolved, None, tuple(steps), reason, "; ".join([*led, last.text])[:_MAX_DETAIL])


def _day(moment: dt.datetime) -> dt.date:
    # Decrees count days in Vietnam; in UTC every closure would seem to be a day early.
    return vietnam_day(moment)
