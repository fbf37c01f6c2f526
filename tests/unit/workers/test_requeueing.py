"""A message from quarantine goes through the router like any other, with the account that was proved when it came."""

import asyncio
import datetime as dt
from dataclasses import replace
from unittest.mock import Mock

import pytest

from axis.core.ids import new_id
from axis.core.tracked import Quarantined
from axis.errors import Refused, Unavailable
from axis.evidence.quarantined import Done, Examiner, drop, one, requeue
from tests.unit.trust.certified import certified
from tests.unit.workers.harness import Axis, axis_of, document
from tests.unit.workers.test_hybrid import document as hybrid_document
from workers.router import Router
from workers.trying import Trials, Turn

SOURCE = "axis.route.normal"
PAST, FUTURE = dt.timedelta(days=31), dt.timedelta(hours=1)


async def examiner(axis: Axis) -> Examiner:
    return await Examiner.of(axis.store, axis.now(), past=PAST, future=FUTURE, hybrid=frozenset())


async def poisoned(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> Quarantined:
    """Have the router fail over a good document, by a fault of ours that is mended then."""
    with monkeypatch.context() as broken:
        broken.setattr("workers.router.examine", lambda *_: 1 / 0)
        await axis.router().handle([document()], SOURCE)
    (kept,) = await axis.store.quarantined()
    assert kept.reason == "message/poison"
    return kept


async def test_a_good_document_is_accepted_when_it_is_requeued(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    kept = await poisoned(axis, monkeypatch)
    outcome = await (await examiner(axis)).check(kept)
    assert (outcome.code, [each.mailbox for each in outcome.resolutions]) == (None, ["H37"])
    assert axis.mail("H37") == []  # looking changed nothing
    assert await requeue(axis.store, [kept.id], axis.now(), by="lan", why="đã sửa lỗi") == Done(1)
    assert await axis.store.quarantined() == ()
    axis.pass_time()
    await axis.router().take_up(SOURCE)
    assert len(axis.mail("H37")) == 1
    (tracked,) = await axis.store.track(kept.message_id or "")
    assert (tracked.envelope.account, tracked.envelope.sha256) == ("G22", kept.sha256)
    again = await (await examiner(axis)).check(kept)
    assert (again.code, again.known) == (None, True)
    assert [action for _, action, *_ in axis.store.audits] == ["quarantine.requeued"]


async def test_a_document_of_two_signatures_is_kept_with_both() -> None:
    axis = await axis_of(["G22", "H37"])
    came = hybrid_document()
    assert max(len(str(each)) for each in came.headers.values()) > 4_000
    await axis.router().handle([came], SOURCE)
    (kept,) = await axis.store.quarantined()
    assert kept.reason == "certificate/unknown"
    await axis.store.directory.put_certificate(certified("ml-dsa-65", "G22")[1])
    await axis.view.load()
    assert (await (await examiner(axis)).check(kept)).code is None
    assert await requeue(axis.store, [kept.id], axis.now(), by="lan", why="đã đăng ký chứng thư") == Done(1)
    axis.pass_time()
    await axis.router().take_up(SOURCE)
    assert [each.outcome for each in axis.receipts("G22")] == ["refused", "accepted"]
    assert len(axis.mail("H37")) == 1


class Killed(BaseException):
    """Stands for a process that is killed."""


class Fault(Exception):
    """Stands for a fault of ours that nothing catches: the process ends over it."""


@pytest.mark.parametrize("end", [Killed, Fault])
async def test_one_that_ends_every_worker_is_given_up_when_others_pass(
    monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    axis = await axis_of(["G22", "H37"])
    kept = await poisoned(axis, monkeypatch)
    assert await requeue(axis.store, [kept.id], axis.now(), by="lan", why="thử") == Done(1)
    axis.pass_time()
    ended = 0

    def ends(_: object) -> None:
        raise end

    async def live(router: Router) -> int:
        """Let a router take up what waits, as long as it lives; return how many ended."""
        with monkeypatch.context() as deadly:
            deadly.setattr("workers.router.resubmitted", ends)
            try:
                await router.take_up(SOURCE)
            except end:
                return 1
        return 0

    for _ in range(10):  # nothing else comes: it ends three, and is left alone
        ended += await live(axis.router())
    assert ended == 3
    for _ in range(17):  # each router gets another document through before
        router = axis.router()
        await router.handle([document(id=new_id(axis.now()))], SOURCE)
        ended += await live(router)
    assert ended == 20
    await axis.router().take_up(SOURCE)
    assert await axis.store.quarantined() == ()
    router = axis.router()
    await router.handle([document(id=new_id(axis.now()))], SOURCE)
    await router.take_up(SOURCE)
    assert axis.events("refused")[-1]["code"] == "message/poison"
    (again,) = await axis.store.quarantined()
    assert (again.id, again.detail) == (kept.id, kept.detail)
    assert await axis.store.waiting(SOURCE, axis.now(), 10) == []
    assert axis.store.suspects.noted == {}


async def test_a_store_that_is_away_leaves_no_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is still there, so nothing is to be held against what it had in hand; nor what stopped it."""
    for away in (Unavailable("gone"), asyncio.CancelledError()):
        axis = await axis_of(["G22", "H37"])
        kept = await poisoned(axis, monkeypatch)
        assert await requeue(axis.store, [kept.id], axis.now(), by="lan", why="thử") == Done(1)
        axis.pass_time()
        with monkeypatch.context() as outage:
            outage.setattr("workers.router.resubmitted", Mock(side_effect=away))
            with pytest.raises(type(away)):
                await axis.router().take_up(SOURCE)
        assert axis.store.suspects.noted == {}


async def test_what_got_through_when_it_was_taken_up_speaks_for_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    kept = await poisoned(axis, monkeypatch)
    assert await requeue(axis.store, [kept.id], axis.now(), by="lan", why="thử") == Done(1)
    axis.pass_time()
    trials, (waiting,) = Trials(axis.store.suspects), await axis.store.waiting(SOURCE, axis.now(), 10)
    for _ in range(3):
        with pytest.raises(Fault):
            async with trials.trial(waiting):
                raise Fault
    async with trials.trial(waiting) as turn:
        assert turn is Turn.LEAVE
    async with trials.trial(replace(waiting, id=new_id(axis.now()))) as turn:
        assert turn is Turn.TRY
    async with trials.trial(waiting) as turn:
        assert turn is Turn.TRY


async def test_what_is_still_wrong_is_refused_again_and_comes_back() -> None:
    axis = await axis_of(["G22", "H37"])
    await axis.router().handle([replace(document(), routing_key="normal.H37")], SOURCE)
    (kept,) = await axis.store.quarantined()
    assert kept.reason == "abuse/routing-key"
    assert (await (await examiner(axis)).check(kept)).code == "abuse/routing-key"
    assert (await requeue(axis.store, [kept.id], axis.now(), by="lan", why="thử")).done == 1
    axis.pass_time()
    await axis.router().take_up(SOURCE)
    assert axis.mail("H37") == []
    assert [each.id for each in await axis.store.quarantined()] == [kept.id]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account": None}, "no account"),
        ({"source": "axis.track"}, "no queue of documents"),
        ({"properties": {}}, "was not kept"),
        ({"body": b"{"}, "bytes were kept"),
    ],
)
async def test_what_is_not_known_is_not_made_up(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], words: str
) -> None:
    axis = await axis_of(["G22", "H37"])
    kept = replace(await poisoned(axis, monkeypatch), **changes)  # type: ignore[arg-type]
    outcome = await (await examiner(axis)).check(kept)
    assert outcome.code == "quarantine/stays"
    assert words in outcome.detail


async def test_nothing_leaves_without_a_reason_why(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    kept = await poisoned(axis, monkeypatch)
    for why in (" ", "x" * 501):
        with pytest.raises(Refused, match="quarantine/asked"):
            await drop(axis.store, [kept.id], by="lan", why=why)
        with pytest.raises(Refused, match="quarantine/asked"):
            await requeue(axis.store, [kept.id], axis.now(), by="lan", why=why)
    assert (await one(axis.store, kept.id)).is_in
    assert await drop(axis.store, [kept.id], by="lan", why="rác") == Done(1)
    again = await requeue(axis.store, [kept.id], axis.now(), by="lan", why="muộn")
    assert (again.done, [error.code for _, error in again.stayed]) == (0, ["quarantine/stays"])
