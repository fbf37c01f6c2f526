from itertools import permutations

from hypothesis import assume, given
from hypothesis import strategies as st

from axis.core.lifecycle import TRANSITIONS, Effect, apply, is_final
from schemas import StatusCode

REPORTS = st.lists(st.sampled_from(StatusCode), max_size=30)
PROGRESS = [None, *(StatusCode(code) for code in ("01", "03", "04", "05"))]


def end_of(reports: list[StatusCode] | tuple[StatusCode, ...]) -> StatusCode | None:
    state: StatusCode | None = None
    for code in reports:
        state = apply(state, code).current
    return state


def rank(state: StatusCode | None) -> int:
    return len(PROGRESS) if is_final(state) else PROGRESS.index(state)


@given(REPORTS)
def test_a_delivery_never_moves_backwards(reports: list[StatusCode]) -> None:
    state: StatusCode | None = None
    for code in reports:
        step = apply(state, code)
        assert rank(step.current) >= rank(state)
        assert (step.effect is Effect.ADVANCED) == (step.current != state)
        assert not is_final(state) or step.current == state
        state = step.current
    assert state in TRANSITIONS


@given(st.lists(st.sampled_from(StatusCode), max_size=6))
def test_the_order_of_arrival_makes_no_difference(reports: list[StatusCode]) -> None:
    assume(not {StatusCode.REFUSED, StatusCode.FINISHED} <= set(reports))
    assert len({end_of(order) for order in permutations(reports)}) == 1


@given(REPORTS)
def test_of_refused_and_finished_the_first_stands(reports: list[StatusCode]) -> None:
    ends = [code for code in reports if code in {StatusCode.REFUSED, StatusCode.FINISHED}]
    assume(ends)
    assert end_of(reports) == ends[0]


@given(REPORTS)
def test_hearing_everything_twice_makes_no_difference(reports: list[StatusCode]) -> None:
    assert end_of([*reports, *reports]) == end_of(reports)
    assert end_of([code for code in reports for _ in range(2)]) == end_of(reports)


@given(REPORTS)
def test_what_is_not_about_progress_makes_no_difference(reports: list[StatusCode]) -> None:
    talk = {StatusCode.TAKE_BACK, StatusCode.AGREED, StatusCode.DECLINED}
    assert end_of([code for code in reports if code not in talk]) == end_of(reports)
