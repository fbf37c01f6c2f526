from dataclasses import replace

from axis.core.topology import (
    Binding,
    Exchange,
    Item,
    Permission,
    Policy,
    Queue,
    TopicPermission,
    Topology,
    User,
    UserLimit,
    Verb,
    WorkerUser,
    applied,
    desired,
    difference,
)
from schemas import Quota
from tests.unit.core.records import NOW, mailbox

WORKER = WorkerUser("axis-worker", "hash of the workers")
WANTED = desired([mailbox("H37"), mailbox("G22")], worker_user=WORKER, at=NOW, default=Quota())


def plus(*items: Item) -> Topology:
    return Topology.of([*WANTED.items(), *items])


def without(*items: Item) -> Topology:
    return Topology.of([item for item in WANTED.items() if item not in items])


def swapped(old: Item, new: Item) -> Topology:
    return Topology.of([new if item == old else item for item in WANTED.items()])


def verbs(actual: Topology) -> list[tuple[str, str]]:
    return [(change.verb.value, change.text) for change in difference(WANTED, actual)]


def test_nothing_is_to_be_done_about_what_is_right() -> None:
    assert difference(WANTED, WANTED) == ()
    assert difference(WANTED, Topology.of(reversed(list(WANTED.items())))) == ()


def test_an_empty_broker_gets_everything_in_a_safe_order() -> None:
    changes = difference(WANTED, Topology())
    assert {change.verb for change in changes} == {Verb.CREATE}
    made = [change.item for change in changes]
    completing = [item for item in made if isinstance(item, Queue | Binding) and "notices." in item.key[-1]]
    assert [item for item in made if item not in completing] == [i for i in WANTED.items() if i not in completing]
    # What the router takes for a ready mailbox comes last: the queues, then their bindings.
    assert made[-len(completing) :] == completing
    assert [type(item) for item in completing] == sorted((type(i) for i in completing), key=[Queue, Binding].index)
    assert {item.key for item in made} == {item.key for item in WANTED.items()}
    assert changes[0].text == "create policy axis"


def test_a_changed_password_is_an_update() -> None:
    actual = swapped(User("H37", "hash of H37"), User("H37", "older"))
    assert [(c.verb, c.item) for c in difference(WANTED, actual)] == [(Verb.UPDATE, User("H37", "hash of H37"))]


def test_an_agency_that_became_administrator_is_put_back() -> None:
    actual = swapped(User("H37", "hash of H37"), User("H37", "hash of H37", tags=("administrator",)))
    assert verbs(actual) == [("update", "update user H37")]


def test_widened_rights_are_narrowed() -> None:
    permission = next(p for p in WANTED.permissions if p.user == "H37")
    assert verbs(swapped(permission, replace(permission, read=".*"))) == [("update", "update permission H37")]


def test_queues_are_never_deleted() -> None:
    (change,) = difference(WANTED, plus(Queue("mailbox.urgent.H22", {"x-queue-type": "quorum"})))
    assert change.verb is Verb.CONFLICT
    assert "may hold messages" in change.text


def test_what_the_broker_cannot_change_is_a_conflict_with_its_traits() -> None:
    queue = next(q for q in WANTED.queues if q.name == "axis.track")
    (change,) = difference(WANTED, swapped(queue, Queue("axis.track", {"x-queue-type": "classic"})))
    assert change.verb is Verb.CONFLICT
    assert "x-queue-type is 'classic', not 'quorum'" in change.text
    (change,) = difference(WANTED, swapped(Exchange("axis.submit", "topic"), Exchange("axis.submit", "fanout")))
    assert change.verb is Verb.CONFLICT
    assert "fanout" in change.text


def test_a_closed_mailbox_loses_its_rights_first_and_keeps_its_queues() -> None:
    later = desired([mailbox("G22")], worker_user=WORKER, at=NOW, default=Quota())
    changes = difference(later, WANTED)
    assert [(c.verb.value, c.kind) for c in changes] == [
        ("delete", "permission"),
        ("delete", "topic permission"),
        ("delete", "topic permission"),
        ("delete", "user"),
        ("delete", "binding"),
        ("delete", "binding"),
        ("delete", "binding"),
        ("conflict", "queue"),
        ("conflict", "queue"),
        ("conflict", "queue"),
    ]
    after = applied(WANTED, changes)
    assert {queue.name for queue in after.queues} == {queue.name for queue in WANTED.queues}
    assert {user.name for user in after.users} == {"G22", "axis-worker"}


def test_stray_bindings_on_our_exchanges_and_queues_are_taken_away() -> None:
    tap = Binding("axis.submit", "tap", "#")
    inlet = Binding("amq.topic", "mailbox.urgent.H37", "#")
    assert [text for _, text in verbs(plus(tap, inlet))] == [
        "delete binding axis.submit → tap → #",
        "delete binding amq.topic → mailbox.urgent.H37 → #",
    ]


def test_what_belongs_to_others_is_left_alone() -> None:
    others: list[Item] = [
        Exchange("amq.topic", "topic"),
        Queue("tap", {}),
        Binding("", "axis.track", "axis.track"),
        Binding("amq.topic", "tap", "#"),
        User("guest", "x", tags=("administrator",)),
        Permission("guest", ".*", ".*", ".*"),
        TopicPermission("guest", "amq.topic", ".*", ".*"),
        Policy("others", "^tap$", {"max-length": 10}, priority=500),
        Policy("catch-all", ".*", {"message-ttl": 1000}, priority=0),
        # Called by a code, but without rights here: another virtual host's.
        User("H60", "x"),
    ]
    assert verbs(plus(*others)) == []


def test_a_policy_that_would_override_ours_is_reported() -> None:
    (change,) = difference(WANTED, plus(Policy("limits", "^mailbox", {"max-length": 10}, priority=100)))
    assert change.verb is Verb.CONFLICT
    assert "may override ours on mailbox." in change.text
    assert difference(WANTED, plus(Policy("limits", "(?<odd>", {}, priority=100)))[0].verb is Verb.CONFLICT
    assert difference(WANTED, plus(Policy("e", ".*", {}, priority=100, apply_to="exchanges"))) == ()


def test_policies_and_exchanges_of_an_older_axis_go() -> None:
    old = (Policy("axis-old", "^x$", {}, priority=1), Exchange("axis.retry.30", "fanout"))
    assert [text for _, text in verbs(plus(*old))] == ["delete exchange axis.retry.30", "delete policy axis-old"]


def test_a_stray_topic_permission_is_not_worth_the_moment_without_any() -> None:
    (change,) = difference(WANTED, plus(TopicPermission("H37", "amq.topic", ".*", ".*")))
    assert change.verb is Verb.CONFLICT


def test_names_and_texts_say_what_is_meant() -> None:
    binding = next(b for b in WANTED.bindings if b.queue == "notices.H37")
    (change,) = difference(WANTED, without(binding))
    assert change.name == "axis.deliver → notices.H37 → notices.H37"
    assert change.kind == "binding"


def test_limits_of_accounts_are_made_after_them_changed_and_taken_away() -> None:
    def held(**most: int) -> Topology:
        quota = Quota(**most)
        boxes = [mailbox("H37").model_copy(update={"quota": quota}), mailbox("G22")]
        return desired(boxes, worker_user=WORKER, at=NOW, default=Quota())

    made = difference(held(connections=5, channels=50), without(User("H37", "x")))
    kinds = [change.kind for change in difference(held(connections=5, channels=50), Topology())]
    assert kinds.index("user") < kinds.index("user limit") < kinds.index("permission")
    assert {change.text for change in made if change.kind == "user limit"} == {
        "create user limit H37 → max-connections",
        "create user limit H37 → max-channels",
    }
    (changed,) = difference(held(connections=6), held(connections=5))
    assert (changed.verb, changed.item) == (Verb.UPDATE, UserLimit("H37", "max-connections", 6))
    (gone,) = difference(WANTED, held(connections=5))
    assert (gone.verb, gone.kind) == (Verb.DELETE, "user limit")
    closing = difference(desired([mailbox("G22")], worker_user=WORKER, at=NOW, default=Quota()), held(connections=5))
    away = [change.kind for change in closing]
    assert away.index("user limit") < away.index("user")
    assert difference(WANTED, plus(UserLimit("guest", "max-connections", 1))) == ()


def test_a_default_limit_holds_for_every_agency_and_not_for_the_workers() -> None:
    wanted = desired([mailbox("H37"), mailbox("G22")], worker_user=WORKER, at=NOW, default=Quota(connections=9))
    assert wanted.user_limits == (
        UserLimit("G22", "max-connections", 9),
        UserLimit("H37", "max-connections", 9),
    )


def test_where_the_default_is_not_known_no_limit_is_taken_away_but_those_that_were_lifted_by_name() -> None:
    def box(**own: int) -> Topology:
        boxes = [mailbox("H37").model_copy(update={"quota": Quota(**own)})]
        return desired(boxes, worker_user=WORKER, at=NOW)

    there = Topology.of(
        [
            *(item for item in box().items() if not isinstance(item, UserLimit)),
            UserLimit("H37", "max-connections", 9),
            UserLimit("H37", "max-channels", 90),
        ]
    )
    assert difference(box(), there) == ()
    (gone,) = difference(box(connections=0), there)
    assert (gone.verb, gone.item) == (Verb.DELETE, UserLimit("H37", "max-connections", 9))
    (changed,) = difference(box(channels=5), there)
    assert (changed.verb, changed.item) == (Verb.UPDATE, UserLimit("H37", "max-channels", 5))
