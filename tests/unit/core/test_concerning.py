"""Whom an acting envelope concerns: as by looking at everything for each recipient, at the cost of one look."""

import random
from types import SimpleNamespace
from typing import Any, cast

from axis.core.concerning import Acting, Concerned, SentDelivery, act
from axis.core.conversation import Conversation, Kind, Talk
from axis.core.records import DeliveryState
from axis.core.resolving import Resolution
from axis.errors import Refused
from schemas import Action, Envelope
from tests.builders import NOW


class Code(str):
    """A code that counts how often one is compared."""

    compared = 0
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        Code.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def sent(recipient: str, resolved: str | None = None) -> SentDelivery:
    return SentDelivery(recipient, resolved or recipient, resolved or recipient, DeliveryState.ROUTED)


def goes(recipient: str, resolved: str | None = None) -> Resolution:
    return Resolution(recipient, resolved or recipient, resolved or recipient, ())


def talk(request: str, recipient: str, kind: Kind, state: Talk = Talk.REQUESTED) -> Conversation:
    return Conversation(request, "D", recipient, recipient, kind, state, NOW, "G22")


def done(action: Action, to: list[Resolution], got: list[SentDelivery], before: list[Conversation]) -> Acting:
    envelope = cast("Envelope", SimpleNamespace(id="R", action=action, concerns="D", sender="G22", reason="nhầm"))
    return act(envelope, to, Concerned("G22", "G22", got, before), lambda _: None, NOW)


def test_the_delivery_that_is_meant_is_the_one_addressed_so_else_the_first_of_the_same_organisation() -> None:
    got = [sent("H37.1", "H37"), sent("H37"), sent("H26.1", "H26"), sent("H26.2", "H26")]
    to = [goes("H37"), goes("H37.2", "H37"), goes("H26"), goes("H26.2", "H26"), goes("H99")]
    acts = done(Action.UPDATE, to, got, [])
    assert [each.original for each in acts.conversations] == ["H37", "H37.1", "H26.1", "H26.2", None]


def test_each_is_answered_as_by_looking_at_everything_for_it_alone() -> None:
    made = random.Random(20)  # noqa: S311 - examples, not secrets
    codes = [f"H{number}" for number in range(8)]
    for _ in range(300):
        got = [sent(code, made.choice([*codes, code])) for code in made.sample(codes, 5)]
        before = [
            talk(f"U{number}", made.choice(codes), made.choice(list(Kind)), made.choice(list(Talk)))
            for number in range(made.randrange(6))
        ]
        to = [goes(code, made.choice([*codes, code])) for code in made.sample(codes, 4)]
        action = made.choice([Action.RECALL, Action.UPDATE, Action.REPLACE])
        try:
            together = done(action, to, got, before)
        except Refused:
            continue
        alone = [done(action, [each], got, before) for each in to]
        assert together.deliveries == tuple(row for each in alone for row in each.deliveries)
        assert together.conversations == tuple(row for each in alone for row in each.conversations)
        for resolution, row in zip(to, together.deliveries, strict=True):
            meant = plainly(resolution, got)
            who = resolution.recipient if meant is None else meant.recipient
            if action is not Action.RECALL and any(each.freezes for each in before if each.recipient == who):
                assert row.reason == "concerns/recalled"


def plainly(resolution: Resolution, got: list[SentDelivery]) -> SentDelivery | None:
    codes = {resolution.recipient, resolution.resolved}
    exact = [each for each in got if each.recipient == resolution.recipient]
    return next(iter([*exact, *(each for each in got if codes & {each.recipient, each.resolved})]), None)


def test_thousands_of_recipients_that_were_told_often_are_not_compared_with_each_other() -> None:
    def code(number: int) -> Any:
        return Code(f"H{number}")

    count = 400
    got = [sent(code(number)) for number in range(count)]
    before = [talk(f"U{time}", code(number), Kind.UPDATE) for time in range(4) for number in range(count)]
    Code.compared = 0
    acts = done(Action.RECALL, [goes(code(number)) for number in range(count)], got, before)
    assert len(acts.conversations) == count
    assert Code.compared < 50 * count
