import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from axis.broker import Publisher
from axis.core.messages import Outgoing
from axis.errors import Unavailable
from tests.bench import __main__ as program
from tests.bench import catalogue
from tests.bench.flow import milliseconds, percentile, send_steadily
from tests.bench.profiled import Profile
from tests.bench.running import Run, cpu_facts
from tests.bench.soak import Series
from tests.bench.world import BenchFailed


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert [percentile(values, share) for share in (0.0, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert percentile([7.0], 0.99) == 7


def test_times_are_from_when_a_message_was_due() -> None:
    assert milliseconds({"a": 1.0, "b": 2.0}, {"b": 2.5, "a": 1.25, "c": 9.0}) == [250, 500]


def test_a_message_that_never_came_is_no_fast_one() -> None:
    with pytest.raises(BenchFailed, match="1 of 2 messages never arrived"):
        milliseconds({"a": 1.0, "b": 2.0}, {"a": 1.25})


class SlowPublisher:
    """Confirms after a while."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        self.batches.append(len(messages))
        await asyncio.sleep(0.05)
        return [None] * len(messages)


async def test_a_slow_axis_does_not_slow_its_senders() -> None:
    publisher = SlowPublisher()
    messages = [Outgoing("", "", b"", "document", "", str(number)) for number in range(20)]
    started = time.perf_counter()

    due = await send_steadily(cast("Publisher", publisher), messages, 100.0)

    assert sum(publisher.batches) == 20
    moments = [due[str(number)] - started for number in range(20)]
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] == pytest.approx(0.19)


def test_the_slope_leaves_out_the_warm_up() -> None:
    series = Series()
    for moment in range(101):
        series.add(float(moment), 1000.0 * moment if moment < 20 else 50.0 + 2.0 * moment)

    assert series.slope() == pytest.approx(2.0)


def test_a_single_look_has_no_slope() -> None:
    series = Series()
    series.add(1.0, 2.0)

    assert series.slope() == 0


def test_the_profiler_counts_a_function_and_its_callers() -> None:
    profile = Profile()

    def inner() -> None:
        profile.sample(0, sys._getframe())

    inner()
    inner()

    name = f"{__name__}.test_the_profiler_counts_a_function_and_its_callers"
    assert profile.own == {f"{name}.<locals>.inner": 2}
    assert profile.within[name] == 2


def test_a_name_that_is_no_bench_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["nonsense"]) == program.EXIT_USAGE
    assert f"no bench nonsense; there are: {', '.join(catalogue.BENCHES)}" in capsys.readouterr().err


def test_a_page_can_be_made_from_an_earlier_run(tmp_path: Path) -> None:
    line = {
        "bench": "route-1",
        "ours": 2.0,
        "baseline": 1.0,
        "ratio": 2.0,
        "unit": "envelopes/s",
        "goal": "ratio >= 1.3",
        "met": True,
        "rounds": 5,
        "spread": {"ours": [2, 2]},
        "machine": "this one",
    }
    (tmp_path / "run.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")

    code = program.main(["--page-from", str(tmp_path / "run.jsonl"), "--page", str(tmp_path / "bench.md")])

    assert code == 0
    assert "| route-1 |  | 2 | 1 | 2 | envelopes/s | ratio >= 1.3 | yes | 5 |" in (tmp_path / "bench.md").read_text(
        encoding="utf-8"
    )


def test_the_goals_of_the_design_have_their_benches() -> None:
    rows = {"route-1", "route-1-faststream", "route-63", "track", "urgent-lane", "blob-memory", "resolve-100k"}
    assert rows | {"growth-1m"} <= catalogue.BENCHES.keys()
    apart = {name for name, bench in catalogue.BENCHES.items() if not bench.default}
    assert apart == {"console-1m", "package-memory", "register-1m", "soak"}


def test_processor_time_is_compared_as_baseline_over_ours() -> None:
    pairs = [(Run(1, 100, 50, 50), Run(1, 200, 100, 0)), (Run(1, 100, None, None), Run(1, 400, None, None))]

    assert cpu_facts(pairs) == {"python_cpu_ratio": 3.0, "all_cpu_ratio": 1.5}
    assert cpu_facts([(Run(1, 0.0, None, None), Run(1, 1.0, None, None))]) == {
        "python_cpu_ratio": None,
        "all_cpu_ratio": None,
    }
