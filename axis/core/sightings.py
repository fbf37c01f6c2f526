"""What was seen in the queues, sorted into what the store knows and what it does not."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from axis.core.adopting import LEFT, Gap, Problem, Stray, StrayNotice, StrayReceipt, read_receipt
from axis.core.decisions import digest
from axis.core.lanes import LANES, mailbox_queue, notices_queue, route_queue
from axis.core.messages import Lane, Submission
from axis.errors import Refused
from schemas import Outcome
from schemas.wire import ROUTES_HEADER, TRACK_QUEUE, TYPE_RECEIPT, TYPE_STATUS

WORKED_QUEUES = (*map(route_queue, LANES), TRACK_QUEUE)  # what is in them has not been taken by a worker yet

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_MAILBOX = re.compile(r"mailbox\.(urgent|normal)\.(.+)")
_NOTICES = re.compile(r"notices\.(.+)")


@dataclass(frozen=True, slots=True)
class Known:
    """What the store has of the ids in a batch of messages."""

    envelopes: Mapping[str, str]  # id -> SHA-256 of the body
    notices: Collection[tuple[str, str]]  # (id, kind)


@dataclass(slots=True)
class Sightings:
    """Ids of everything seen, and the messages themselves only where the store does not know them."""

    queues: frozenset[str]
    documents: dict[str, set[str]] = field(default_factory=dict)  # envelope id -> mailboxes it waits in
    notices: set[tuple[str, str]] = field(default_factory=set)  # (id, kind)
    submitted: dict[str, str | None] = field(default_factory=dict)  # id -> account: waits to be taken by a worker
    envelopes: dict[str, Stray] = field(default_factory=dict)
    statuses: dict[str, StrayNotice] = field(default_factory=dict)
    receipts: list[StrayReceipt] = field(default_factory=list)
    receipts_about: dict[str, StrayReceipt] = field(default_factory=dict)  # envelope id -> that it was accepted
    gaps: list[Gap] = field(default_factory=list)
    messages: int = 0

    def has_queues(self, mailbox: str) -> bool:
        """Say whether all queues of a mailbox are at the broker."""
        wanted = {notices_queue(mailbox), *(mailbox_queue(lane, mailbox) for lane in LANES)}
        return wanted <= self.queues

    def note(self, queue: str, messages: Sequence[Submission], known: Known) -> None:
        """Take in what was seen in a queue."""
        self.messages += len(messages)
        if queue in WORKED_QUEUES:
            self.submitted.update({m.message_id: m.account for m in messages if m.message_id is not None})
        elif match := _MAILBOX.fullmatch(queue):
            lane: Lane = "urgent" if match[1] == "urgent" else "normal"
            for message in messages:
                self._document(match[2], lane, message, known)
        elif match := _NOTICES.fullmatch(queue):
            for message in messages:
                self._notice(match[1], message, known)

    def _document(self, mailbox: str, lane: Lane, message: Submission, known: Known) -> None:
        identifier = message.message_id or ""
        if not _ID.fullmatch(identifier):
            self.gaps.append(_strange(mailbox, message))
            return
        self.documents.setdefault(identifier, set()).add(mailbox)
        sha256, stored = digest(message.body), known.envelopes.get(identifier)
        if stored is not None and stored != sha256:
            self._differ(identifier, mailbox)
        if stored is not None:
            return
        routes = message.headers.get(ROUTES_HEADER)
        copies = {mailbox: routes if isinstance(routes, str) else None}
        old = self.envelopes.get(identifier)
        if old is None:
            self.envelopes[identifier] = Stray(message, lane, sha256, copies)
        elif old.sha256 != sha256:
            self._differ(identifier, mailbox)
        else:
            self.envelopes[identifier] = replace(old, copies={**old.copies, **copies})

    def _notice(self, mailbox: str, message: Submission, known: Known) -> None:
        identifier, kind = message.message_id or "", message.type
        if not _ID.fullmatch(identifier) or kind not in {TYPE_RECEIPT, TYPE_STATUS}:
            self.gaps.append(_strange(mailbox, message))
            return
        self.notices.add((identifier, kind))
        if (identifier, kind) in known.notices:
            return
        if kind == TYPE_STATUS:
            self.statuses[identifier] = StrayNotice(mailbox, message)
            return
        try:
            receipt = read_receipt(message)
        except Refused as error:
            self.gaps.append(Gap(Problem.NOT_PROVED, identifier, mailbox, f"{error.code}: {error.detail}", LEFT))
            return
        stray = StrayReceipt(mailbox, message, receipt)
        self.receipts.append(stray)
        accepted = receipt.message_type == "document" and receipt.code is None and receipt.message_id is not None
        if accepted and (receipt.outcome is not Outcome.REFUSED or receipt.recipients):
            self.receipts_about.setdefault(receipt.message_id or "", stray)

    def _differ(self, identifier: str, mailbox: str) -> None:
        self.gaps.append(
            Gap(
                Problem.BYTES_DIFFER,
                identifier,
                mailbox,
                "the envelope in the mailbox has other bytes than the one the store knows under this id",
                "a person compares both; the mailbox keeps its own",
            )
        )


def envelope_ids(queue: str, messages: Iterable[Submission]) -> set[str]:
    """Name the ids to ask the store about, of the documents in a mailbox; none for other queues."""
    return _ids(messages) if _MAILBOX.fullmatch(queue) else set()


def notice_ids(queue: str, messages: Iterable[Submission]) -> set[str]:
    """Name the ids to ask the store about, of the notices in a queue; none for other queues."""
    return _ids(messages) if _NOTICES.fullmatch(queue) else set()


def is_looked_at(queue: str) -> bool:
    """Say whether a queue holds anything the audit compares."""
    return queue in WORKED_QUEUES or bool(_MAILBOX.fullmatch(queue) or _NOTICES.fullmatch(queue))


def _ids(messages: Iterable[Submission]) -> set[str]:
    return {m.message_id for m in messages if m.message_id is not None and _ID.fullmatch(m.message_id)}


def _strange(mailbox: str, message: Submission) -> Gap:
    told = f"a message of type {message.type!r} and id {message.message_id!r}, which the axis does not make"
    return Gap(Problem.NOT_PROVED, (message.message_id or "none")[:100], mailbox, told, LEFT)
