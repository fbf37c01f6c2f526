"""The router: takes submitted envelopes, decides, commits; then posts what is committed. Its caller acks.

Commit order, and what a crash does at each point:

    decide    each message alone, in memory            crash: nothing happened, the broker redelivers
    commit    one transaction for many messages        crash after: redelivered, found unmarked, published again
    post      see workers.post                         crash after: redelivered as a duplicate, same receipt again
    ack       the batch as a whole

While a batch is posted the next one is decided and committed. What is committed but unmarked for longer is published by
the relay, so a failed publish loses nothing either.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from axis.core.admission import IdWindow
from axis.core.concerning import Waiting
from axis.core.decisions import Accept, Candidate, Desk, Refuse, poison
from axis.core.examining import Rules, examine
from axis.core.lanes import lane_of, mailbox_queue
from axis.core.messages import Submission
from axis.core.records import EnvelopeRow, Existing, NoticeRow
from axis.core.resolving import Resolution, Resolver, resolver
from axis.core.routing import Sight, blobs_of, check_blobs, deliveries_of, resolve_recipients
from axis.errors import Refused, Unavailable
from axis.store import Store
from workers.acting import Case, Waits, resubmitted, settle
from workers.calm import Calm
from workers.metrics import Metrics
from workers.post import Parcel, Post
from workers.runtime import Finish, Log, Pause, log_poison, log_refused
from workers.trying import Trials, Turn
from workers.view import View

# A part is one transaction; more recipients in one would keep the other lane waiting.
_RECIPIENTS_AT_ONCE = 2_000
_TAKEN_UP_AT_ONCE = 100
_GIVEN_UP = Refused("message/poison", "given up: workers ended over it each time it was taken up")


@dataclass(frozen=True, slots=True)
class Resolved:
    """An envelope that was read, verified and admitted, and where each of its recipients leads to."""

    candidate: Candidate
    resolutions: tuple[Resolution, ...]


Decision = Accept | Refuse
Read = tuple[Submission, Resolved | Refuse]


@dataclass(frozen=True, slots=True)
class Routed:
    """An envelope that is committed, now or before; `parcel` is what is still to be published of it."""

    envelope: EnvelopeRow
    parcel: Parcel | None
    receipt: NoticeRow
    duplicate: bool


End = Routed | Refuse | Waits | None  # None: it waited, and another router has decided it


class Router:
    """Handle batches of submitted envelopes of one lane."""

    def __init__(
        self,
        *,
        store: Store,
        post: Post,
        view: View,
        desk: Desk,
        window: IdWindow,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._post = post
        self._view = view
        self._desk = desk
        self._window = window
        self._log = log
        self._metrics = metrics
        self._calm = Calm()
        self._trials = Trials(store.suspects)

    async def handle(self, batch: Sequence[Submission], source: str) -> Finish:
        """Decide and commit; return what is left to do: publish and mark. Both raise Unavailable to be tried again."""
        finish = await self._handle(batch, source)
        self._trials.passed = True
        return finish

    async def take_up(self, source: str) -> None:
        """Decide again what waited for the envelope it acts on, and waits no longer."""
        at = self._desk.now()
        try:
            await self._calm.look(self._post.publisher, at)
        except Unavailable as error:
            # Nobody's time is over then; what has its document is taken up all the same.
            self._calm.forget()
            self._log.warning("not looked at the route queues", code=error.code, detail=error.detail)
        try:
            over = await self._store.waiting(source, self._calm.over(at), _TAKEN_UP_AT_ONCE)
        except Unavailable:
            self._calm.forget()
            raise
        for waiting in over:
            async with self._trials.trial(waiting) as turn:
                if turn is Turn.LEAVE:
                    continue
                # Each alone, in the transaction that forgets it.
                given_up = turn is Turn.GIVE_UP
                finish = await self._handle([resubmitted(waiting)], source, waiting, given_up=given_up)
                await finish()

    async def _handle(
        self, batch: Sequence[Submission], source: str, taken_up: Waiting | None = None, *, given_up: bool = False
    ) -> Finish:
        started, began = time.perf_counter(), time.time_ns()
        pause, directory, at = Pause(), self._view.directory, self._desk.now()
        resolve = resolver(directory, at)
        rules = Rules(directory, self._view.keyring.verify, self._window, self._view.hybrid_required)
        read: list[Read] = []
        for submission in batch:
            if given_up:
                read.append((submission, self._refuse(submission, _GIVEN_UP, source)))
            else:
                read.append((submission, self._read(submission, source, at, rules, resolve)))
            await pause()
        ends: list[End] = []
        for part in _parts(read):
            ends += await self._settle(part, source, taken_up)

        traces = self._post.traces
        contexts = [traces.received(submission.headers) for submission in batch]

        async def finish() -> None:
            # By id: of an envelope that came twice in the batch the second is told to be published again as well.
            parcels = {
                end.envelope.id: end.parcel for end in ends if isinstance(end, Routed) and end.parcel is not None
            }
            notices = [
                end.receipt if isinstance(end, Routed) else end.notice
                for end in ends
                if isinstance(end, Routed | Refuse)
            ]
            with traces.span("route", links=[each for each in contexts if each is not None], began=began):
                for context, end in zip(contexts, ends, strict=True):
                    for identifier in _published_for(end):
                        traces.remember(identifier, context)
                await self._post.send(list(parcels.values()), [notice for notice in notices if notice is not None])
            self._account(batch, ends, source, started)

        return finish

    # Deciding: nothing here changes anything outside.

    def _read(
        self, submission: Submission, source: str, at: dt.datetime, rules: Rules, resolve: Resolver
    ) -> Resolved | Refuse:
        try:
            candidate = examine(submission, source, at, rules)
            return Resolved(candidate, resolve_recipients(candidate.envelope, resolve))
        except Refused as error:
            return self._refuse(submission, error, source)
        except Exception as error:  # noqa: BLE001 - one message must never take its neighbours with it
            return self._poison(submission, error, source)

    async def _decide(self, part: Sequence[Read], source: str) -> list[Decision]:
        resolved = [each for _, each in part if isinstance(each, Resolved)]
        sight = await self._look(resolved)
        known = await self._known_blobs(each.candidate for each in resolved)
        decisions: list[Decision] = []
        pause = Pause()
        for _, each in part:
            decisions.append(each if isinstance(each, Refuse) else self._place(each, sight, known, source))
            await pause()
        return decisions

    async def _look(self, resolved: Sequence[Resolved]) -> Sight:
        """Look at the mailboxes. What is held is asked anew each time: see workers.post about the order it keeps."""
        wanted = {
            (r.mailbox, lane_of(each.candidate.envelope.document.priority))
            for each in resolved
            for r in each.resolutions
            if r.mailbox is not None
        }
        depths = await self._view.look(self._post.publisher, {mailbox for mailbox, _ in wanted})
        behind = await self._store.behind({mailbox_queue(lane, mailbox) for mailbox, lane in wanted})
        return Sight(depths, behind, self._view.limit)

    def _place(
        self,
        resolved: Resolved,
        sight: Sight,
        known: Mapping[str, Mapping[str, int]],
        source: str,
    ) -> Decision:
        candidate = resolved.candidate
        try:
            attachments = check_blobs(candidate.envelope, known.get(candidate.submission.account or "", {}))
        except Refused as error:
            return self._refuse(candidate.submission, error, source)
        lane = lane_of(candidate.envelope.document.priority)
        deliveries = deliveries_of(
            candidate.envelope.id, resolved.resolutions, lambda mailbox: sight.obstacle(mailbox, lane)
        )
        return self._desk.accept(candidate, deliveries, attachments)

    async def _known_blobs(self, candidates: Iterable[Candidate]) -> Mapping[str, Mapping[str, int]]:
        wanted: dict[str, set[str]] = {}
        for candidate in candidates:
            for blob in blobs_of(candidate.envelope):
                wanted.setdefault(candidate.submission.account or "", set()).add(blob.sha256)
        return {account: await self._store.blobs.known(account, digests) for account, digests in wanted.items()}

    def _refuse(self, submission: Submission, error: Refused, source: str) -> Refuse:
        return self._desk.refuse(submission, error, source=source)

    def _poison(self, submission: Submission, error: Exception, source: str) -> Refuse:
        refused = self._refuse(submission, poison(error), source)
        log_poison(self._log, refused, error, source=source)
        return refused

    # Carrying out: commit, publish, mark.

    async def _settle(self, part: Sequence[Read], source: str, taken_up: Waiting | None = None) -> list[End]:
        try:
            if acting := _acting(part):
                return [await self._act(acting, source, taken_up)]
            return await self._commit(part, await self._decide(part, source), source, taken_up)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours over one message; its neighbours go on
            if len(part) > 1:
                self._log.exception("batch failed, taking its messages one by one", source=source, messages=len(part))
                return [end for each in part for end in await self._settle([each], source)]
            ((submission, _),) = part
            return await self._commit(part, [self._poison(submission, error, source)], source, taken_up)

    async def _act(self, resolved: Resolved, source: str, taken_up: Waiting | None) -> End:
        """Decide and commit an envelope that acts on another; see workers.acting."""
        candidate = resolved.candidate
        sight = await self._look([resolved])
        known = await self._known_blobs([candidate])
        attachments = blobs_of(candidate.envelope)
        try:
            attachments = check_blobs(candidate.envelope, known.get(candidate.submission.account or "", {}))
        except Refused as error:
            refused = self._refuse(candidate.submission, error, source)
            (end,) = await self._commit([(candidate.submission, refused)], [refused], source, taken_up)
            return end
        lane = lane_of(candidate.envelope.document.priority)
        case = Case(candidate, resolved.resolutions, attachments, lambda mailbox: sight.obstacle(mailbox, lane))
        decided, existing = await settle(
            case, source, store=self._store, desk=self._desk, taken_up=taken_up is not None
        )
        if not isinstance(decided, Accept):
            return decided
        end = self._end(
            candidate.submission, decided, {} if existing is None else {candidate.envelope.id: existing}, source
        )
        if isinstance(end, Refuse):
            (end,) = await self._commit([(candidate.submission, end)], [end], source)
        return end

    async def _commit(
        self, part: Sequence[Read], decisions: Sequence[Decision], source: str, taken_up: Waiting | None = None
    ) -> list[End]:
        accepts = [decision.accepted for decision in decisions if isinstance(decision, Accept)]
        async with self._store.transaction() as tx:
            if taken_up is not None and not await tx.waited(taken_up.id, taken_up.sha256):
                return [None]
            existing = await tx.accept(accepts) if accepts else {}
            ends: list[End] = [
                decision if isinstance(decision, Refuse) else self._end(submission, decision, existing, source)
                for (submission, _), decision in zip(part, decisions, strict=True)
            ]
            refused = [end for end in ends if isinstance(end, Refuse)]
            if notices := [end.notice for end in refused if end.notice is not None]:
                await tx.notices(notices)
            if kept := [end.quarantine for end in refused if end.quarantine is not None]:
                await tx.quarantine(kept)
        return ends

    def _end(
        self, submission: Submission, decision: Accept, existing: Mapping[str, Existing], source: str
    ) -> Routed | Refuse:
        new = decision.accepted.envelope
        old = existing.get(new.id)
        if old is None:
            parcel = Parcel(new, decision.recipients, decision.accepted.deliveries)
            return Routed(new, parcel, decision.accepted.receipt, duplicate=False)
        if (old.envelope.sha256, old.envelope.account) != (new.sha256, new.account):
            error = Refused("envelope/id-reused", f"{new.id} was used before for other bytes or by another account")
            return self._refuse(submission, error, source)
        again = None if old.published else Parcel(old.envelope, decision.recipients, old.deliveries)
        return Routed(old.envelope, again, old.receipt, duplicate=True)

    def _account(self, batch: Sequence[Submission], ends: Sequence[End], source: str, started: float) -> None:
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        routed: Counter[str] = Counter()
        for submission, end in zip(batch, ends, strict=True):
            if end is None:
                continue
            if isinstance(end, Refuse):
                log_refused(self._log, self._metrics, submission, end, source=source, ms=milliseconds)
                continue
            if isinstance(end, Waits):
                routed["waiting"] += 1
                self._log.info("waiting for its document", id=end.id, concerns=end.concerns, until=end.until)
                continue
            outcome = "duplicate" if end.duplicate else "accepted"
            routed[outcome] += 1
            self._log.info(
                outcome,
                id=end.envelope.id,
                sender=end.envelope.sender,
                lane=end.envelope.lane,
                deliveries=0 if end.parcel is None else len(end.parcel.deliveries),
                ms=milliseconds,
            )
        for outcome, count in routed.items():
            self._metrics.messages(source, outcome, count=count)


def _parts(batch: Sequence[Read]) -> Iterator[list[Read]]:
    """Split a batch so that no part has the same envelope twice, or many more recipients than `_RECIPIENTS_AT_ONCE`.

    Of two with the same id the second is decided when the first is committed; one that acts on another is a part by
    itself, decided with that one locked. Only what was read and verified counts:
    a flood of refused messages under one id makes no parts.
    """
    part: list[Read] = []
    ids: set[str] = set()
    recipients = 0
    for submission, read in batch:
        if _acting([(submission, read)]):
            if part:
                yield part
                part, ids, recipients = [], set(), 0
            yield [(submission, read)]
            continue
        if isinstance(read, Resolved):
            identifier = read.candidate.envelope.id
            if identifier in ids or recipients >= _RECIPIENTS_AT_ONCE:
                yield part
                part, ids, recipients = [], set(), 0
            ids.add(identifier)
            recipients += len(read.resolutions)
        part.append((submission, read))
    if part:
        yield part


def _published_for(end: End) -> Iterator[str]:
    """Name the messages that go out because of one that came in, and go on in its trace."""
    if isinstance(end, Routed):
        yield from (end.envelope.id, end.receipt.id)
    elif isinstance(end, Refuse) and end.notice is not None:
        yield end.notice.id


def _acting(part: Sequence[Read]) -> Resolved | None:
    """Return the envelope of a part that acts on another: it is alone there."""
    if len(part) == 1 and isinstance(read := part[0][1], Resolved) and read.candidate.envelope.concerns is not None:
        return read
    return None
