"""edXML packages as what an agency sends."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from axis.client.acting import Acting, beside
from axis.client.package import acted_on, package_of, read_document, receivers_changed
from axis.client.papers import DOCUMENTS
from axis.client.sealing import with_sealed
from axis.client.sent import Sent
from axis.core.codes import canonical
from axis.core.ids import new_id
from axis.errors import Malformed, Refused


class Packaging(Acting):
    """Send packages."""

    async def send_edxml(
        self,
        source: bytes | Path,
        *,
        recipients: Sequence[str] | None = None,
        sender: str | None = None,
        concerns: str | None = None,
        envelope_id: str | None = None,
        sha256: str | None = None,
        seal: bool = False,
    ) -> Sent:
        """Send an edXML document package (QCVN 102:2016): its header becomes the envelope, its files go to the store.

        `recipients` and `sender` take precedence over the package's own. `concerns` is the envelope that a recall, an
        update or a replacement acts on; left out, it is the last document sent from here under the DocumentId that the
        package names. Receivers that an update adds get it as well, from those it removes the document is recalled.
        `seal` is as in `send`. `sha256` is of the package as somebody has looked at it before: other bytes are not
        sent (Malformed `file/changed`). Raises EdxmlError besides what `send` does.
        """
        now = self._author.now()
        document, original = await asyncio.to_thread(read_document, source)
        if sha256 not in {None, original.sha256}:
            raise Malformed("the package changed since it was looked at", code="file/changed")
        if concerns is None and (about := acted_on(document)) is not None:
            concerns = await self._sent_under(about)
        added, removed = receivers_changed(document)
        if recipients is None and (added or removed):
            named = [to.organ_id for to in document.recipients]
            if concerns is not None and (paper := await self._sent_paper(concerns)) is not None:
                named += paper.recipients
            codes = dict.fromkeys(canonical(code, tolerant=True) for code in (*named, *added))
            recipients = [code for code in codes if code not in removed]
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
            entry = self._author.signed_envelope(with_sealed(package.body, parts))
        else:
            for file in package.files:
                await self._gateway.upload(file)
        sent = await self._submit(entry)
        if removed and concerns is not None:
            reason = package.envelope.reason or "Đã đưa ra khỏi danh sách nơi nhận"
            await self.recall(concerns, reason, recipients=removed, envelope_id=beside(sent.envelope_id, "removed"))
        return sent

    async def _sent_under(self, document_id: str) -> str:
        papers = await self._ledger.papers(document_id=document_id)
        for paper in papers:
            if not paper.received and paper.action in DOCUMENTS:
                return paper.envelope_id
        told = f"no document {document_id} was sent from here; name the envelope it acts on as `concerns`"
        raise Refused("envelope/unknown-concerned", told)
