import datetime as dt
from dataclasses import replace

import pytest

from axis.core.asof import as_of
from axis.core.conversation import Kind, Talk
from axis.core.deadlines import Pause
from axis.core.fate import TRANSITIONS, Awaited, Transport, diagram, fates, is_final
from axis.core.lifecycle import Effect
from axis.core.tracked import Tracked
from tests.unit.core.histories import ENVELOPE, ORIGINAL, History, delivery, envelope, minute, reported, status, talk


def test_the_table_answers_everything_in_every_state() -> None:
    assert set(TRANSITIONS) == {None, *Transport}
    assert all(set(row) == set(Transport) for row in TRANSITIONS.values())
    assert [state for state in Transport if is_final(state)] == [Transport.WITHDRAWN, Transport.UNDELIVERABLE]
    assert diagram().count("-->") == 15


@pytest.mark.parametrize(
    ("history", "transport", "waits", "since"),
    [
        (History(delivery("routed")), Transport.ACCEPTED, Awaited.CONFIRMATION, 0),
        (History(delivery("held", held_since=minute(3))), Transport.HELD, Awaited.RELEASE, 3),
        (History(delivery("delivered")), Transport.ROUTED, Awaited.TAKING, 1),
        (History(delivery("delivered", fetched_at=minute(4))), Transport.TAKEN, Awaited.ACCEPTANCE, 4),
        (History(delivery("refused", mailbox=None)), Transport.UNDELIVERABLE, None, 0),
        (reported("01"), Transport.TAKEN, Awaited.ACCEPTANCE, 5),
        (reported("01", state="held"), Transport.TAKEN, Awaited.ACCEPTANCE, 5),  # the copy sent in vain got there
        (reported("01", "03"), Transport.TAKEN, Awaited.FINISHING, 10),
        (reported("01", "03", "04", "05"), Transport.TAKEN, Awaited.FINISHING, 20),
        (reported("02"), Transport.TAKEN, None, 5),
        (reported("05", "06"), Transport.TAKEN, None, 10),
    ],
)
def test_how_a_delivery_stands(history: History, transport: Transport, waits: Awaited | None, since: float) -> None:
    fate = history.fate()
    assert (fate.transport, fate.waiting_for, fate.since) == (transport, waits, minute(since))
    assert fate.ended == (waits is None)
    assert fate.business == history.delivery.last_status


def test_a_code_that_this_version_does_not_know_is_kept() -> None:
    history = reported("01")
    fate = replace(history, delivery=replace(history.delivery, last_status="77")).fate()
    assert (fate.business, fate.waiting_for) == ("77", Awaited.ACCEPTANCE)


def test_when_it_arrived_was_accepted_and_finished_is_when_the_axis_heard_it() -> None:
    fate = reported("03", "01", "04", "06").fate()
    assert (fate.arrived_at, fate.accepted_at, fate.finished_at) == (minute(5), minute(5), minute(20))
    refused = reported("01", "02").fate()
    assert (refused.arrived_at, refused.accepted_at, refused.finished_at) == (minute(5), minute(10), minute(10))
    asked = History(delivery("delivered"), (status("13", 5, effect="noted"),)).fate()
    assert asked.arrived_at is None


@pytest.mark.parametrize(
    ("kind", "state", "transport", "waits"),
    [
        (Kind.RECALL, Talk.REQUESTED, Transport.ROUTED, Awaited.ANSWER),
        (Kind.RECALL, Talk.DECLINED, Transport.ROUTED, Awaited.TAKING),
        (Kind.TAKE_BACK, Talk.AGREED, Transport.ROUTED, Awaited.DESTRUCTION),
        (Kind.RECALL, Talk.DESTROYED, Transport.ROUTED, None),
        (Kind.RECALL, Talk.WITHDRAWN, Transport.WITHDRAWN, None),
        (Kind.UPDATE, Talk.REQUESTED, Transport.ROUTED, Awaited.TAKING),
        (Kind.REPLACE, Talk.REQUESTED, Transport.ROUTED, Awaited.TAKING),
        (Kind.REPLACE, Talk.AGREED, Transport.ROUTED, None),
    ],
)
def test_what_is_asked_about_a_document(kind: Kind, state: Talk, transport: Transport, waits: Awaited | None) -> None:
    fate = History(delivery("delivered"), talks=(talk(kind, state),)).fate()
    assert (fate.transport, fate.waiting_for) == (transport, waits)


def test_what_was_withdrawn_at_the_axis() -> None:
    gone = talk(Kind.RECALL, Talk.WITHDRAWN, destroyed_at=None)
    fate = History(delivery("withdrawn"), talks=(gone,)).fate()
    assert (fate.transport, fate.since, fate.ended) == (Transport.WITHDRAWN, minute(20), True)


@pytest.mark.parametrize(
    ("action", "state", "waits"),
    [
        ("recall", Talk.REQUESTED, Awaited.ANSWER),
        ("recall", Talk.AGREED, Awaited.DESTRUCTION),
        ("recall", Talk.DESTROYED, None),
        ("update", Talk.REQUESTED, Awaited.ANSWER),
        ("update", Talk.AGREED, None),
        ("replace", Talk.DECLINED, None),
    ],
)
def test_what_acts_on_another_document_is_there_to_be_answered(action: str, state: Talk, waits: Awaited | None) -> None:
    asked = talk(Kind(action), state, request=ENVELOPE, about=ORIGINAL)
    history = History(
        delivery("delivered", last_status="01"),
        (status("01", 5), status("15", 6, effect="noted")),
        (asked,),
        envelope(action=action, concerns=ORIGINAL),
    )
    fate = history.fate()
    assert (fate.waiting_for, fate.accepted_at) == (waits, minute(6))
    untaken = replace(history, delivery=delivery("delivered"), statuses=(), talks=()).fate()
    assert untaken.waiting_for is Awaited.TAKING
    handled = replace(history, delivery=delivery("delivered", last_status="06"), talks=()).fate()
    assert handled.ended


def test_each_recipient_has_its_own() -> None:
    both = Tracked(
        envelope(),
        (delivery("delivered"), delivery("delivered", recipient="G01", last_status="01")),
        (status("01", 5, recipient="G01"),),
        (),
        (talk(Kind.RECALL, Talk.REQUESTED),),
    )
    one, other = fates(both)
    assert (one.transport, one.waiting_for) == (Transport.ROUTED, Awaited.ANSWER)
    assert (other.transport, other.waiting_for) == (Transport.TAKEN, Awaited.ACCEPTANCE)


def test_what_a_recipient_is_not_charged_with() -> None:
    held = delivery("delivered", held_since=minute(1), released_at=minute(9))
    talks = (talk(Kind.RECALL, Talk.DECLINED), talk(Kind.UPDATE, Talk.REQUESTED))
    assert History(held, talks=talks).fate().pauses == (Pause(minute(1), minute(9)), Pause(minute(20), minute(30)))
    assert History(delivery("held")).fate().pauses == (Pause(minute(0), None),)


def known(history: History, at: float) -> Tracked:
    found = as_of(history.tracked(), minute(at))
    assert found is not None
    return found


def test_as_of_a_moment() -> None:
    whole = reported("01", "05", "06")
    history = replace(
        whole,
        delivery=replace(whole.delivery, held_since=minute(0.5), released_at=minute(3), delivered_at=minute(3)),
        talks=(talk(Kind.RECALL, Talk.DESTROYED),),
    )
    assert as_of(history.tracked(), minute(-1)) is None
    seen = {at: fates(known(history, at))[0] for at in (0, 1, 4, 5, 12, 15, 25, 35, 45)}
    assert {at: (fate.transport.value, fate.business, fate.waiting_for) for at, fate in seen.items()} == {
        0: ("accepted", None, "confirmation"),
        1: ("held", None, "release"),
        4: ("routed", None, "taking"),
        5: ("taken", "01", "acceptance"),
        12: ("taken", "05", "finishing"),
        15: ("taken", "06", None),
        25: ("taken", "06", "answer"),
        35: ("taken", "06", "destruction"),
        45: ("taken", "06", None),
    }
    assert known(history, 1).notices[0].published_at is None
    assert known(history, 45) == history.tracked()


def test_as_of_before_it_was_withdrawn_at_the_axis() -> None:
    gone = talk(Kind.RECALL, Talk.WITHDRAWN, destroyed_at=None)
    history = History(delivery("withdrawn", held_since=minute(0), reason="concerns/withdrawn"), talks=(gone,))
    assert fates(known(history, 10))[0].transport is Transport.HELD
    assert known(history, 10).deliveries[0].reason is None
    assert fates(known(history, 20))[0].transport is Transport.WITHDRAWN


def test_as_of_before_it_was_held_again() -> None:
    history = History(delivery("held", held_since=minute(2), reason="mailbox/full"))
    assert fates(known(history, 1))[0].transport is Transport.ACCEPTED
    assert fates(known(history, 2))[0].transport is Transport.HELD


def test_as_time_goes_by_a_delivery_moves_by_the_table() -> None:
    history = replace(
        reported("01", "03"),
        delivery=delivery(
            "delivered", last_status="03", held_since=minute(1), released_at=minute(2), delivered_at=minute(2)
        ),
        talks=(talk(Kind.RECALL, Talk.WITHDRAWN),),
    )
    before: Transport | None = None
    for number in range(100):
        (fate,) = fates(known(history, number / 2))
        assert TRANSITIONS[before][fate.transport] in {Effect.ADVANCED, Effect.REPEATED}
        before = fate.transport
    assert before is Transport.WITHDRAWN
    assert fates(history.tracked())[0].since - minute(0) == dt.timedelta(minutes=40)
