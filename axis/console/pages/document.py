"""One document: what it is, what proves it, and what became of it for each of its recipients."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from axis.blobs import LOG_FOLDER, Objects
from axis.client.logs import write_proof
from axis.console.asking import choice_asked, number_asked, words_asked
from axis.console.desk import Desk, desk_of
from axis.console.document_rows import number_of
from axis.console.moments import Moment, moments_of
from axis.console.naming import names_of
from axis.console.page import EVERYBODY, Page
from axis.console.pages.documents import ENVELOPE, Open
from axis.console.parts import own_entries
from axis.console.reader import Language, Reader
from axis.console.reckoning import reckoner
from axis.console.rendering import VIETNAM
from axis.console.standing import Standing, standings
from axis.core.asof import as_of
from axis.core.codes import lineage
from axis.core.enrolment import Enrolment
from axis.core.fate import Fate, Transport, fates
from axis.core.lanes import mailbox_queue
from axis.core.messages import Lane
from axis.core.operators import Role
from axis.core.register import register
from axis.core.registered import Entry, Record
from axis.core.registration import Subject
from axis.core.seeing import see
from axis.core.tracked import Tracked, TrackedDelivery
from axis.core.waiting import waiting
from axis.core.watching import MailboxWatch
from axis.errors import NotFound, Refused
from axis.proving import LogReader
from axis.signatures.verdict import MEANINGS, Verdict
from axis.signatures.verdict import Standing as PaperStanding
from axis.store import FiledPaper, Sought
from axis.web.proofs import prove

CARDS = 50  # recipients on one page
_OTHERS = 20  # envelopes about one document
_ALIKE = 500  # documents with ids alike that are looked through for them
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Card:
    """One recipient: where its delivery stands, by when, what it waits for, and what happened."""

    delivery: TrackedDelivery
    fate: Fate
    record: Record
    clocks: tuple[Standing, ...]
    paused: bool
    waits: str | None
    moments: tuple[Moment, ...]


async def document(request: Request, reader: Reader) -> Response:
    """Show a document; `?at=`: as it was known then."""
    desk = desk_of(request)
    at = _moment_asked(request)
    tracked = await _found(desk, reader, request.path_params["id"])
    known: Tracked | None = tracked if at is None else as_of(tracked, at)
    if known is None:
        return desk.rendering.page(
            request, "document-before.html", reader=reader, at=at, envelope=tracked.envelope, status=404
        )
    now = at or desk.now()
    body = await desk.store.partners.envelope(known.envelope.id) or b""
    registered = register(Subject(tracked=known, body=body, news=False), await reckoner(desk))
    state, still_open = choice_asked(request, "state", Transport), choice_asked(request, "open", Open)
    chosen = [
        (delivery, fate)
        for delivery, fate in zip(known.deliveries, fates(known), strict=True)
        if state in {None, fate.transport} and (still_open is None or fate.ended is (still_open is Open.NO))
    ]
    first = min(number_asked(request, "from") or 0, max(len(chosen) - 1, 0))
    shown = chosen[first : first + CARDS]
    watches = {} if at is not None else await _watches(desk, [delivery for delivery, _ in shown])
    cards = _cards(known, shown, registered.records, watches, reader, now=now)
    codes = {known.envelope.sender, known.envelope.account} | {each.delivery.recipient for each in cards}
    receipt = await desk.store.log.receipt(known.envelope.id) if _sent_by(reader, known) else None
    return desk.rendering.page(
        request,
        "document.html",
        reader=reader,
        entry=registered.entry,
        number=number_of(registered.entry),
        tracked=known,
        envelope=known.envelope,
        cards=cards,
        first=first,
        following=first + CARDS if first + CARDS < len(chosen) else None,
        count=len(chosen),
        state=state,
        still_open=still_open,
        names=await names_of(desk, codes, now),
        certificate=await _certificate(desk, known),
        receipt=receipt,
        position=None if receipt is None else await desk.store.log.position_of(receipt.id),
        files=_files(await desk.store.papers.of(known.envelope.id), reader.language),
        others=await _others(desk, reader, registered.entry),
        at=at,
        at_asked="" if at is None else f"{at.astimezone(VIETNAM):%Y-%m-%dT%H:%M:%S}",
        summary=_summary(known),
    )


async def proof(request: Request, reader: Reader) -> Response:
    """Hand out the proof that the document's receipt is in the log, as a file that `axis receipt verify` reads."""
    desk = desk_of(request)
    tracked = await _found(desk, reader, request.path_params["id"])
    receipt = await desk.store.log.receipt(tracked.envelope.id) if _sent_by(reader, tracked) else None
    if receipt is None:
        raise NotFound("There is no receipt of it.", code="log/not-logged")
    log, timestamp = await prove(desk.store.log, LogReader(Objects.open(desk.settings.blobs, LOG_FOLDER)), receipt.id)
    name = f"proof-{receipt.id}.json"
    return Response(
        write_proof(receipt.body, receipt.signature, log, timestamp),
        headers={"content-disposition": f'attachment; filename="{name}"'},
        media_type="application/octet-stream",
    )


async def _found(desk: Desk, reader: Reader, identifier: str) -> Tracked:
    """Return an envelope as far as the reader may see it. Whoever may not is told what one that is not there is."""
    found = await desk.store.track(identifier) if ENVELOPE.fullmatch(identifier) else ()
    tracked = next((each for each in found if each.envelope.id == identifier), None)
    seen = None if tracked is None else _seen(tracked, reader)
    if seen is None:
        raise NotFound(f"There is no document {identifier[:60]}.", code="track/unknown")
    return seen


def _seen(tracked: Tracked, reader: Reader) -> Tracked | None:
    """Leave away what is between others: an agency sees all that it sent, and of what it received its own part."""
    if reader.role is not Role.AGENCY or reader.code is None:
        return tracked
    seen = see(tracked, reader.code)
    return None if seen is None else seen.tracked


def _sent_by(reader: Reader, tracked: Tracked) -> bool:
    return reader.may_see(tracked.envelope.account)


async def _watches(desk: Desk, deliveries: Sequence[TrackedDelivery]) -> Mapping[str, MailboxWatch]:
    mailboxes = {each.mailbox for each in deliveries if each.mailbox is not None}
    return {each.queue: each for each in await desk.store.watches.watches(mailboxes)} if mailboxes else {}


def _cards(
    tracked: Tracked,
    shown: Sequence[tuple[TrackedDelivery, Fate]],
    records: Sequence[Record],
    watches: Mapping[str, MailboxWatch],
    reader: Reader,
    *,
    now: dt.datetime,
) -> list[Card]:
    lane: Lane = "urgent" if tracked.envelope.lane == "urgent" else "normal"
    by_recipient = {each.recipient: each for each in records}
    cards = []
    for delivery, fate in shown:
        queue = None if delivery.mailbox is None else mailbox_queue(lane, delivery.mailbox)
        waits = waiting(fate, delivery, watches.get(queue or ""), now)
        record = by_recipient[delivery.recipient]
        told = None if waits is None else waits.text_vi if reader.language is Language.VIETNAMESE else waits.text_en
        cards.append(
            Card(
                delivery,
                fate,
                record,
                standings(tracked.envelope.accepted_at, record, now),
                any(each.until is None for each in fate.pauses) and not fate.ended,
                told,
                moments_of(tracked, delivery),
            )
        )
    return cards


def _summary(tracked: Tracked) -> list[tuple[str, int]]:
    """Count the deliveries by where they are."""
    counts: dict[str, int] = {}
    for fate in fates(tracked):
        counts[fate.transport] = counts.get(fate.transport, 0) + 1
    return sorted(counts.items(), key=lambda each: -each[1])


async def _certificate(desk: Desk, tracked: Tracked) -> Enrolment | None:
    _, _, certificates = await desk.store.directory.shown(set(lineage(tracked.envelope.sender)))
    return next((each for each in certificates if each.thumbprint == tracked.envelope.thumbprint), None)


def _files(files: Sequence[FiledPaper], language: Language) -> list[tuple[FiledPaper, str, str, Verdict | None]]:
    """Say of each file how its signatures stand: words, tone, verdict."""
    told = []
    for each in files:
        verdict = None if each.verdict is None else Verdict.from_json(dict(each.verdict))
        if each.name.endswith(".sealed"):
            standing = PaperStanding.SEALED
        elif verdict is not None:
            standing = verdict.standing
        else:
            is_pdf = each.name.lower().endswith(".pdf")
            standing = PaperStanding.NOT_LOOKED_AT if is_pdf else PaperStanding.NOT_A_PDF
        english, vietnamese = MEANINGS[standing]
        words = vietnamese if language is Language.VIETNAMESE else english
        told.append((each, words, _PAPER_TONES.get(standing, "plain"), verdict))
    return told


_PAPER_TONES = {PaperStanding.SIGNED: "good", PaperStanding.BROKEN: "bad", PaperStanding.NOT_TRUSTED: "poor"}


async def _others(desk: Desk, reader: Reader, entry: Entry) -> list[str]:
    """Return the other envelopes about the same document that the reader may see, the newest first.

    By the register: of each no more than a row is read, however many recipients it has. It knows words and what begins
    like them, so an id that is short is like many.
    """
    if not entry.document_id:
        return []
    found = await desk.store.register.search(reader.sought(Sought(words=entry.document_id)), limit=_ALIKE)
    about = [each for each in found if each.document_id == entry.document_id and each.id != entry.id]
    return [each.id for each in await own_entries(desk, reader, about)][:_OTHERS]


def _moment_asked(request: Request) -> dt.datetime | None:
    """Read a time of Vietnam as fields of browsers write it; a day means its end."""
    asked = words_asked(request, "at")
    if asked is None:
        return None
    try:
        if not _MOMENT.fullmatch(asked):
            raise ValueError(asked)  # noqa: TRY301 - one answer for all of it
        read = dt.datetime.fromisoformat(asked if "T" in asked else f"{asked}T23:59:59")
    except ValueError as error:
        raise Refused("console/form", "at: a time as 2026-11-27T09:30.") from error
    if not 1990 <= read.year <= 2200:  # noqa: PLR2004 - this and the last century
        raise Refused("console/form", "at: a time of this or the last century.")
    return read.replace(tzinfo=VIETNAM)


PAGES = (
    Page("/documents/{id}", document, roles=EVERYBODY),
    Page("/documents/{id}/proof", proof, roles=EVERYBODY),
)
