"""The tracker: takes reported statuses, verifies, applies the lifecycle, records and forwards them.

The commit order is the router's: decide, commit, post, ack. The deliveries a batch is about are locked in the
transaction, so two trackers never move the same delivery from the same old state.
"""

import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from axis.core.admission import IdWindow, admit_status, refuse_over_limit
from axis.core.decisions import Desk, Refuse, digest, poison
from axis.core.hybrid import check_second
from axis.core.messages import Signer, Submission
from axis.core.reading import read_status, signature_of
from axis.core.records import NoticeRow, StatusRow
from axis.core.tracking import TALKING, EnvelopeFacts, Talks, Verdict, judge, status_row, talk
from axis.errors import Refused, Unavailable
from axis.store import Store, Transaction
from schemas import Status
from workers.metrics import Metrics
from workers.post import Post
from workers.runtime import Finish, Log, Pause, log_poison, log_refused
from workers.view import View


@dataclass(frozen=True, slots=True)
class Report:
    """A status that was read, verified and admitted; what it does is decided against the store."""

    submission: Submission
    status: Status
    signer: Signer
    signature: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A status that was recorded (or had been before), and the notice that tells of it."""

    report: Report
    verdict: Verdict
    notice: NoticeRow
    duplicate: bool


class Tracker:
    """Handle batches of statuses."""

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

    async def handle(self, batch: Sequence[Submission], source: str) -> Finish:
        """Decide and commit; return what is left to do: publish and mark. Both raise Unavailable to be tried again."""
        started, began = time.perf_counter(), time.time_ns()
        pause = Pause()
        read: list[Report | Refuse] = []
        for submission in batch:
            read.append(self._read(submission, source))
            await pause()
        ends = await self._commit_isolated(read, source)

        traces = self._post.traces

        async def finish() -> None:
            with contextlib.ExitStack() as spans:
                for submission, end in zip(batch, ends, strict=True):
                    came = traces.received(submission.headers)
                    if came is not None and end.notice is not None:
                        span = traces.span("track", parent=came, began=began, message=end.notice.id)
                        traces.remember(end.notice.id, spans.enter_context(span))
                await self._post.send((), [notice for end in ends if (notice := end.notice) is not None])
            self._account(batch, ends, source, started)

        return finish

    def _read(self, submission: Submission, source: str) -> Report | Refuse:
        try:
            at = self._desk.now()
            refuse_over_limit(submission)
            status = read_status(submission)
            signature = signature_of(submission)
            signer = self._view.keyring.verify(submission.body, signature, at)
            admit_status(status, submission, signer, self._view.directory, at)
            check_second(status.reporter, signer, self._view.hybrid_required)
            self._window.check(status.id, at, "status/id-time")
            return Report(submission, status, signer, signature, digest(submission.body))
        except Refused as error:
            return self._desk.refuse(submission, error, source=source)
        except Exception as error:  # noqa: BLE001 - one message must never take its neighbours with it
            return self._poison(submission, error, source)

    async def _commit_isolated(self, read: Sequence[Report | Refuse], source: str) -> list[Recorded | Refuse]:
        try:
            return await self._commit(read, source)
        except Unavailable:
            raise
        except Exception as error:
            if len(read) > 1:  # one message spoils the transaction: find it by committing each alone
                self._log.exception("batch failed, committing one by one", source=source, messages=len(read))
                return [end for each in read for end in await self._commit_isolated([each], source)]
            (only,) = read
            if isinstance(only, Refuse):
                raise
            return await self._commit([self._poison(only.submission, error, source)], source)

    def _poison(self, submission: Submission, error: Exception, source: str) -> Refuse:
        refused = self._desk.refuse(submission, poison(error), source=source)
        log_poison(self._log, refused, error, source=source)
        return refused

    async def _commit(self, read: Sequence[Report | Refuse], source: str) -> list[Recorded | Refuse]:
        reports = [each for each in read if isinstance(each, Report)]
        async with self._store.transaction() as tx:
            facts = await tx.deliveries_of(
                {report.status.envelope for report in reports}, about=_concerned(report.status for report in reports)
            )
            known = await tx.known_statuses([report.status.id for report in reports])
            ends = self._judge(read, facts, known, source)
            fresh = [end for end in ends if isinstance(end, Recorded) and not end.duplicate]
            at = self._desk.now()
            talking = [end for end in fresh if end.report.status.code in TALKING]
            advances = {
                (end.report.status.envelope, recipient): (code.value, at)
                for end in fresh
                for recipient, code in end.verdict.advances.items()
            }
            if fresh and await tx.statuses([_row(end, at) for end in fresh], advances):
                # Another tracker recorded one of these ids under another envelope since we looked.
                raise Unavailable("a status id was recorded by another tracker meanwhile; the batch is judged again")
            if talking:
                await self._converse(tx, talking, at)
            refused = [end for end in ends if isinstance(end, Refuse)]
            notices = [end.notice for end in fresh]
            notices += [end.notice for end in refused if end.notice is not None]
            if notices:
                await tx.notices(notices)
            if kept := [end.quarantine for end in refused if end.quarantine is not None]:
                await tx.quarantine(kept)
        return ends

    async def _converse(self, tx: Transaction, talking: Sequence[Recorded], at: dt.datetime) -> None:
        """Move the conversations that statuses are about: their deliveries are locked already."""
        # Of each request only those with whom is meant: there may be thousands, and few answer at a time.
        talks = await tx.conversations(
            {(end.report.status.envelope, recipient) for end in talking for recipient in end.verdict.recipients}
        )
        moved: Talks = {}
        for end in talking:
            moved |= talk(end.report.status, end.verdict, talks | moved, at)
        await tx.move(list(moved.values()))

    def _judge(
        self,
        read: Sequence[Report | Refuse],
        facts: Mapping[str, EnvelopeFacts],
        known: Mapping[str, str],
        source: str,
    ) -> list[Recorded | Refuse]:
        current, seen = dict(facts), dict(known)
        ends: list[Recorded | Refuse] = []
        for each in read:
            if isinstance(each, Refuse):
                ends.append(each)
                continue
            status = each.status
            try:
                verdict = judge(status, current.get(status.envelope), sha256=each.sha256, known_as=seen.get(status.id))
            except Refused as error:
                ends.append(self._desk.refuse(each.submission, error, source=source))
                continue
            duplicate = status.id in seen
            if not duplicate:
                seen[status.id] = each.sha256
                current[status.envelope] = current[status.envelope].after(verdict)
            ends.append(Recorded(each, verdict, _notice(each, verdict), duplicate))
        return ends

    def _account(
        self, batch: Sequence[Submission], ends: Sequence[Recorded | Refuse], source: str, started: float
    ) -> None:
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        recorded: Counter[str] = Counter()
        for submission, end in zip(batch, ends, strict=True):
            if isinstance(end, Refuse):
                log_refused(self._log, self._metrics, submission, end, source=source, ms=milliseconds)
                continue
            status = end.report.status
            outcome = "duplicate" if end.duplicate else end.verdict.effect.value
            recorded[outcome] += 1
            self._log.info(
                outcome,
                id=status.id,
                envelope=status.envelope,
                reporter=status.reporter,
                status=status.code.value,
                ms=milliseconds,
            )
        for outcome, count in recorded.items():
            self._metrics.messages(source, outcome, count=count)


def _concerned(statuses: Iterable[Status]) -> set[str]:
    return {code for status in statuses for code in (status.reporter, status.recipient) if code is not None}


def _row(recorded: Recorded, at: dt.datetime) -> StatusRow:
    report = recorded.report
    return status_row(
        report.status,
        recorded.verdict,
        submission=report.submission,
        signer=report.signer,
        signature=report.signature,
        sha256=report.sha256,
        received_at=at,
    )


def _notice(report: Report, verdict: Verdict) -> NoticeRow:
    # Forwarded byte for byte under the reporter's own signature and id, so the sender can verify it, and a repeat is
    # the same notice again.
    return NoticeRow(
        id=report.status.id,
        mailbox=verdict.notify,
        kind="status",
        about=report.status.envelope,
        body=report.submission.body,
        signature=report.signature,
    )
