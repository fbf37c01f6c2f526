"""Documents and deliveries as the rows of a file."""

from collections.abc import AsyncIterator

from axis.console.desk import Desk
from axis.console.downloads import Cell, Row
from axis.console.language import TEXTS, meaning, text
from axis.console.parts import own_deliveries, own_entries
from axis.console.reader import Reader
from axis.store import Entry, EntryDelivery, Sought

_PAGE = 500
DOCUMENT_COLUMNS = (
    "documents.accepted",
    "documents.number",
    "documents.sender",
    "documents.subject",
    "document.id",
    "documents.lane",
    "documents.recipients",
    "documents.still open",
    "sent late",
    "document.envelope",
)
DELIVERY_COLUMNS = (
    "documents.accepted",
    "documents.number",
    "documents.sender",
    "documents.subject",
    "documents.recipient",
    "document.mailbox",
    "documents.transport",
    "documents.business",
    "documents.since",
    "clock.arrival",
    "clock.acceptance",
    "clock.finishing",
    "documents.reason",
    "document.envelope",
)


async def document_rows(desk: Desk, sought: Sought, reader: Reader) -> AsyncIterator[Row]:
    """Yield a row of `DOCUMENT_COLUMNS` for each document."""
    before: str | None = None
    while found := await desk.store.register.search(sought, limit=_PAGE, before=before):
        for each in await own_entries(desk, reader, found):
            yield (
                each.accepted_at,
                number_of(each),
                each.sender,
                each.subject,
                each.document_id,
                each.lane,
                each.recipients,
                each.open,
                each.sent_late,
                each.id,
            )
        before = found[-1].id


async def delivery_rows(desk: Desk, sought: Sought, reader: Reader) -> AsyncIterator[Row]:
    """Yield a row of `DELIVERY_COLUMNS` for each delivery."""
    before: tuple[str, str] | None = None
    while found := await desk.store.register.deliveries(sought, limit=_PAGE, before=before):
        for each in own_deliveries(reader, found):
            yield _delivery_row(each, reader)
        before = found[-1].envelope_id, found[-1].recipient


def _delivery_row(each: EntryDelivery, reader: Reader) -> tuple[Cell, ...]:
    return (
        each.entry.accepted_at,
        number_of(each.entry),
        each.sender,
        each.entry.subject,
        each.recipient,
        each.mailbox,
        text(f"transport.{each.transport}", reader.language),
        business_text(each.business, reader),
        each.since,
        each.arrive_by,
        each.accept_by,
        each.finish_by,
        None if each.reason is None else meaning(each.reason, reader.language),
        each.envelope_id,
    )


def business_text(code: str | None, reader: Reader) -> str:
    """Name a status code; one that this version does not know is its own name."""
    key = f"business.{code or 'none'}"
    return text(key, reader.language) if key in TEXTS else str(code)


def number_of(entry: Entry) -> str:
    """Write number and notation as they stand on the paper."""
    if entry.number and entry.notation and not entry.notation.startswith(f"{entry.number}/"):
        return f"{entry.number}/{entry.notation}"
    return entry.notation or entry.number or ""
