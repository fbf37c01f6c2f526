"""What an envelope that recalls, updates or replaces an earlier one may do, recipient by recipient.

The record of a document is frozen for a recipient from whom it was recalled (NĐ 30/2020 annex VI): it is neither
updated nor replaced there any more, and recalled again only from one that declined. One that was replaced is not
updated or replaced again, its successor is. Where the document is still held at the axis and was never on its way, a
recall withdraws it there; everything else about it goes behind it, whatever lane it would have taken.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from axis.core.conversation import Conversation, Kind, Talk, kind_of
from axis.core.records import DeliveryRow, DeliveryState, Withdrawal
from axis.core.resolving import Resolution
from axis.core.routing import Obstacle, deliveries_of
from axis.errors import Refused
from schemas import Envelope

WAIT = dt.timedelta(minutes=10)  # how long an envelope waits for the one it acts on
MOST_WAITING = 1_000  # of one account at a time; each is kept whole


@dataclass(frozen=True, slots=True)
class SentDelivery:
    """One delivery of the document; `held_for` the queue it is held for, `tried`: it may have been on its way."""

    recipient: str
    resolved: str | None
    mailbox: str | None
    state: DeliveryState
    held_for: str | None = None
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Concerned:
    """What the store knows of the document that is acted on, locked until the transaction ends."""

    sender: str
    account: str
    deliveries: Sequence[SentDelivery]
    conversations: Sequence[Conversation]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An envelope that came before the one it acts on: kept with all that proves it, until then or a time."""

    id: str
    concerns: str
    queue: str
    account: str
    routing_key: str
    content_type: str
    headers: dict[str, str]
    body: bytes
    sha256: str
    received_at: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Acting:
    """What an envelope does: its own deliveries, the conversations it begins, the deliveries it withdraws."""

    deliveries: tuple[DeliveryRow, ...]
    conversations: tuple[Conversation, ...]
    withdrawals: tuple[Withdrawal, ...]


def act(
    envelope: Envelope,
    resolutions: Sequence[Resolution],
    concerned: Concerned,
    obstacle: Callable[[str], Obstacle | None],
    at: dt.datetime,
) -> Acting:
    """Decide for each recipient; raise Refused concerns/* when nothing of the document is left to act on."""
    kind, about = kind_of(envelope.action), envelope.concerns or ""
    before = [each for each in concerned.conversations if each.request != envelope.id]
    got = [each for each in concerned.deliveries if each.state is not DeliveryState.REFUSED]
    talks = _by_recipient(before)
    frozen = [code for each in got if (code := _frozen(kind, talks.get(each.recipient, ()))) is not None]
    if got and len(frozen) == len(got):
        raise Refused(frozen[0], f"{about} has no recipient left that it is not so for")
    find = _Sent(got)
    added = {each.recipient for each in before if each.original is None and each.kind is Kind.UPDATE}
    rows: list[DeliveryRow] = []
    begun: list[Conversation] = []
    withdrawals: list[Withdrawal] = []
    for resolution, plain in zip(resolutions, deliveries_of(envelope.id, resolutions, obstacle), strict=True):
        sent = find.to(resolution)
        who = plain.recipient if sent is None else sent.recipient
        row = _placed(kind, plain, sent, talks.get(who, ()), known=resolution.recipient in added)
        rows.append(row)
        if row.state is DeliveryState.REFUSED or (sent is None and kind is Kind.REPLACE):
            continue
        withdrawn = row.state is DeliveryState.WITHDRAWN
        if withdrawn and sent is not None:
            withdrawals.append(Withdrawal(about, sent.recipient, f"recalled by {envelope.id} while it was held"))
        begun.append(
            Conversation(
                request=envelope.id,
                about=about,
                recipient=row.recipient,
                original=None if sent is None else sent.recipient,
                kind=kind,
                state=Talk.WITHDRAWN if withdrawn else Talk.REQUESTED,
                requested_at=at,
                requested_by=envelope.sender,
                reason=envelope.reason,
                destroyed_at=at if withdrawn else None,
            )
        )
    return Acting(tuple(rows), tuple(begun), tuple(withdrawals))


def _placed(
    kind: Kind, plain: DeliveryRow, sent: SentDelivery | None, talks: Sequence[Conversation], *, known: bool
) -> DeliveryRow:
    if plain.mailbox is None:
        # Where it is addressed leads nowhere any more. What is held for where it led then is withdrawn all the same, or
        # the recall goes behind it: it is released there whenever that takes something.
        if kind is not Kind.RECALL or sent is None or sent.held_for is None or _frozen(kind, talks):
            return plain
        return _beside_held(kind, replace(plain, mailbox=sent.mailbox, resolved=plain.resolved or sent.resolved), sent)
    if sent is None and kind is Kind.RECALL and not known:
        return _refused(plain, "concerns/not-recipient", "it never got the document")
    if (code := _frozen(kind, talks)) is not None:
        who = plain.recipient if sent is None else sent.recipient
        return _refused(plain, code, f"so it stands for {who}")
    return plain if sent is None or sent.held_for is None else _beside_held(kind, plain, sent)


def _beside_held(kind: Kind, plain: DeliveryRow, sent: SentDelivery) -> DeliveryRow:
    if kind is Kind.RECALL and not sent.tried:
        told = f"withdrawn before it left for {sent.mailbox}"
        return _with(plain, DeliveryState.WITHDRAWN, "concerns/withdrawn", told)
    if sent.mailbox != plain.mailbox:
        return plain
    told = f"the document it is about is held for {sent.held_for}; released behind it"
    return _with(plain, DeliveryState.HELD, "mailbox/behind", told, held_for=sent.held_for)


def _by_recipient(conversations: Sequence[Conversation]) -> Mapping[str, Sequence[Conversation]]:
    """Sort conversations by the recipient they are with, as the document was addressed to it."""
    talks = defaultdict[str, list[Conversation]](list)
    for each in conversations:
        talks[each.original or each.recipient].append(each)
    return talks


def _frozen(kind: Kind, talks: Sequence[Conversation]) -> str | None:
    """Say why nothing of this kind is done to the document any more at the recipient that was talked with."""
    recalls = [each for each in talks if each.freezes]
    if recalls and not (kind is Kind.RECALL and all(each.state is Talk.DECLINED for each in recalls)):
        return "concerns/recalled"
    if kind is not Kind.RECALL and any(each.kind is Kind.REPLACE for each in talks):
        return "concerns/replaced"
    return None


class _Sent:
    """The deliveries of a document by whom they went to; there may be thousands, and as many are looked up."""

    def __init__(self, got: Sequence[SentDelivery]) -> None:
        self._got = got
        self._addressed: dict[str, SentDelivery] = {}
        self._first: dict[str, int] = {}
        for place, each in enumerate(got):
            self._addressed.setdefault(each.recipient, each)
            for code in (each.recipient, each.resolved):
                if code is not None:
                    self._first.setdefault(code, place)

    def to(self, resolution: Resolution) -> SentDelivery | None:
        """Find the delivery addressed to a recipient, else the first that one of its codes names."""
        if (exact := self._addressed.get(resolution.recipient)) is not None:
            return exact
        codes = (resolution.recipient, resolution.resolved)
        places = [self._first[code] for code in codes if code is not None and code in self._first]
        return self._got[min(places)] if places else None


def _refused(plain: DeliveryRow, code: str, detail: str) -> DeliveryRow:
    return _with(plain, DeliveryState.REFUSED, code, detail)


def _with(
    plain: DeliveryRow, state: DeliveryState, reason: str, detail: str, *, held_for: str | None = None
) -> DeliveryRow:
    nowhere = state in {DeliveryState.REFUSED, DeliveryState.WITHDRAWN}
    return DeliveryRow(
        envelope_id=plain.envelope_id,
        recipient=plain.recipient,
        resolved=plain.resolved,
        mailbox=None if nowhere else plain.mailbox,
        state=state,
        reason=reason,
        detail=detail,
        via=plain.via,
        held_for=held_for,
    )
