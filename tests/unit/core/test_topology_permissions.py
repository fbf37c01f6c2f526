"""The expressions, matched the way RabbitMQ does: searched for anywhere in the name."""

import re

import pytest

from axis.core.permissions import agency_permission, agency_topic_permissions, exactly, worker_permission

SUBMIT, STATUS = agency_topic_permissions("H37.05")
AGENCY = agency_permission("H37.05")
WORKER = worker_permission("axis-worker")


@pytest.mark.parametrize("key", ["urgent.H37.05", "normal.H37.05", "normal.H37.05.02", "urgent.H37.05.02.01"])
def test_an_agency_submits_for_itself_and_those_below(key: str) -> None:
    assert re.search(SUBMIT.write, key)
    assert re.search(STATUS.write, key.partition(".")[2])


@pytest.mark.parametrize(
    "key",
    [
        "urgent.H37X05",
        "urgent.H37",
        "urgent.H37.050",
        "urgent.H37.06",
        "urgent.XH37.05",
        "urgentXH37.05",
        "slow.H37.05",
        "normal.urgent.H37.05",
        "H37.05",
        "",
    ],
)
def test_an_agency_submits_for_nobody_else(key: str) -> None:
    assert not re.search(SUBMIT.write, key)


@pytest.mark.parametrize("key", ["H37X05", "H37", "H37.050", "XH37.05", "urgent.H37.05", ""])
def test_an_agency_reports_for_nobody_else(key: str) -> None:
    assert not re.search(STATUS.write, key)


@pytest.mark.parametrize("name", ["mailbox.urgent.H37.05", "mailbox.normal.H37.05", "notices.H37.05", "replay.H37.05"])
def test_an_agency_reads_its_own_queues(name: str) -> None:
    assert re.search(AGENCY.read, name)


@pytest.mark.parametrize(
    "name",
    [
        "mailbox.urgent.H37",
        "mailbox.urgent.H37X05",
        "mailbox.urgent.H37.05.02",
        "mailboxXurgent.H37.05",
        "x.mailbox.urgent.H37.05",
        "notices.H37",
        "replay.H37",
        "replay.H37X05",
        "replay.by-hand",
        "axis.track",
        "axis.quarantine",
        "",
    ],
)
def test_an_agency_reads_nothing_else(name: str) -> None:
    assert not re.search(AGENCY.read, name)


def test_an_agency_writes_to_two_exchanges_and_never_to_queues() -> None:
    assert [
        name
        for name in ("axis.submit", "axis.status", "axis.deliver", "axisXsubmit", "amq.default", "axis.retry.5")
        if re.search(AGENCY.write, name)
    ] == ["axis.submit", "axis.status"]


def test_nobody_makes_anything() -> None:
    for permission in (AGENCY, WORKER):
        assert permission.configure == "^$"
        assert not re.search(permission.configure, "anything")


def test_agencies_bind_to_nothing() -> None:
    assert not re.search(SUBMIT.read, "#")
    assert not re.search(STATUS.read, "#")


def test_workers_read_the_queues_of_the_axis_but_no_mailbox() -> None:
    for name in ("axis.route.urgent", "axis.route.normal", "axis.track", "axis.quarantine"):
        assert re.search(WORKER.read, name)
    for name in ("mailbox.urgent.H37", "notices.H37", "axis.retry.5", "axis.route.urgent.x"):
        assert not re.search(WORKER.read, name)


def test_workers_write_only_where_messages_go_out_or_wait() -> None:
    for name in ("axis.deliver", "axis.retry.5", "axis.retry.60", "axis.retry.600"):
        assert re.search(WORKER.write, name)
    for name in ("axis.submit", "axis.status", "amq.default", "axis.retry.50", "axis.retry.6000"):
        assert not re.search(WORKER.write, name)


def test_exactly_takes_names_letter_for_letter() -> None:
    assert re.search(exactly("a.b", "c"), "a.b")
    assert re.search(exactly("a.b", "c"), "c")
    assert not re.search(exactly("a.b", "c"), "aXb")
