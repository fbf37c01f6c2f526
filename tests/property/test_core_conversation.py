"""A conversation about a recall never moves backwards, and the order in which its statuses come makes no difference."""

import datetime as dt
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.core.conversation import TRANSITIONS, Conversation, Kind, Talk, diagram, is_final, said_by
from axis.core.ids import new_id
from axis.core.lifecycle import Effect
from schemas import Destroyed, Status, StatusCode
from tests.builders import NOW

RANKS = list(Talk)


def answer(said: Talk) -> Status:
    proof = {
        Talk.WITHDRAWN: Destroyed(at=NOW, untaken=True),
        Talk.DESTROYED: Destroyed(at=NOW, files=["a" * 64]),
    }.get(said)
    code = StatusCode.DECLINED if said is Talk.DECLINED else StatusCode.AGREED
    return Status(
        schema="axis.status/1",
        id=new_id(NOW),
        reporter="H37",
        envelope=new_id(NOW),
        code=code,
        at=NOW,
        reason="Vì đã ban hành",
        destroyed=proof,
    )


ANSWERS: dict[Talk, Status] = {said: answer(said) for said in Talk if said is not Talk.REQUESTED}
SAID = st.lists(st.sampled_from(list(ANSWERS)), max_size=20)


def asked(kind: Kind = Kind.RECALL) -> Conversation:
    return Conversation("r", "d", "H37", "H37", kind, Talk.REQUESTED, NOW, "G22", "Ban hành nhầm")


def after(said: list[Talk] | tuple[Talk, ...], kind: Kind = Kind.RECALL) -> Conversation:
    talk = asked(kind)
    for number, each in enumerate(said):
        talk = talk.hear(ANSWERS[each], NOW + dt.timedelta(minutes=number))
    return talk


@given(SAID, st.sampled_from(Kind))
def test_a_conversation_never_moves_backwards(said: list[Talk], kind: Kind) -> None:
    talk = asked(kind)
    for each in said:
        moved = talk.hear(ANSWERS[each], NOW)
        assert RANKS.index(moved.state) >= RANKS.index(talk.state)
        assert (moved == talk) is (moved.state is talk.state)
        assert not is_final(talk.state) or moved == talk
        talk = moved
    assert kind.destroys or talk.state not in {Talk.WITHDRAWN, Talk.DESTROYED}


@given(st.lists(st.sampled_from(list(ANSWERS)), max_size=5))
def test_the_order_of_answers_makes_no_difference(said: list[Talk]) -> None:
    assert len({after(order).state for order in permutations(said)}) == 1
    assert len({after([*order, *order]).state for order in permutations(said)}) == 1


def test_the_table_is_whole_and_moves_forward_only() -> None:
    assert set(TRANSITIONS) == {None, *Talk}
    for before, row in TRANSITIONS.items():
        assert set(row) == set(Talk)
        for said, effect in row.items():
            at = -1 if before is None else RANKS.index(before)
            ahead = RANKS.index(said) - at
            assert effect is (Effect.ADVANCED if ahead > 0 else Effect.REPEATED if ahead == 0 else Effect.LATE)
    assert [each for each in Talk if is_final(each)] == [Talk.DESTROYED]
    assert "    agreed --> destroyed\n" in diagram()


@pytest.mark.parametrize(
    ("said", "kind", "state"),
    [
        ([], Kind.RECALL, Talk.REQUESTED),
        ([Talk.DECLINED, Talk.AGREED], Kind.RECALL, Talk.AGREED),
        ([Talk.AGREED, Talk.DECLINED], Kind.RECALL, Talk.AGREED),
        ([Talk.DESTROYED, Talk.AGREED], Kind.TAKE_BACK, Talk.DESTROYED),
        ([Talk.DESTROYED], Kind.UPDATE, Talk.AGREED),
        ([Talk.WITHDRAWN], Kind.REPLACE, Talk.AGREED),
    ],
)
def test_what_answers_lead_to(said: list[Talk], kind: Kind, state: Talk) -> None:
    assert after(said, kind).state is state


def test_the_agreement_stays_in_sight_when_the_proof_comes() -> None:
    both = after([Talk.AGREED, Talk.DESTROYED])
    assert (both.answered_at, both.destroyed_at) == (NOW, NOW)
    alone = after([Talk.DESTROYED])
    assert (alone.answered_by, alone.destroyed_at) == ("H37", NOW)
    changed = after([Talk.DECLINED, Talk.DESTROYED])
    assert changed.answered_at == NOW + dt.timedelta(minutes=1)
    assert said_by(ANSWERS[Talk.DECLINED], Kind.RECALL) is Talk.DECLINED
