"""The lines, the JSON and the page of a run; made up, so that everything is in it."""

import random

from axis.faults import report
from axis.faults.account import Account
from axis.faults.field import Field
from axis.faults.playing import Played
from axis.faults.scenario import Scenario

COMMAND = "axis faults run --seed 7"


async def _nothing(field: Field, dice: random.Random) -> None:
    raise AssertionError("not played here")


def played(number: int, name: str, *, skipped: str = "", lost: int = 0) -> Played:
    account = Account() if skipped else Account(sent=10, deliveries=13, statuses=20)
    account.note("lost", [f"document {each} never came" for each in range(lost)])
    return Played(
        Scenario(number, name, f"{name} broken", _nothing),
        account,
        {} if skipped else {"kill": 3, "stop": 1},
        12.3,
        1.26,
        {} if skipped else {"RabbitMQ": "3.10.8"},
        skipped=skipped,
    )


RUN = [played(1, "workers"), played(2, "broker", lost=12), played(3, "cluster", skipped="no network namespaces")]


def test_a_line_says_how_a_scenario_went() -> None:
    assert report.line(RUN[0]) == (
        "faults: 1 workers events=4 sent=10 deliveries=13 statuses=20 lost=0 doubled=0 misordered=0 unexplained=0 "
        "seconds=12 longest_outage=1.3"
    )
    assert report.line(RUN[2]) == "faults: 3 cluster skipped: no network namespaces"


def test_the_last_line_counts_only_what_was_played() -> None:
    line = "faults: scenarios=2 events=8 sent=20 lost=12 doubled=0 misordered=0 unexplained=0"
    assert report.last_line(RUN) == line
    assert not report.total(RUN).clean
    assert report.total(RUN[:1]).clean


def test_json_has_every_scenario_and_says_whether_all_is_well() -> None:
    found = report.as_json(RUN, command=COMMAND, seed=7)
    assert (found["seed"], found["ok"], found["lost"], found["events"]) == (7, False, 12, 8)
    assert [each["skipped"] for each in found["scenarios"]] == [None, None, "no network namespaces"]
    assert found["versions"] == {"RabbitMQ": "3.10.8"}


def test_the_page_has_a_row_for_each_played_and_names_the_skipped_and_the_findings() -> None:
    page = report.page(RUN, command=COMMAND, seed=7)
    assert f"`{COMMAND}`" in page
    assert "| 1 | workers: workers broken | 4 | 10 | 13 | 20 | 0 | 0 | 0 | 0 | 12 | 1.3 |" in page
    assert "3 × kill, 1 × stop" in page
    assert "- **cluster** (cluster broken): no network namespaces" in page
    assert "- broker: lost: document 0 never came" in page
    assert "- broker: lost: and 2 more like it" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
