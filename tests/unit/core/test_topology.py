import pytest

from axis.core.topology import (
    DELIVERY_LIMIT,
    Binding,
    Exchange,
    Permission,
    Policy,
    Queue,
    TopicPermission,
    Topology,
    User,
    WorkerUser,
    desired,
)
from schemas import Quota
from tests.unit.core.records import MERGER, NOW, mailbox

WORKER = WorkerUser("axis-worker", "hash of the workers")
WANTED = desired([mailbox("H37"), mailbox("H37.05")], worker_user=WORKER, at=NOW, default=Quota())
QUEUES = {queue.name: queue for queue in WANTED.queues}


def test_the_axis_has_its_queues_whoever_is_connected() -> None:
    alone = desired([], worker_user=WORKER, at=NOW)
    assert {exchange.name: exchange.type for exchange in alone.exchanges} == {
        "axis.submit": "topic",
        "axis.status": "topic",
        "axis.deliver": "direct",
        "axis.retry.5": "fanout",
        "axis.retry.60": "fanout",
        "axis.retry.600": "fanout",
    }
    assert {queue.name for queue in alone.queues} == {
        "axis.route.urgent",
        "axis.route.normal",
        "axis.track",
        "axis.quarantine",
        "axis.retry.5",
        "axis.retry.60",
        "axis.retry.600",
    }
    assert set(alone.bindings) >= {
        Binding("axis.submit", "axis.route.urgent", "urgent.#"),
        Binding("axis.submit", "axis.route.normal", "normal.#"),
        Binding("axis.status", "axis.track", "#"),
    }
    assert alone.users == (User("axis-worker", "hash of the workers"),)


def test_a_mailbox_is_three_queues_and_an_account() -> None:
    before = {queue.name for queue in desired([mailbox("H37")], worker_user=WORKER, at=NOW).queues}
    new = set(QUEUES) - before
    assert new == {"mailbox.urgent.H37.05", "mailbox.normal.H37.05", "notices.H37.05"}
    assert {Binding("axis.deliver", name, name) for name in new} <= set(WANTED.bindings)
    assert User("H37.05", "hash of H37.05") in WANTED.users


def test_mailboxes_not_in_force_have_nothing() -> None:
    boxes = [mailbox("H22", valid_to=MERGER), mailbox("H60", valid_from=NOW)]
    assert {user.name for user in desired(boxes, worker_user=WORKER, at=NOW).users} == {"axis-worker", "H60"}


def test_of_two_periods_in_force_the_later_one_holds_the_password() -> None:
    renewed = mailbox("H37", valid_from=MERGER, password_hash="newer")
    users = desired([renewed, mailbox("H37")], worker_user=WORKER, at=NOW).users
    assert [user.password_hash for user in users if user.name == "H37"] == ["newer"]


@pytest.mark.parametrize("name", sorted(QUEUES))
def test_no_queue_gives_a_message_up(name: str) -> None:
    arguments = QUEUES[name].arguments
    assert arguments["x-queue-type"] == "quorum"
    # A negative number means "none" to RabbitMQ 4 and "at once" to 3.10.
    assert arguments["x-delivery-limit"] == DELIVERY_LIMIT > 10**6


@pytest.mark.parametrize("name", ["axis.route.urgent", "axis.route.normal", "axis.track"])
def test_what_workers_reject_goes_to_quarantine_at_least_once(name: str) -> None:
    arguments = QUEUES[name].arguments
    assert (arguments["x-dead-letter-exchange"], arguments["x-dead-letter-routing-key"]) == ("", "axis.quarantine")
    assert (arguments["x-dead-letter-strategy"], arguments["x-overflow"]) == ("at-least-once", "reject-publish")
    assert "x-message-ttl" not in arguments


@pytest.mark.parametrize("seconds", [5, 60, 600])
def test_retry_queues_send_back_to_where_the_key_says(seconds: int) -> None:
    arguments = QUEUES[f"axis.retry.{seconds}"].arguments
    assert arguments["x-message-ttl"] == seconds * 1000
    assert arguments["x-dead-letter-exchange"] == ""
    assert "x-dead-letter-routing-key" not in arguments
    assert (arguments["x-dead-letter-strategy"], arguments["x-overflow"]) == ("at-least-once", "reject-publish")


@pytest.mark.parametrize("name", [name for name in sorted(QUEUES) if not name.startswith("axis.")])
def test_mailboxes_lose_nothing_by_time_or_length(name: str) -> None:
    assert set(QUEUES[name].arguments) == {"x-queue-type", "x-delivery-limit"}


def test_things_are_made_in_a_safe_order() -> None:
    kinds = [type(item) for item in WANTED.items()]
    order = [Policy, Exchange, Queue, Binding, User, TopicPermission, Permission]
    assert [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] is not kind] == order
    assert Topology.of(reversed(list(WANTED.items()))).permissions == tuple(reversed(WANTED.permissions))


def test_no_object_is_named_twice() -> None:
    keys = [(item.kind, item.key) for item in WANTED.items()]
    assert len(keys) == len(set(keys))


def test_password_hashes_do_not_show() -> None:
    assert "hash of" not in repr(WANTED) + repr(WORKER)
