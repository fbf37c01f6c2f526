import json

import pytest

from tests.bench import page
from tests.bench.results import Detail, Goal, Result, cells, markdown_table, number, rounded, table


def result(**changes: object) -> Result:
    fields = {"bench": "route-1", "unit": "envelopes/s", "ours_rounds": [30, 10, 20], "baseline_rounds": [10, 10, 10]}
    return Result(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    found = result(ours_rounds=[100, 10, 90], baseline_rounds=[100, 5, 30])

    assert found.ours == 90
    assert found.baseline == 30
    assert found.ratios == [1, 2, 3]
    assert found.ratio == 2  # not 90 / 30: each round was disturbed by other work


def test_one_line_says_everything() -> None:
    line = json.loads(result(goal=Goal(">=", 1.5), facts={"messages": 7}).as_json())

    assert line == {
        "bench": "route-1",
        "ours": 20.0,
        "baseline": 10.0,
        "ratio": 2.0,
        "unit": "envelopes/s",
        "goal": "ratio >= 1.5",
        "met": True,
        "rounds": 3,
        "spread": {"ours": [10.0, 30.0], "baseline": [10.0, 10.0], "ratio": [1.0, 3.0]},
        "messages": 7,
    }


def test_a_bench_without_a_baseline_says_so() -> None:
    line = result(baseline_rounds=(), case="idle").as_dict()

    assert (line["baseline"], line["ratio"], line["goal"], line["met"]) == (None, None, None, None)
    assert line["spread"] == {"ours": [10.0, 30.0]}
    assert line["case"] == "idle"


@pytest.mark.parametrize(
    ("goal", "met"),
    [(Goal(">=", 2), True), (Goal(">=", 2.1), False), (Goal("<=", 2), True), (Goal("<=", 1.9), False)],
)
def test_a_goal_is_a_bound_for_the_ratio(goal: Goal, met: bool) -> None:
    assert result(goal=goal).met is met


def test_a_goal_may_be_about_our_own_number() -> None:
    assert result(goal=Goal("<=", 20, of="ours"), baseline_rounds=()).met
    assert result(goal=Goal("<=", 19, of="ours"), baseline_rounds=()).met is False


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5678, "1,235"), (2.0, "2"), (1.2345, "1.23"), (0.01234, "0.0123"), (123.45, "123.5"), (None, "–")],
)
def test_numbers_are_written_for_people(value: float | None, text: str) -> None:
    assert number(value) == text


def test_yes_and_no_are_written_as_such() -> None:
    assert [number(value) for value in (True, False, "so")] == ["yes", "no", "so"]


def test_rounding_keeps_four_digits() -> None:
    assert rounded(123456.0) == 123500.0
    assert rounded(0.00123456) == 0.001235
    assert rounded(None) is None


def test_the_table_has_a_line_for_each_result() -> None:
    text = table([result(goal=Goal(">=", 3)).as_dict(), result(bench="track", baseline_rounds=()).as_dict()])

    head, first, second = text.splitlines()
    assert head.split() == ["bench", "case", "ours", "baseline", "ratio", "unit", "goal", "met", "rounds"]
    assert first.split() == ["route-1", "20", "10", "2", "envelopes/s", "ratio", ">=", "3", "no", "3"]
    assert second.split() == ["track", "20", "–", "–", "envelopes/s", "–", "–", "3"]
    assert first.index("envelopes/s") == second.index("envelopes/s")


def test_cells_of_a_page_cannot_break_its_table() -> None:
    assert markdown_table(["a"], [["x|y"]]) == "| a |\n| --- |\n| x\\|y |"


def test_the_page_has_the_table_the_details_and_the_machine() -> None:
    detail = Detail("Where it goes", ["part", "µs"], [["router", 400]])
    line = {**result(details=[detail], goal=Goal(">=", 3)).as_dict(), "machine": "2 processors"}

    text = page.page([line])

    assert "Machine: 2 processors." in text
    assert "| route-1 |  | 20 | 10 | 2 | envelopes/s | ratio >= 3 | no | 3 |" in text
    assert "## route-1" in text
    assert "3 rounds; ours 10 to 30; baseline 10 to 10; ratio 1 to 3." in text
    assert "Where it goes:\n\n| part | µs |\n| --- | --- |\n| router | 400 |" in text


def test_benches_that_were_not_run_keep_their_rows() -> None:
    detail = Detail("Where it goes", ["part", "µs"], [["router", 400]])
    lines = [
        {**result(bench=name, case=case, details=[detail]).as_dict(), "machine": machine}
        for name, case, machine in (
            ("route-1", "", "this one"),
            ("track", "one", "this one"),
            ("track", "two", "this one"),
            ("blob-time", "", "that one"),
        )
    ]
    whole = page.page(lines)

    assert page.page([], whole) == whole
    assert page.page(lines[1:3], whole) == whole
    again = page.page([{**lines[1], "ours": 7, "machine": "that one"}], whole)
    assert "| track | one | 7 |" in again
    assert "| track | two |" not in again
    assert page.page(lines[1:3], again) == whole.replace("Machine: that one.\n\n", "").replace(
        "Machine: this one.", "Machine: this one.\n\nMachine: that one."
    )


def test_a_detail_is_laid_out_for_a_terminal() -> None:
    text = page.plain({"title": "T", "head": ["part", "µs"], "rows": [["router", 400], ["x", 1.5]]})

    assert text.splitlines() == ["T", "  part    µs", "  router  400", "  x       1.5"]


def test_the_machine_is_described() -> None:
    text = page.machine("rabbitmq 3.10.8")

    assert "processors" in text
    assert text.endswith(", rabbitmq 3.10.8")


def test_beside_its_goal_a_ratio_is_not_rounded_to_it() -> None:
    missed = result(ours_rounds=[1505], baseline_rounds=[1000], goal=Goal("<=", 1.5)).as_dict()
    assert cells(missed)[4:8] == ("1.505", "envelopes/s", "ratio <= 1.5", "no")
    assert cells({**missed, "goal": None})[4] in {"1.5", "1.51"}
