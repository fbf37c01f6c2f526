"""Documents and statuses on their way in: each becomes a package in the folder, and only then is it taken.

A document that came as edXML is handed on byte for byte, after a look whether its package says what the envelope
says: only the envelope is signed for everybody to see, and a package that names another sender would be believed by
the system that reads it. Every other document is written as a package, with its files inside.
"""

import asyncio
import tempfile
from contextlib import aclosing
from functools import partial
from pathlib import Path

from axis.client import Agency, Delivery
from axis.client.originals import difference
from axis.core.codes import canonical
from axis.edxml import EdxmlDocument, Naming, build_status, from_envelope, from_status, write_document
from axis.errors import AxisError
from axis.folder import disk
from axis.folder.names import document_name, status_name
from axis.folder.told import Teller, What
from axis.folder.writing import Writer
from schemas import Attachment, AttachmentRole, Envelope, Receipt, RecipientOutcome, Status, StatusCode
from schemas.reasons import REASONS


class Incoming:
    """Write packages into the folder. `naming`: how codes and names are written for the agency's system.

    `spool`: a folder that nobody else may read, where files lie opened until they are in a package.
    """

    def __init__(self, writer: Writer, *, spool: Path, agency: Agency, naming: Naming, teller: Teller) -> None:
        self._writer = writer
        self._spool = spool
        self._agency = agency
        self._naming = naming
        self._tell = teller

    async def document(self, delivery: Delivery) -> None:
        """Write a document, then take it.

        Raises:
            Refused: it cannot be opened or its files are not the named ones; nothing was written or taken.
            EdxmlError: it cannot be said as a package.
            Unavailable, OSError: something is away or in the way; nothing was taken.
        """
        envelope = delivery.envelope
        name = await asyncio.to_thread(self._writer.finish, envelope.id)
        if name is None:
            name = await self._write(delivery, withdrawn=delivery.withdrawn and await self._take_back(delivery))
        await delivery.take()
        self._tell(What.WITHDRAWN if delivery.withdrawn else What.RECEIVED, name, envelope=envelope.id)

    async def _take_back(self, delivery: Delivery) -> bool:
        """Remove a document that a crash has left here untaken, when it is recalled; say whether nobody had it."""
        concerned = delivery.envelope.concerns or ""
        nobody = await asyncio.to_thread(self._writer.take_back, concerned)
        if not nobody:
            detail = "it is recalled, and was fetched from here before it was taken: see that it is destroyed"
            self._tell(What.TROUBLE, envelope=concerned, detail=detail)
        return nobody

    async def status(self, status: Status) -> None:
        """Write what somebody did with a document; raise OSError, EdxmlError."""
        about = await self._about(status.envelope)
        if about is None:
            self._tell(What.IGNORED, envelope=status.envelope, detail="a status of a document that is not known here")
            return
        await self._write_status(status, about)

    async def refusals(self, receipt: Receipt) -> None:
        """Write a status 02 for each recipient that the axis has refused, as that recipient would have said it.

        For systems that read packages only, and would wait for an answer for ever. Raises OSError, EdxmlError.
        """
        about = await self._about(receipt.message_id or "")
        if about is None or receipt.message_type != "document":
            return
        told = {
            each.recipient: (each.code, each.detail)
            for each in receipt.recipients
            if each.outcome is RecipientOutcome.REFUSED
        }
        if receipt.code is not None:  # the envelope as such
            told = dict.fromkeys(about.recipients, (receipt.code, receipt.detail))
        for recipient, (code, detail) in told.items():
            await self._write_refusal(receipt, about, recipient, code, detail)

    async def _write_refusal(
        self, receipt: Receipt, about: Envelope, recipient: str, code: str | None, detail: str | None
    ) -> None:
        reason = REASONS.get(code or "")
        status = Status(
            schema="axis.status/1",
            id=receipt.id,
            reporter=recipient,
            envelope=about.id,
            code=StatusCode.REFUSED,
            at=receipt.at,
            reason=f"{code}: {reason.title_vi if reason else detail}"[:2000],
        )
        # The same refusal is the same status, whenever it is written.
        await self._write_status(status, about, identifier=f"{receipt.id} {recipient}")

    async def _write_status(self, status: Status, about: Envelope, identifier: str | None = None) -> None:
        identifier = identifier or status.id
        name = await asyncio.to_thread(self._writer.finish, identifier)
        if name is None:
            content = build_status(from_status(status, about, naming=self._naming))
            wanted = status_name(status, about)
            name = await asyncio.to_thread(self._writer.write, identifier, wanted, lambda file: file.write(content))
        self._tell(What.STATUS, name, envelope=about.id, detail=f"{status.code.value} {status.reporter}")

    async def _about(self, envelope_id: str) -> Envelope | None:
        sent = await self._agency.sent_envelope(envelope_id)
        if sent is not None:
            return sent
        paper = await self._agency.remembered(envelope_id)
        return None if paper is None else paper.as_envelope()

    # Documents

    async def _write(self, delivery: Delivery, *, withdrawn: bool) -> str:
        files = await delivery.files()
        envelope = delivery.envelope.model_copy(update={"attachments": list(files), "sealed": None})
        part = disk.new_part(self._writer.folder)
        try:
            original = next((each for each in files if each.role is AttachmentRole.PACKAGE), None)
            if original is None or not await self._fetch_original(delivery, envelope, original, part):
                await self._compose(delivery, envelope, part)
            return await asyncio.to_thread(
                self._writer.place, envelope.id, part, document_name(envelope, withdrawn=withdrawn)
            )
        except (AxisError, OSError):
            await asyncio.to_thread(self._writer.discard, part)
            raise

    async def _fetch_original(self, delivery: Delivery, envelope: Envelope, original: Attachment, part: Path) -> bool:
        """Write the package as it was sent; say whether it may be believed."""
        await _fetch(delivery, original, part)
        about = await self._about(envelope.concerns) if envelope.concerns else None
        concerned = about.document.document_id if about else None
        to_canonical = partial(canonical, tolerant=True)
        differs = await asyncio.to_thread(difference, part, envelope, to_canonical, concerned=concerned)
        if differs is None:
            return True
        await asyncio.to_thread(part.unlink)
        self._tell(
            What.TROUBLE,
            envelope=envelope.id,
            detail=f"the package of {envelope.sender} says another {differs} than the signed envelope: "
            "it is written anew from the envelope",
        )
        return False

    async def _compose(self, delivery: Delivery, envelope: Envelope, part: Path) -> None:
        """Write a package with the files of the document inside."""
        with tempfile.TemporaryDirectory(dir=self._spool) as spool:
            contents: dict[str, Path] = {}
            for each in envelope.attachments:
                if each.role is not AttachmentRole.PACKAGE and each.sha256 not in contents:
                    contents[each.sha256] = Path(spool) / each.sha256
                    await _fetch(delivery, each, contents[each.sha256])
            about = await self._about(envelope.concerns) if envelope.concerns else None
            package = from_envelope(envelope, contents, naming=self._naming, concerned=about)
            await asyncio.to_thread(_write_package, package, part)


async def _fetch(delivery: Delivery, attachment: Attachment, path: Path) -> None:
    with await asyncio.to_thread(path.open, "xb") as file:
        async with aclosing(delivery.read(attachment)) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
        await asyncio.to_thread(disk.settle, file)


def _write_package(package: EdxmlDocument, path: Path) -> None:
    with path.open("xb") as file:
        write_document(package, file)
        disk.settle(file)
