"""The router: takes submitted envelopes, decides, commits, publishes, marks; its caller acks.

Commit order, and what a crash does at each point:

    decide    each message alone, in memory            crash: nothing happened, the broker redelivers
    commit    one transaction for the whole batch      crash after: redelivered, found unmarked, published again
    publish   one publish per envelope, all confirmed  crash after: the same; recipients drop the repeat by id
    mark      published_at in one statement            crash after: redelivered as a duplicate, same receipt again
    ack       the batch as a whole

What is committed but unmarked for longer is published by the relay, so a failed publish loses nothing either.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from axis.broker import Publisher
from axis.core.admission import IdWindow, admit_envelope
from axis.core.decisions import Accept, Candidate, Desk, Refuse, digest, poison
from axis.core.fanout import fan_out, notice_message
from axis.core.messages import Outgoing, Submission
from axis.core.reading import read_envelope, signature_of
from axis.core.records import EnvelopeRow, Existing, NoticeRow
from axis.core.resolving import Resolution
from axis.core.routing import check_blobs, deliveries_of, resolve_recipients
from axis.errors import Refused, Unavailable
from axis.store import Store
from workers.metrics import Metrics
from workers.runtime import Log, log_refused, publish_all
from workers.view import View

Decision = Accept | Refuse


@dataclass(frozen=True, slots=True)
class Routed:
    """An envelope that is committed, now or before; `messages` are the publishes still to be made for it."""

    envelope: EnvelopeRow
    messages: tuple[Outgoing, ...]
    receipt: NoticeRow
    duplicate: bool
    marked: bool


End = Routed | Refuse


class Router:
    """Handle batches of submitted envelopes; `handle` returns when everything about a batch is committed."""

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        view: View,
        desk: Desk,
        window: IdWindow,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._view = view
        self._desk = desk
        self._window = window
        self._log = log
        self._metrics = metrics

    async def handle(self, batch: Sequence[Submission], source: str) -> None:
        """Decide, commit, publish and mark; raise Unavailable when the batch has to be tried again as a whole."""
        for part in _distinct(batch):
            started = time.perf_counter()
            ends = await self._commit_isolated(part, await self._decide(part, source), source)
            await self._publish(ends)
            self._account(part, ends, source, started)

    # Deciding: nothing here changes anything outside.

    async def _decide(self, batch: Sequence[Submission], source: str) -> list[Decision]:
        read = [self._read(submission, source) for submission in batch]
        candidates = [each for each in read if isinstance(each, Candidate)]
        at = self._desk.now()
        resolutions = {
            candidate.envelope.id: resolve_recipients(candidate.envelope, self._view.directory, at)
            for candidate in candidates
        }
        await self._view.look(
            self._publisher, {r.mailbox for each in resolutions.values() for r in each if r.mailbox is not None}
        )
        known = await self._known_blobs(candidates)
        return [
            self._place(each, resolutions[each.envelope.id], known, source) if isinstance(each, Candidate) else each
            for each in read
        ]

    def _read(self, submission: Submission, source: str) -> Candidate | Refuse:
        try:
            at = self._desk.now()
            envelope = read_envelope(submission)
            signature = signature_of(submission)
            signer = self._view.keyring.verify(submission.body, signature, at)
            admit_envelope(envelope, submission, signer, self._view.directory, at)
            self._window.check(envelope.id, at, "envelope/id-time")
        except Refused as error:
            return self._refuse(submission, error, source)
        except Exception as error:  # noqa: BLE001 - one message must never take its neighbours with it
            self._log.exception("poison", source=source, message_id=submission.message_id)
            return self._refuse(submission, poison(error), source)
        return Candidate(submission, envelope, signer, signature, digest(submission.body))

    def _place(
        self,
        candidate: Candidate,
        resolutions: Sequence[Resolution],
        known: Mapping[str, Mapping[str, int]],
        source: str,
    ) -> Decision:
        try:
            attachments = check_blobs(candidate.envelope, known.get(candidate.submission.account or "", {}))
        except Refused as error:
            return self._refuse(candidate.submission, error, source)
        deliveries = deliveries_of(candidate.envelope.id, resolutions, self._view.ready)
        return self._desk.accept(candidate, deliveries, attachments)

    async def _known_blobs(self, candidates: Iterable[Candidate]) -> Mapping[str, Mapping[str, int]]:
        wanted: dict[str, set[str]] = {}
        for candidate in candidates:
            for attachment in candidate.envelope.attachments:
                wanted.setdefault(candidate.submission.account or "", set()).add(attachment.sha256)
        return {account: await self._store.blobs.known(account, digests) for account, digests in wanted.items()}

    def _refuse(self, submission: Submission, error: Refused, source: str) -> Refuse:
        return self._desk.refuse(submission, error, source=source)

    # Carrying out: commit, publish, mark.

    async def _commit_isolated(
        self, batch: Sequence[Submission], decisions: Sequence[Decision], source: str
    ) -> list[End]:
        try:
            return await self._commit(batch, decisions, source)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours over one message; its neighbours go on
            if len(batch) > 1:
                self._log.exception("batch failed, committing one by one", source=source, messages=len(batch))
                return [
                    end
                    for submission, decision in zip(batch, decisions, strict=True)
                    for end in await self._commit_isolated([submission], [decision], source)
                ]
            self._log.exception("poison", source=source, message_id=batch[0].message_id)
            return await self._commit(batch, [self._refuse(batch[0], poison(error), source)], source)

    async def _commit(self, batch: Sequence[Submission], decisions: Sequence[Decision], source: str) -> list[End]:
        accepts = [decision.accepted for decision in decisions if isinstance(decision, Accept)]
        async with self._store.transaction() as tx:
            existing = await tx.accept(accepts) if accepts else {}
            ends = [
                decision if isinstance(decision, Refuse) else self._end(submission, decision, existing, source)
                for submission, decision in zip(batch, decisions, strict=True)
            ]
            refused = [end for end in ends if isinstance(end, Refuse)]
            if notices := [end.notice for end in refused if end.notice is not None]:
                await tx.notices(notices)
            if kept := [end.quarantine for end in refused if end.quarantine is not None]:
                await tx.quarantine(kept)
        return ends

    def _end(self, submission: Submission, decision: Accept, existing: Mapping[str, Existing], source: str) -> End:
        new = decision.accepted.envelope
        old = existing.get(new.id)
        if old is None:
            messages = fan_out(new, decision.recipients, decision.accepted.deliveries)
            return Routed(new, messages, decision.accepted.receipt, duplicate=False, marked=False)
        if (old.envelope.sha256, old.envelope.account) != (new.sha256, new.account):
            error = Refused("envelope/id-reused", f"{new.id} was used before for other bytes or by another account")
            return self._refuse(submission, error, source)
        again = () if old.published else fan_out(old.envelope, decision.recipients, old.deliveries)
        return Routed(old.envelope, again, old.receipt, duplicate=True, marked=old.published)

    async def _publish(self, ends: Sequence[End]) -> None:
        messages: list[Outgoing] = []
        for end in ends:
            if isinstance(end, Routed):
                messages.extend(end.messages)
            receipt = end.receipt if isinstance(end, Routed) else end.notice
            if receipt is not None:
                messages.append(notice_message(receipt))
        done = await publish_all(self._publisher, messages, log=self._log, metrics=self._metrics)
        if len(done) < len({message.message_id for message in messages}):
            self._view.forget()
        # An envelope of which nobody gets anything has no publish of its own: it is done when committed.
        routed = [end for end in ends if isinstance(end, Routed)]
        envelopes = {
            end.envelope.id for end in routed if not end.marked and (not end.messages or end.envelope.id in done)
        }
        notices = done - {end.envelope.id for end in routed}
        await self._store.mark_published(sorted(envelopes), sorted(notices))

    def _account(self, batch: Sequence[Submission], ends: Sequence[End], source: str, started: float) -> None:
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        for submission, end in zip(batch, ends, strict=True):
            if isinstance(end, Refuse):
                log_refused(self._log, self._metrics, submission, end, source=source, ms=milliseconds)
                continue
            outcome = "duplicate" if end.duplicate else "accepted"
            self._metrics.message(source, outcome)
            self._log.info(
                outcome,
                id=end.envelope.id,
                sender=end.envelope.sender,
                lane=end.envelope.lane,
                mailboxes=sum(1 + len(message.bcc) for message in end.messages),
                ms=milliseconds,
            )


def _distinct(batch: Sequence[Submission]) -> Iterator[list[Submission]]:
    """Split a batch so that no part has the same id twice: the second is decided when the first is committed."""
    part: list[Submission] = []
    ids: set[str | None] = set()
    for submission in batch:
        if submission.message_id in ids:
            yield part
            part, ids = [], set()
        part.append(submission)
        ids.add(submission.message_id)
    if part:
        yield part
