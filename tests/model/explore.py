"""An explicit-state checker: every state that can be reached, breadth first, and the shortest way to what is wrong.

Two kinds of claims. Safety: no step may say that it breaks a rule. Liveness: once nothing fails any more, every run
ends, and ends well; it is checked from every reachable state, so from the middle of every failure too.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

S = TypeVar("S", bound=Hashable)


class Step(NamedTuple, Generic[S]):
    """One thing that can happen next; `fault`: it may fail to happen for ever; `wrong`: the rule that it breaks."""

    label: str
    state: S
    fault: bool = False
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """What is wrong, and the shortest way there."""

    rule: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{number:3} {label}" for number, label in enumerate(self.trace, 1)]
        return "\n".join([f"violated: {self.rule}", *lines])


@dataclass(frozen=True, slots=True)
class Explored:
    """How much was looked at, and the first thing found wrong."""

    states: int
    steps: int
    found: Counterexample | None


class TooBig(Exception):
    """There are more states than the caller wants to wait for; nothing was proved."""


class _Graph(Generic[S]):
    """The states found so far, by number, each with the step that first led to it."""

    def __init__(self, first: S) -> None:
        self.states: list[S] = [first]
        self.numbers: dict[S, int] = {first: 0}
        self.parents: list[tuple[int, str]] = [(0, "")]
        self.calm: list[list[int]] = []  # where each state leads to without a fault

    def number(self, state: S, parent: int, label: str) -> int:
        number = self.numbers.setdefault(state, len(self.states))
        if number == len(self.states):
            self.states.append(state)
            self.parents.append((parent, label))
        return number

    def trace(self, number: int) -> tuple[str, ...]:
        labels: list[str] = []
        while number:
            number, label = self.parents[number]
            labels.append(label)
        return tuple(reversed(labels))


def explore(
    first: S, steps: Callable[[S], Iterable[Step[S]]], unfinished: Callable[[S], str], *, limit: int
) -> Explored:
    """Look at everything reachable from `first`; `unfinished` says what a state lacks in which a run may not end."""
    graph, count, at = _Graph(first), 0, 0
    while at < len(graph.states):
        if at > limit:
            raise TooBig(f"more than {limit} states")
        calm: list[int] = []
        for step in steps(graph.states[at]):
            count += 1
            if step.wrong:
                found = Counterexample(step.wrong, (*graph.trace(at), step.label))
                return Explored(len(graph.states), count, found)
            number = graph.number(step.state, at, step.label)
            if not step.fault and number != at:
                calm.append(number)
        graph.calm.append(calm)
        at += 1
    return Explored(len(graph.states), count, _ending_badly(graph, unfinished))


def _ending_badly(graph: _Graph[S], unfinished: Callable[[S], str]) -> Counterexample | None:
    for number, onward in enumerate(graph.calm):
        if not onward and (lack := unfinished(graph.states[number])):
            return Counterexample(f"it can end like this: {lack}", (*graph.trace(number), "(nothing more happens)"))
    turning = _turning(graph.calm)
    if turning is None:
        return None
    return Counterexample("it can go on for ever without a failure", (*graph.trace(turning), "(and round again)"))


def _turning(calm: list[list[int]]) -> int | None:
    """Return the first state of a circle, if there is one: peel off, again and again, what leads nowhere."""
    waiting = [len(onward) for onward in calm]
    before: list[list[int]] = [[] for _ in calm]
    for number, onward in enumerate(calm):
        for each in onward:
            before[each].append(number)
    ends = [number for number, left in enumerate(waiting) if not left]
    while ends:
        for each in before[ends.pop()]:
            waiting[each] -= 1
            if not waiting[each]:
                ends.append(each)
    return next(_circling(waiting, calm), None)


def _circling(waiting: list[int], calm: list[list[int]]) -> Iterator[int]:
    """Yield the states that are in a circle, not only on the way to one."""
    for number, left in enumerate(waiting):
        if not left:
            continue
        seen, todo = set[int](), [each for each in calm[number] if waiting[each]]
        while todo:
            each = todo.pop()
            if each == number:
                yield number
                break
            if each not in seen:
                seen.add(each)
                todo.extend(next_ for next_ in calm[each] if waiting[next_])
