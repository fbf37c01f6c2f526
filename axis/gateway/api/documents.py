"""An agency's documents: the list of them, and what became of one."""

from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from axis.core.fate import Fate, Transport
from axis.core.ids import is_id
from axis.core.registered import Entry, Record, Sought
from axis.core.seeing import Seen, own_records, see
from axis.core.tracked import TrackedDelivery
from axis.errors import NotFound
from axis.gateway.api.agency import AgencyApi, present, told
from axis.gateway.api.asking import Query
from axis.gateway.observing import entry_of

MOST = 100
KNOWN = (
    "words", "number", "sender", "recipient", "since", "until", "state", "status", "side", "limit", "before",
)  # fmt: skip


class Side(StrEnum):
    """Whether an agency sent or received a document."""

    SENT = "sent"
    RECEIVED = "received"


class Documents:
    """Answer about documents."""

    def __init__(self, api: AgencyApi) -> None:
        self._api = api

    async def page(self, request: Request) -> Response:
        """Answer with a page of the documents that fit; `next` is where to go on, null at the end."""
        async with self._api.asked(request, "documents") as account:
            query = Query(request, KNOWN)
            side, limit = query.one_of("side", Side), query.number("limit", 50, MOST, 1)
            sought = Sought(
                words=query.text("words"),
                number=query.text("number"),
                sender=query.code("sender"),
                recipient=query.code("recipient"),
                account=account,
                since=query.moment("since"),
                until=query.moment("until"),
                transport=query.one_of("state", Transport),
                business=query.text("status"),
            )
            register = self._api.store.register
            found = await register.search(sought, limit=limit, before=query.envelope("before"))
            mine = await self._api.store.seen.own(account, [each.id for each in found if each.account != account])
            shown = [(each, own_records(each, mine.get(each.id, ()), account)) for each in found]
            listed = [
                _listed(each, records, account)
                for each, records in shown
                if (each.account == account or records)
                and (side is None or (side is Side.SENT) == (each.account == account))
            ]
            return told({"documents": listed, "next": found[-1].id if len(found) == limit else None})

    async def one(self, request: Request) -> Response:
        """Answer with what became of one document, as far as it is the agency's to know."""
        async with self._api.asked(request, "document") as account:
            identifier = entry_of(request).subject = request.path_params["envelope"]
            unknown = NotFound(f"there is no envelope {identifier} of {account}", code="api/unknown-document")
            if not is_id(identifier):
                raise unknown
            found = await self._api.store.track(identifier)
            # An id that nobody gave to an envelope may be what somebody called a document.
            seen = [see(each, account) for each in found if each.envelope.id == identifier]
            if not seen or seen[0] is None:
                raise unknown
            return told(_whole(seen[0]))


def _listed(entry: Entry, records: tuple[Record, ...], account: str) -> dict[str, Any]:
    sent = entry.account == account
    return present(
        {
            "envelope": entry.id,
            "side": "sent" if sent else "received",
            "sender": entry.sender,
            "action": entry.action,
            "concerns": entry.concerns,
            "lane": entry.lane,
            "number": entry.number,
            "notation": entry.notation,
            "issued_on": entry.issued_on,
            "kind": entry.kind,
            "subject": entry.subject,
            "document_id": entry.document_id,
            "priority": entry.priority,
            "due_on": entry.due_on,
            "sent_at": entry.sent_at,
            "accepted_at": entry.accepted_at,
            "recipients": entry.recipients,
            "open": entry.open if sent else None,  # how the others stand is the sender's to know
            "deliveries": None if sent else [_record(each) for each in records],
        }
    )


def _record(record: Record) -> dict[str, Any]:
    return present(
        {
            "recipient": record.recipient,
            "transport": record.transport.value,
            "business": record.business,
            "since": record.since,
            "arrive_by": record.arrive_by,
            "accept_by": record.accept_by,
            "finish_by": record.finish_by,
        }
    )


def _whole(seen: Seen) -> dict[str, Any]:
    envelope, tracked = seen.tracked.envelope, seen.tracked
    return present(
        {
            "envelope": envelope.id,
            "side": "sent" if seen.sent else "received",
            "sender": envelope.sender,
            "action": envelope.action,
            "concerns": envelope.concerns,
            "lane": envelope.lane,
            "subject": envelope.subject,
            "document_id": envelope.document_id,
            "sent_at": envelope.sent_at,
            "accepted_at": envelope.accepted_at,
            "sha256": envelope.sha256,
            "addressed": seen.addressed,
        }
    ) | {
        "deliveries": [_fate(each, fate) for each, fate in zip(tracked.deliveries, seen.fates, strict=True)],
        "statuses": [
            present(
                {
                    "id": each.id,
                    "reporter": each.reporter,
                    "recipients": each.recipients,
                    "code": each.code,
                    "effect": each.effect,
                    "at": each.at,
                    "received_at": each.received_at,
                    "reason": each.reason,
                }
            )
            for each in tracked.statuses
        ],
        "conversations": [
            present(
                {
                    "request": each.request,
                    "about": each.about,
                    "recipient": each.recipient,
                    "kind": each.kind.value,
                    "state": each.state.value,
                    "requested_at": each.requested_at,
                    "reason": each.reason,
                    "answered_at": each.answered_at,
                    "answer": each.answer,
                    "destroyed_at": each.destroyed_at,
                }
            )
            for each in tracked.conversations
        ],
    }


def _fate(delivery: TrackedDelivery, fate: Fate) -> dict[str, Any]:
    return present(
        {
            "recipient": delivery.recipient,
            "mailbox": delivery.mailbox,
            "transport": fate.transport.value,
            "business": fate.business,
            "since": fate.since,
            "waiting_for": None if fate.waiting_for is None else fate.waiting_for.value,
            "reason": delivery.reason,
            "detail": delivery.detail,
            "delivered_at": delivery.delivered_at,
            "arrived_at": fate.arrived_at,
            "accepted_at": fate.accepted_at,
            "finished_at": fate.finished_at,
        }
    )
