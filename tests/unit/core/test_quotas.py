"""Levels: what fits, when the rest may come, and that the rate is kept in the long run."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from axis.core.quotas import LONGEST_SECONDS, MINUTE_SECONDS, Level
from schemas import Quota


def level(limit: int = 60) -> Level:
    return Level(limit, MINUTE_SECONDS, at=0.0)


def test_a_whole_limit_fits_at_once_and_then_one_a_second() -> None:
    own = level()
    for _ in range(60):
        assert own.wait(1, now=0.0) == 0
        own.take(1)
    assert own.wait(1, now=0.0) == pytest.approx(1.0)
    assert own.wait(1, now=0.5) == pytest.approx(0.5)
    assert own.wait(1, now=1.0) == 0


def test_those_sent_away_are_told_times_one_after_the_other() -> None:
    own = level(limit=30)
    for _ in range(30):
        own.take(1)
    assert [own.send_away(1, now=0.0) for _ in range(4)] == [2, 4, 6, 8]
    assert own.send_away(1, now=5.0) == 5  # the line goes on where it ended
    for _ in range(2 * LONGEST_SECONDS):
        assert own.send_away(1, now=5.0) <= LONGEST_SECONDS


def test_a_clock_read_a_little_earlier_takes_nothing_away() -> None:
    own = level(limit=1)
    assert own.wait(1, now=-0.001) == 0
    own.told(1.0, now=1.0)
    assert own.wait(1, now=0.9) == pytest.approx(60.0)


def test_what_is_larger_than_the_limit_fits_into_an_empty_one() -> None:
    own = level(limit=10)
    assert own.wait(1_000, now=0.0) == 0
    own.take(1_000)
    assert own.wait(1, now=0.0) == pytest.approx(991 * 6)


def test_what_others_took_is_owed_and_what_was_taken_meanwhile_comes_on_top() -> None:
    own = level()
    own.take(10)
    own.uncounted = 3  # taken while the store was asked
    own.told(100.0, now=1.0)
    assert own.level == 103
    assert own.wait(1, now=1.0) == pytest.approx(44.0)
    assert not own.idle
    own.uncounted = 0
    own.told(0.0, now=200.0)
    assert own.idle


@given(
    limit=st.integers(1, 1_000),
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 50)), min_size=1, max_size=60),
)
def test_never_more_than_a_limit_and_the_rate_since(limit: int, steps: list[tuple[float, int]]) -> None:
    own, now, taken = level(limit), 0.0, 0
    for pause, tries in steps:
        now += pause
        for _ in range(tries):
            if own.wait(1, now) == 0:
                own.take(1)
                taken += 1
        assert taken <= limit + now * limit / MINUTE_SECONDS + 1e-6


@given(limit=st.integers(1, 1_000), tries=st.integers(1, 500), rounds=st.integers(1, 5))
@example(limit=11, tries=22, rounds=2)
def test_who_comes_when_told_is_taken(limit: int, tries: int, rounds: int) -> None:
    own, now = level(limit), 0.0
    waiting = [now] * tries
    for _ in range(rounds):
        again = []
        for now in sorted(waiting):
            if own.wait(1, now) == 0:
                own.take(1)
            else:
                again.append(now + own.send_away(1, now))
        waiting = again
    # Everybody fits in the first round, or at the time told in the second: whole seconds are rounded up, not down.
    assert rounds == 1 or not waiting or max(waiting) > LONGEST_SECONDS


def test_its_own_limit_goes_before_the_default_and_nought_is_none() -> None:
    default = Quota(messages_per_minute=60, connections=5)
    assert Quota().or_else(default) == default
    own = Quota(messages_per_minute=0, uploads_per_day=7)
    assert own.or_else(default) == Quota(connections=5, uploads_per_day=7)
    assert math.isclose(level(90).per_second, 1.5)
