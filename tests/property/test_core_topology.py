import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from axis.core.codes import is_within
from axis.core.lanes import LANES, mailbox_queue, notices_queue, submit_key
from axis.core.permissions import agency_permission, agency_topic_permissions
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
    Verb,
    WorkerUser,
    applied,
    desired,
    difference,
)
from schemas import Quota
from tests.unit.core.records import NOW, mailbox

CODES = st.from_regex(r"[A-Z][0-9]{2}(\.[A-Z0-9]{1,3}){0,3}", fullmatch=True)
# Codes that resemble each other: prefixes, units below, and a letter where another has its dot.
ALIKE = st.sampled_from(["H37", "H38", "H37.05", "H37.0", "H37.050", "H37.05.02", "H37.X05", "G37.05"])
KEYS = st.one_of(ALIKE, CODES, st.from_regex(r"H37.05.?[0-9]?", fullmatch=True), st.text(max_size=12))
MAILBOXES = st.lists(ALIKE, max_size=4, unique=True)
WORKER = WorkerUser("axis-worker", "x")
# Means the same in Erlang's PCRE and in Python's re, multi-line or not: literals, anchors, groups, alternatives.
PLAIN_EXPRESSION = re.compile(r"\^(?:[A-Za-z0-9-]|\\\.|[(|)$])*")


def topology(codes: list[str]) -> Topology:
    return desired([mailbox(code) for code in codes], worker_user=WORKER, at=NOW, default=Quota())


@given(ALIKE | CODES, KEYS)
def test_an_account_writes_under_a_key_only_for_its_code_and_those_below(account: str, key: str) -> None:
    submit, status = agency_topic_permissions(account)
    for lane in LANES:
        allowed = re.search(submit.write, submit_key(lane, key)) is not None
        # Broker expressions end at a line's end; a key with a line feed is for the router to refuse.
        assert allowed == is_within(key.removesuffix("\n"), account)
    assert (re.search(status.write, key) is not None) == is_within(key.removesuffix("\n"), account)


@given(ALIKE | CODES, st.data())
def test_any_other_letter_in_place_of_a_dot_is_refused(code: str, data: st.DataObject) -> None:
    names = [mailbox_queue("urgent", code), notices_queue(code)]
    name = data.draw(st.sampled_from(names))
    dot = data.draw(st.sampled_from([i for i, letter in enumerate(name) if letter == "."]))
    letter = data.draw(st.characters().filter(lambda c: c != "."))
    lookalike = name[:dot] + letter + name[dot + 1 :]
    assert re.search(agency_permission(code).read, name)
    assert not re.search(agency_permission(code).read, lookalike)


@given(st.lists(ALIKE | CODES, min_size=2, max_size=6, unique=True))
def test_no_agency_has_rights_on_the_queues_of_another(codes: list[str]) -> None:
    wanted = topology(codes)
    for permission in wanted.permissions:
        own = {*(mailbox_queue(lane, permission.user) for lane in LANES), notices_queue(permission.user)}
        names = {queue.name for queue in wanted.queues}
        assert not any(re.search(permission.configure, name) for name in names)
        assert not any(re.search(permission.write, name) for name in names if not name.startswith("axis.retry."))
        readable = {name for name in names if re.search(permission.read, name)}
        if permission.user != WORKER.name:
            assert readable == own
        else:
            assert all(name.startswith("axis.") for name in readable)


@given(MAILBOXES)
def test_expressions_are_plain(codes: list[str]) -> None:
    wanted = topology(codes)
    expressions = [
        *(e for p in wanted.permissions for e in (p.configure, p.write, p.read)),
        *(e for t in wanted.topic_permissions for e in (t.write, t.read)),
        *(p.pattern for p in wanted.policies),
    ]
    assert all(PLAIN_EXPRESSION.fullmatch(expression) for expression in expressions)


@given(MAILBOXES)
def test_every_queue_is_under_the_policy(codes: list[str]) -> None:
    wanted = topology(codes)
    (policy,) = wanted.policies
    assert all(re.search(policy.pattern, queue.name) for queue in wanted.queues)


def altered(item: Item) -> Item:
    """Return the same thing with other traits, where it has any that differ."""
    match item:
        case Exchange():
            return replace(item, type="headers")
        case Queue():
            return replace(item, arguments={"x-queue-type": "classic"})
        case User():
            return replace(item, tags=("administrator",))
        case Permission() | TopicPermission():
            return replace(item, write=".*")
        case _:
            return item


STRANGERS: list[Item] = [
    Exchange("amq.topic", "topic"),
    Exchange("axis.old", "topic"),
    Queue("tap", {}),
    Queue("mailbox.urgent.Z99", {"x-queue-type": "quorum"}),
    Binding("axis.submit", "tap", "#"),
    Binding("", "tap", "tap"),
    Policy("axis-old", "^old", {}, priority=1),
    Policy("strict", ".*", {"max-length": 1}, priority=999),
    User("guest", "x", tags=("administrator",)),
    Permission("guest", ".*", ".*", ".*"),
    User("Z99", "x"),
    Permission("Z99", "^$", ".*", ".*"),
    TopicPermission("Z99", "axis.submit", ".*", ".*"),
    TopicPermission("H37", "amq.topic", ".*", ".*"),
]


@st.composite
def brokers(draw: st.DrawFn) -> Topology:
    """Draw what may be at a broker: another day's topology, with holes, changed by hand, and with strangers."""
    items = list(topology(draw(MAILBOXES)).items())
    rng = draw(st.randoms(use_true_random=False))
    fates = [rng.choice(["kept", "kept", "altered", "gone"]) for _ in items]
    left = [
        altered(item) if fate == "altered" else item for item, fate in zip(items, fates, strict=True) if fate != "gone"
    ]
    return Topology.of([*left, *draw(st.lists(st.sampled_from(STRANGERS), unique_by=repr))])


def as_set(given_topology: Topology) -> dict[tuple[str, tuple[str, ...]], Item]:
    return {(item.kind, item.key): item for item in given_topology.items()}


@given(MAILBOXES)
def test_there_is_no_difference_to_itself(codes: list[str]) -> None:
    assert difference(topology(codes), topology(codes)) == ()


@given(MAILBOXES, MAILBOXES)
def test_changes_lead_from_one_day_to_another(yesterday: list[str], today: list[str]) -> None:
    wanted = topology(today)
    changes = difference(wanted, topology(yesterday))
    after = as_set(applied(topology(yesterday), changes))
    # The queues of those who left stay, each with its reason; all else is as wanted.
    left = {("queue", change.item.key) for change in changes if change.verb is Verb.CONFLICT}
    assert {place: item for place, item in after.items() if place not in left} == as_set(wanted)
    assert all(place[1][0].startswith(("mailbox.", "notices.")) for place in left)


@given(MAILBOXES, brokers())
def test_after_the_changes_only_conflicts_are_left(codes: list[str], actual: Topology) -> None:
    wanted = topology(codes)
    changes = difference(wanted, actual)
    after = applied(actual, changes)
    assert {change.verb for change in difference(wanted, after)} <= {Verb.CONFLICT}
    conflicts = {(change.kind, change.item.key) for change in changes if change.verb is Verb.CONFLICT}
    for place, item in as_set(wanted).items():
        assert as_set(after)[place] == item or place in conflicts


@given(MAILBOXES, brokers())
def test_no_queue_and_nothing_of_others_is_ever_lost(codes: list[str], actual: Topology) -> None:
    after = applied(actual, difference(topology(codes), actual))
    assert {queue.name for queue in actual.queues} <= {queue.name for queue in after.queues}
    others = {"guest", "amq.topic", "tap"}
    kept = {place: item for place, item in as_set(actual).items() if place[1][0] in others}
    assert all(as_set(after)[place] == item for place, item in kept.items())


@given(MAILBOXES, brokers())
def test_no_account_has_a_permission_before_its_topic_permissions(codes: list[str], actual: Topology) -> None:
    changes = difference(topology(codes), actual)
    granted = [(c.kind, c.item) for c in changes if c.verb in {Verb.CREATE, Verb.UPDATE}]
    kinds = [kind for kind, _ in granted]
    if "permission" in kinds and "topic permission" in kinds:
        assert kinds.index("permission") > len(kinds) - 1 - kinds[::-1].index("topic permission")
    taken = [c.kind for c in changes if c.verb is Verb.DELETE]
    assert taken == sorted(taken, key=["permission", "topic permission", "user", "binding", "exchange", "policy"].index)
