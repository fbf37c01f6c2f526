"""The half of an agency that sends: documents, packages, and what is done with a document afterwards."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from axis.client.building import File, same_document
from axis.client.ledger import Entry
from axis.client.office import Office
from axis.client.papers import Paper
from axis.client.sent import Sent, refuse_given_up, sent_by
from axis.core.codes import canonical
from axis.core.ids import new_id
from axis.core.reading import parse_envelope, parse_receipt
from axis.errors import NotFound, Refused
from schemas import Action, Document, Envelope, Outcome

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

    async def _submit(self, entry: Entry) -> Sent:
        board = self._notice_board()  # who only sends must hear of limits too: what is over one is sent again by it
        envelope = parse_envelope(entry.body)
        if envelope.concerns is not None:
            entry = await self._behind(entry, envelope.concerns)
        paper = Paper.of(envelope, received=False)
        sent = await self._outbox.submit(entry, papers=[paper])
        if sent.body != entry.body and not same_document(sent.body, entry.body):
            raise Refused("envelope/id-reused", f"{entry.id} is the id of another document")
        if sent.waits_for is not None:
            kept = await board.receipt(sent.waits_for, self._session.deadline)
            if kept is not None:
                await self._outbox.heard(parse_receipt(kept.body))
                (sent,) = await self._outbox.send([sent])
            refuse_given_up(sent)
        return sent_by(sent)

    async def _behind(self, entry: Entry, concerns: str) -> Entry:
        """Let what acts on a document of ours wait until that has its receipt: it may be over a limit, or refused."""
        sent = await self._ledger.entries(about=concerns, unconfirmed=False)
        if not any(each.id == concerns for each in sent):
            return entry  # sent from elsewhere, or long ago
        kept = await self._ledger.receipt_for(concerns)
        if kept is None:
            return replace(entry, waits_for=concerns)
        if (receipt := parse_receipt(kept.body)).outcome is Outcome.REFUSED:
            raise Refused("concerns/refused", f"{concerns} was refused: {receipt.code or 'for every recipient'}")
        return entry
