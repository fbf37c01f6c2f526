"""What a partner sends, onto the axis.

Step by step, and what a crash does after each:

    1 begin      the package has its id under its key: sender,    crash: the same package sent again gets the same id
                 DocumentId, business type, content
    2 send       signed and kept in the SDK's ledger, a file on   crash: it goes out by itself at the next connection;
                 this machine's disk, then published              the same package sent again is the same envelope
    3 submitted  noted in the store                               crash: the same package gets the same answer
    4 OK         the partner has its DocId

OK means that 2 is done, whether the broker has confirmed it or not. Whether the axis takes it its receipt says, which
`getSentEdocList` shows. An answer that never came makes the partner send again: it is the same document. One that the
receipt refused is another one when it is sent again: its cause may be mended.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from axis.client import Agency, NotConfirmed
from axis.core.codes import is_within
from axis.core.ids import new_id
from axis.core.partners import Found, Kind, Outgoing, Partner, Plane, key_of
from axis.core.secrecy import refuse_declared, refuse_marked
from axis.edxml import EdxmlDocument, EdxmlError, EdxmlStatus, Limits, Profile, Severity, check, read, to_envelope
from axis.errors import AxisError, Malformed, NotFound, Refused, Unavailable
from axis.gateway.desk.codes import Codes
from axis.store import PartnerStore
from schemas import Action, Staff, StatusCode
from schemas.reasons import REASONS

_ANSWERS = frozenset({StatusCode.AGREED, StatusCode.DECLINED})
_FINDINGS = 5  # told in one answer


@dataclass(frozen=True, slots=True)
class Package:
    """A package that came: a file on disk, and what is known of it before it is read."""

    path: Path
    sha256: str
    kind: Kind


class Sending:
    """Send documents and report statuses for partners."""

    def __init__(
        self, store: PartnerStore, codes: Codes, agency_of: Callable[[str], Agency], now: Callable[[], dt.datetime]
    ) -> None:
        self._store = store
        self._codes = codes
        self._agency_of = agency_of
        self._now = now

    async def send(self, partner: Partner, package: Package, *, claimed: str | None = None, limit: int) -> str:
        """Send a package; return its DocId. `claimed`: whose it is as the request says, which must be what it says.

        Raises EdxmlError, Malformed, Refused or NotFound for what is wrong with it, and Unavailable: nothing was
        promised then, and the very same may come again.
        """
        parsed = await asyncio.to_thread(_read, package.path, strict=partner.strict, limit=limit)
        if isinstance(parsed, EdxmlStatus) is not (package.kind is Kind.STATUS):
            raise Refused("partner/parameter", f"messagetype says {package.kind.value}, the package is another")
        sender = self._codes.read(parsed.sender.organ_id)
        agency_code = partner.agency_of(sender)
        if agency_code is None:
            raise Refused("partner/not-served", f"{partner.system_id} does not send for {sender}")
        if claimed and self._codes.read(claimed) != sender:
            raise Refused("partner/parameter", f"from says {claimed[:60]}, the package is from {sender}")
        agency = self._agency_of(agency_code)
        if isinstance(parsed, EdxmlStatus):
            return await self._status(partner, agency, package, parsed, sender)
        return await self._document(partner, agency, package, parsed, sender)

    async def _document(
        self, partner: Partner, agency: Agency, package: Package, document: EdxmlDocument, sender: str
    ) -> str:
        recipients = list(dict.fromkeys(self._codes.read(each.organ_id) for each in document.recipients))
        concerns = await self._concerned(document, sender, recipients)
        now = self._now()
        identifier = new_id(now)
        # Read as the axis will, before anything of it is kept: nothing of a state secret may be.
        refuse_declared((extra.path.rpartition("/")[2], extra.text) for extra in document.extras)
        envelope = to_envelope(
            document,
            id=identifier,
            sent_at=now,
            to_canonical=self._codes.read,
            sender=sender,
            recipients=recipients,
            concerns=concerns,
        )
        refuse_marked(envelope)
        kept = await self._store.begin(
            Outgoing(
                doc_id=identifier,
                key=key_of(
                    system_id=partner.system_id,
                    sender=sender,
                    document_id=document.document_id.text,
                    business=document.action.value,
                    sha256=package.sha256,
                ),
                system_id=partner.system_id,
                agency=agency.code,
                kind=Kind.EDOC,
                sender=sender,
                recipients=tuple(recipients),
                document_id=envelope.document.document_id,
                subject=envelope.document.subject,
                notation="/".join(part for part in (document.number, document.notation) if part),
                message_id=identifier,
                created_at=now,
            )
        )
        if kept.submitted_at is not None:
            return kept.doc_id
        try:
            await agency.send_edxml(
                package.path, recipients=recipients, sender=sender, concerns=concerns, envelope_id=kept.doc_id
            )
        except NotConfirmed:
            pass  # it is in the ledger, and goes out by itself
        except Unavailable:
            raise
        except AxisError as error:
            await self._store.refused(kept.doc_id, str(error))
            raise
        await self._store.submitted(kept.doc_id, kept.doc_id, Plane.PROCESSING, self._now())
        return kept.doc_id

    async def _concerned(self, document: EdxmlDocument, sender: str, recipients: Sequence[str]) -> str | None:
        """Return the envelope that a recall, update or replacement is about: the last version that its recipients got.

        Raises Refused concerns/not-recipient for a recall of versions that went to some of its recipients each.
        """
        if document.action is Action.NEW:
            return None
        named = [document.document_id.text]
        business = document.business
        if business is not None and document.action is Action.UPDATE and business.document_id is not None:
            named.insert(0, business.document_id.text)
        if business is not None and document.action is Action.REPLACE:
            named = [each.document_id.text for each in business.replacements if each.document_id is not None] or named
        for each in named:
            if versions := await self._store.found_sent(each, sender, recipients):
                got = {code for one in versions for code in one.recipients}
                if document.action is Action.RECALL and (missing := got.difference(versions[0].recipients)):
                    told = f"{', '.join(sorted(missing)[:_FINDINGS])} got another version: recall it apart"
                    raise Refused("concerns/not-recipient", told)
                return versions[0].id
        raise NotFound(f"{sender} has sent no document {named[0]}", code="partner/unknown-document")

    async def _status(
        self, partner: Partner, agency: Agency, package: Package, status: EdxmlStatus, sender: str
    ) -> str:
        if status.meaning is None:
            raise EdxmlError(f"status code {status.code[:20]!r} has no meaning on the axis", code="edxml/conversion")
        found, recipients = await self._meant(status, status.meaning, sender, agency.code)
        now = self._now()
        identifier = new_id(now)
        document_id = "" if status.response.document_id is None else status.response.document_id.text
        kept = await self._store.begin(
            Outgoing(
                doc_id=identifier,
                key=key_of(
                    system_id=partner.system_id,
                    sender=sender,
                    document_id=document_id,
                    business=f"status {status.code}",
                    sha256=package.sha256,
                ),
                system_id=partner.system_id,
                agency=agency.code,
                kind=Kind.STATUS,
                sender=sender,
                recipients=(found.sender,) if found.sender != sender else tuple(recipients),
                document_id=document_id,
                subject=status.description or "",
                notation=status.response.code or "",
                message_id=identifier,
                created_at=now,
            )
        )
        if kept.submitted_at is not None:
            if kept.state is Plane.FAIL:
                raise _refused_before(kept)
            return kept.doc_id
        who = status.staff
        said = None
        if who is not None:
            said = Staff(department=who.department, name=who.name, mobile=who.mobile, email=who.email)
        try:
            reported = [
                await agency.report(
                    found.id, status.meaning, recipient=each, reason=status.description, staff=said, reporter=sender
                )
                for each in recipients
            ]
        except Unavailable:
            raise
        except AxisError as error:
            await self._store.refused(kept.doc_id, str(error))
            raise
        # Only a refusal is answered by the axis: without one a status that is on its way has arrived. Of several, one
        # for each recipient here, the first stands for all in `getSentEdocList`.
        await self._store.submitted(kept.doc_id, reported[0].status_id, Plane.DONE, self._now())
        return kept.doc_id

    async def _meant(
        self, status: EdxmlStatus, code: StatusCode, sender: str, mailbox: str
    ) -> tuple[Found, Sequence[str]]:
        """Return which envelope a status is about, and the recipients it speaks for (13: to), as addressed."""
        named = "" if status.response.document_id is None else status.response.document_id.text
        other = self._codes.read(status.response.organ_id or "")
        if code is StatusCode.TAKE_BACK:
            if found := await self._store.found_sent(named, sender, [other]):
                return found[0], [other]
        else:
            received = await self._store.found_received(named, other, mailbox)
            if code not in _ANSWERS:
                received = [each for each in received if each.action != Action.RECALL] or received
            for each in received:
                # A unit's status is about its own delivery, an agency's about those to it and to units below.
                own = [one for one in each.recipients if one == sender] or [
                    one for one in each.recipients if is_within(one, sender)
                ]
                if own := own or [one for one in each.recipients if is_within(sender, one)]:
                    return each, own
        raise NotFound(
            f"no document {named[:200]} of {other} was received here"
            if code is not StatusCode.TAKE_BACK
            else f"{sender} has sent no document {named[:200]}",
            code="partner/unknown-document",
        )


def _refused_before(kept: Outgoing) -> AxisError:
    """Return why the axis refused a status, for the partner that sends it again: under its own id it stays refused."""
    code, _, told = kept.description.partition(": ")
    return Refused(code if code in REASONS else "partner/state", told or kept.description)


def _read(path: Path, *, strict: bool, limit: int) -> EdxmlDocument | EdxmlStatus:
    limits = Limits(max_bytes=limit)
    try:
        if strict:
            with path.open("rb") as file:
                report = check(file, Profile.STRICT, limits=limits)
            errors = [each for each in report.findings if each.severity is Severity.ERROR]
            if errors and not report.ok:
                told = "; ".join(f"{each.path or ''} {each.message_vi}".strip() for each in errors[:_FINDINGS])
                first = errors[0]
                code = first.code if first.code in REASONS else "edxml/conversion"
                raise EdxmlError(told, code=code, line=first.line, column=first.column)
        with path.open("rb") as file:
            return read(file, limits=limits)
    except OSError as error:
        raise Malformed(f"the package cannot be read: {error.strerror}", code="file/unreadable") from error
