import pytest

from axis.core.lifecycle import TRANSITIONS, Effect, Step, apply, diagram, is_final
from schemas import StatusCode

ARRIVED, REFUSED, ACCEPTED = StatusCode.ARRIVED, StatusCode.REFUSED, StatusCode.ACCEPTED
PROCESSING, FINISHED = StatusCode.PROCESSING, StatusCode.FINISHED


def test_the_table_answers_every_status_in_every_state() -> None:
    states = {None, "01", "02", "03", "04", "05", "06"}
    assert set(TRANSITIONS) == states
    for row in TRANSITIONS.values():
        assert set(row) == set(StatusCode)


def test_the_ordinary_way() -> None:
    state = None
    for code in ("01", "03", "04", "05", "06"):
        step = apply(state, StatusCode(code))
        assert step == Step(Effect.ADVANCED, StatusCode(code))
        state = step.current


@pytest.mark.parametrize(
    ("before", "reported", "effect", "after"),
    [
        (None, FINISHED, Effect.ADVANCED, FINISHED),
        (ARRIVED, ARRIVED, Effect.REPEATED, ARRIVED),
        (PROCESSING, ACCEPTED, Effect.LATE, PROCESSING),
        (ARRIVED, REFUSED, Effect.ADVANCED, REFUSED),
        (PROCESSING, REFUSED, Effect.ADVANCED, REFUSED),
        (REFUSED, ACCEPTED, Effect.LATE, REFUSED),
        (REFUSED, FINISHED, Effect.LATE, REFUSED),
        (FINISHED, REFUSED, Effect.LATE, FINISHED),
        (FINISHED, FINISHED, Effect.REPEATED, FINISHED),
    ],
)
def test_what_a_status_does(
    before: StatusCode | None, reported: StatusCode, effect: Effect, after: StatusCode | None
) -> None:
    assert apply(before, reported) == Step(effect, after)


@pytest.mark.parametrize("code", [StatusCode.TAKE_BACK, StatusCode.AGREED, StatusCode.DECLINED])
def test_a_talk_about_taking_back_moves_nothing(code: StatusCode) -> None:
    for state in TRANSITIONS:
        assert apply(state, code) == Step(Effect.NOTED, state)


def test_a_state_that_cannot_be_is_answered_all_the_same() -> None:
    assert apply(StatusCode.TAKE_BACK, FINISHED) == Step(Effect.NOTED, StatusCode.TAKE_BACK)


def test_only_refused_and_finished_are_ends() -> None:
    assert {state for state in TRANSITIONS if is_final(state)} == {REFUSED, FINISHED}


def test_the_diagram_draws_every_advance_once() -> None:
    drawn = diagram()
    advances = sum(effect is Effect.ADVANCED for row in TRANSITIONS.values() for effect in row.values())
    assert drawn.startswith("stateDiagram-v2\n")
    assert drawn.count(" --> ") == advances + 2
    assert "    [*] --> s01\n" in drawn
    assert "    s06 --> [*]\n" in drawn
    assert "s13" not in drawn
