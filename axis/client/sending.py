"""The half of an agency that sends: documents, packages, and what is done with a document afterwards."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from axis.client.building import File, same_document
from axis.client.ledger import Entry
from axis.client.office import Office
from axis.client.package import acted_on, package_of, read_document
from axis.client.papers import DOCUMENTS, Paper
from axis.client.sealing import with_sealed
from axis.client.sent import Sent, sent_by
from axis.core.codes import canonical
from axis.core.ids import new_id
from axis.core.reading import parse_envelope
from axis.errors import NotFound, Refused
from schemas import Action, Document, Envelope

KEPT = dt.timedelta(days=90)  # how long confirmed messages and finished notices stay in the ledger


class Sending(Office):
    """Send, also again."""

    async def send(
        self,
        *,
        document: Document,
        recipients: Sequence[str],
        attachments: Sequence[Path | File] = (),
        action: Action = Action.NEW,
        concerns: str | None = None,
        reason: str | None = None,
        sender: str | None = None,
        envelope_id: str | None = None,
        seal: bool = False,
    ) -> Sent:
        """Upload the files, sign the envelope, keep it, publish it; return when the broker has confirmed.

        Recipients may be in either code form. `sender` is a unit below when not the agency itself. `concerns` is the
        envelope that is recalled, updated or replaced. `envelope_id` (from `new_envelope_id`, noted by the application
        before) makes it safe to call again after any failure: it is one document, however often it is called.
        `seal` encrypts the files for the recipients' mailboxes, end to end; what `document` says stays readable.

        Raises:
            Refused: with the code the axis would refuse it with, or seal/*; nothing was kept or sent.
            Malformed: a code or a file cannot be read; nothing was kept or sent.
            Unavailable: the gateway was away; nothing was kept or sent.
            NotConfirmed: the broker was away; the envelope is kept and will be sent by itself.
        """
        files = [File.of(each) for each in attachments]
        speaker = self._speaker(sender)
        codes = [canonical(recipient) for recipient in recipients]
        identifier = envelope_id or self.new_envelope_id()

        def write(described: Sequence[dict[str, object]], sealed: dict[str, object] | None = None) -> Entry:
            return self._author.envelope(
                sender=speaker,
                recipients=codes,
                document=document,
                attachments=described,
                action=action,
                concerns=concerns,
                reason=reason,
                identifier=identifier,
                sealed=sealed,
            )

        made_up = [file.attachment(number, sha256="0" * 64, size=0) for number, file in enumerate(files)]
        if files:
            # A first time with made-up digests: what the axis would refuse is refused before anything is uploaded.
            write(made_up)
        if seal:
            parts = await self._sealer.seal(files, made_up, recipients=codes, envelope_id=identifier, sender=speaker)
            return await self._submit(write(parts.attachments, parts.sealed))
        described = []
        for number, file in enumerate(files):
            uploaded = await self._gateway.upload(file)
            described.append(file.attachment(number, sha256=uploaded.sha256, size=uploaded.size))
        return await self._submit(write(described))

    async def send_edxml(
        self,
        source: bytes | Path,
        *,
        recipients: Sequence[str] | None = None,
        sender: str | None = None,
        concerns: str | None = None,
        envelope_id: str | None = None,
        seal: bool = False,
    ) -> Sent:
        """Send an edXML document package (QCVN 102:2016): its header becomes the envelope, its files go to the store.

        `recipients` and `sender` take precedence over the package's own. `concerns` is the envelope that a recall, an
        update or a replacement acts on; left out, it is the last document sent from here under the DocumentId that the
        package names. `seal` is as in `send`. Raises EdxmlError besides what `send` does.
        """
        now = self._author.now()
        document, original = await asyncio.to_thread(read_document, source)
        if concerns is None and (about := acted_on(document)) is not None:
            concerns = await self._sent_under(about)
        package = package_of(
            document,
            original,
            identifier=envelope_id or new_id(now),
            sent_at=now,
            recipients=None if recipients is None else [canonical(recipient) for recipient in recipients],
            sender=None if sender is None else canonical(sender),
            concerns=concerns,
        )
        self._speaker(package.envelope.sender)
        entry = self._author.signed_envelope(package.body)
        if seal:
            envelope = package.envelope
            parts = await self._sealer.seal(
                package.files,
                [each.model_dump(mode="json", exclude_none=True) for each in envelope.attachments],
                recipients=envelope.recipients,
                envelope_id=envelope.id,
                sender=envelope.sender,
            )
            return await self._submit(self._author.signed_envelope(with_sealed(package.body, parts)))
        for file in package.files:
            await self._gateway.upload(file)
        return await self._submit(entry)

    def new_envelope_id(self) -> str:
        """Make an id for a document about to be sent; the axis takes ids that are not older than a month."""
        return new_id(self._author.now())

    async def outbox(self) -> list[Entry]:
        """Return what is signed and not confirmed yet, oldest first; it is sent again by itself."""
        return await self._ledger.entries()

    async def sent_envelope(self, envelope_id: str) -> Envelope | None:
        """Return an envelope that was signed and kept here, confirmed or not; None when there is none, or not any more.

        One that is there goes out by itself, and must not be made anew.
        """
        for entry in await self._ledger.entries(about=envelope_id, unconfirmed=False):
            if entry.kind == "document":
                return parse_envelope(entry.body)
        return None

    async def send_again(self, envelope_id: str) -> Sent:
        """Send the same bytes again, for a receipt whose code allows it (`blob/missing`, after the upload)."""
        entry = await self._ledger.reopen(envelope_id)
        if entry is None or entry.kind != "document":
            raise NotFound(f"{self.code} has not sent {envelope_id}, or more than {KEPT.days} days ago")
        (sent,) = await self._outbox.send([entry])
        return sent_by(sent)

    async def _sent_under(self, document_id: str) -> str:
        papers = await self._ledger.papers(document_id=document_id)
        for paper in papers:
            if not paper.received and paper.action in DOCUMENTS:
                return paper.envelope_id
        told = f"no document {document_id} was sent from here; name the envelope it acts on as `concerns`"
        raise Refused("envelope/unknown-concerned", told)

    async def _submit(self, entry: Entry) -> Sent:
        self._notice_board()  # who only sends must hear of limits too: what is over one is sent again by the board
        paper = Paper.of(parse_envelope(entry.body), received=False)
        sent = await self._outbox.submit(entry, papers=[paper])
        if sent.body != entry.body and not same_document(sent.body, entry.body):
            raise Refused("envelope/id-reused", f"{entry.id} is the id of another document")
        return sent_by(sent)
