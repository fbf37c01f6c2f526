"""deploy/: whatever rules and dashboard ask for is shown by somebody, and each alert says what to do."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from axis.core.findings import Kind
from schemas.reasons import REASONS
from tests.metrics_page import PAGE, described, page
from tests.promql import Asked, asked

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "axis-rules.yml"
OF_PROMETHEUS = {"instance", "job", "le"}
# RabbitMQ's names and labels; tests/integration/test_observing.py asks a real one for them.
OF_RABBITMQ = {
    "rabbitmq_alarms_memory_used_watermark": set(),
    "rabbitmq_alarms_free_disk_space_watermark": set(),
    "rabbitmq_global_messages_dead_lettered_rejected_total": {"queue_type", "dead_letter_strategy"},
    "rabbitmq_global_messages_dead_lettered_delivery_limit_total": {"queue_type", "dead_letter_strategy"},
    "rabbitmq_detailed_queue_consumers": {"vhost", "queue"},
    "rabbitmq_detailed_queue_messages_ready": {"vhost", "queue"},
}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> list[tuple[str, str]]:
    panels = json.loads((DEPLOY / "grafana" / "axis.json").read_text("utf-8"))["panels"]
    shown = [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", ())]
    return [(rule["alert"], rule["expr"]) for rule in rules()] + shown


def known() -> dict[str, set[str]]:
    ours = {name: set(each.labels) for each in described().values() for name in each.samples}
    return {"up": set(), **OF_RABBITMQ, **ours}


def wrong(query: str) -> list[str]:
    """Say what of a query nobody shows."""
    shown = known()
    selectors, grouped = asked(query)
    labels = set().union(OF_PROMETHEUS, *(shown.get(each.name, set()) for each in selectors))
    problems = [f"no metric {each.name}" for each in selectors if each.name not in shown]
    problems += [
        f"{each.name} has no label {label}"
        for each in selectors
        for label, _, _ in each.matches
        if label not in shown.get(each.name, set()) | OF_PROMETHEUS
    ]
    return problems + [f"nobody has the label {label}" for label in sorted(grouped - labels)]


@pytest.mark.parametrize(("title", "query"), queries())
def test_what_is_asked_for_is_shown(title: str, query: str) -> None:
    assert asked(query)[0], "asks for nothing"
    assert wrong(query) == []


def test_every_metric_of_ours_is_on_the_dashboard_or_has_an_alert() -> None:
    named = {each.name for _, query in queries() for each in asked(query)[0]}
    unseen = [each.name for each in described().values() if not named.intersection(each.samples)]
    assert [name for name in unseen if not name.startswith("process_")] == []


def test_reasons_in_queries_are_reasons_there_are() -> None:
    matches = [match for _, query in queries() for each in asked(query)[0] for match in each.matches]
    reasons = {(operator, value) for label, operator, value in matches if label == "reason"}
    assert reasons
    for operator, value in reasons:
        hits = [code for code in REASONS if (re.fullmatch(value, code) if operator == "=~" else code == value)]
        assert hits, value


def test_kinds_and_lanes_in_queries_are_those_there_are() -> None:
    values = {"kind": {each.value for each in Kind}, "lane": {"urgent", "normal", "notices", "axis"}}
    matches = [match for _, query in queries() for each in asked(query)[0] for match in each.matches]
    named = {(label, part) for label, _, value in matches if label in values for part in value.split("|")}
    assert named
    assert [each for each in named if each[1] not in values[each[0]]] == []


def test_each_alert_says_how_bad_it_is_what_happens_in_both_languages_and_where_to_read_on() -> None:
    headings = re.findall(r"^### (\w+)$", (ROOT / "docs" / "runbooks" / "alerts.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(rule["alert"] for rule in rules())
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule
        told = rule["annotations"]
        assert all(told[name] for name in ("summary", "description", "summary_vi", "description_vi")), rule
        assert re.search(r"[À-ỹ]", told["summary_vi"]), rule
        assert told["runbook_url"] == f"docs/runbooks/alerts.md#{rule['alert'].lower()}"
        # What a template names has to be there when the alert comes: labels that the query groups away are empty.
        selectors, grouped = asked(rule["expr"])
        there = grouped | {label for each in selectors for label in known()[each.name]} | OF_PROMETHEUS
        assert set(re.findall(r"\$labels\.(\w+)", " ".join(told.values()))) <= there, rule


def test_the_scrape_example_has_the_jobs_and_the_file_that_the_rules_need() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    assert config["rule_files"] == [RULES.name]
    jobs = {each["job_name"] for each in config["scrape_configs"]}
    assert jobs == {"axis", "axis-gateway", "axis-console", "rabbitmq", "rabbitmq-queues"}


def test_the_page_is_fresh() -> None:
    written = PAGE.read_text("utf-8")
    assert written == page(written), "run: python -m tests.metrics_page"


def test_queries_are_read_rightly() -> None:
    query = (
        'sum by (reason) (increase(a_total{x="}", y=~"b|c"}[5m])) > 0.5 '
        "or time() - max(b offset 15m) unless on (queue) c == 0"
    )
    selectors, grouped = asked(query)
    assert selectors == [Asked("a_total", (("x", "=", "}"), ("y", "=~", "b|c"))), Asked("b", ()), Asked("c", ())]
    assert grouped == {"reason", "queue"}
    assert wrong("axis_held{code='H37'}") == ["axis_held has no label code"]
    assert wrong("sum by (mailbox) (axis_helt)") == ["no metric axis_helt", "nobody has the label mailbox"]


def test_promtool_takes_rules_and_configuration_and_the_rules_do_what_their_tests_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    folder = DEPLOY / "prometheus"
    for arguments in (
        ("check", "config", "prometheus.yml"),
        ("check", "rules", RULES.name),
        ("test", "rules", "axis-rules-test.yml"),
    ):
        done = subprocess.run(
            [promtool, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
