"""One document in the mailbox, as the application sees it."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from axis.client.opening import Opened
from axis.core.ids import time_of
from axis.core.messages import Signer
from axis.errors import AxisError, Malformed
from axis.signatures.pdf import MAX_BYTES, look_at
from axis.signatures.trust import Trust
from axis.signatures.verdict import Standing, Verdict
from schemas import Attachment, AttachmentRole, Destroyed, Envelope, Staff, StatusCode

if TYPE_CHECKING:
    from axis.client.replays import Replayed

_PDF = "application/pdf"
_LOOKING_SECONDS = 60.0  # for all files of a document together; the broker gives up on who holds one for long
_LONGEST_NAME = 240  # bytes: file systems end at 255, and a temporary name is a little longer


@dataclass(frozen=True, slots=True)
class Reported:
    """A status that is on its way: `confirmed_at` is None while the broker is away; it is kept and sent again."""

    status_id: str
    recipient: str
    code: StatusCode
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """What an application reports of a document."""

    code: StatusCode
    reason: str | None = None
    staff: Staff | None = None
    destroyed: Destroyed | None = None

    async def report(self, desk: "Desk", envelope_id: str, recipient: str) -> Reported:
        """Report it of an envelope, for one recipient."""
        return await desk.report(
            envelope_id,
            self.code,
            recipient=recipient,
            reason=self.reason,
            staff=self.staff,
            destroyed=self.destroyed,
        )


class Desk(Protocol):
    """What a delivery needs from the agency that it came to."""

    async def report(
        self,
        envelope_id: str,
        code: StatusCode,
        *,
        recipient: str,
        reason: str | None,
        staff: Staff | None,
        destroyed: Destroyed | None,
    ) -> Reported:
        """Keep a status, then publish it."""
        ...

    async def destruction(self, envelope_id: str, files: Sequence[str] | None, at: datetime | None) -> Destroyed:
        """Say that the files of a document that was taken are destroyed; None: those it came with, now."""
        ...

    async def opened(self, envelope: Envelope) -> Opened:
        """Return the files, opened where they are sealed."""
        ...

    @property
    def document_trust(self) -> Trust:
        """Whose signatures inside documents count."""
        ...


class Delivery:
    """A document that was delivered and proved: its sender, or an organisation above it, signed these bytes.

    It is *taken* by `take()`, by `hold()`, by any status, or by asking the inbox for the next one. Until then it stays
    the broker's, who hands it out again after a crash; from then on it is the application's, and is never handed out
    again. So keep it safely first (the envelope id is the key to recognise it by), then take it.
    """

    def __init__(
        self,
        *,
        body: bytes,
        signature: str,
        envelope: Envelope,
        recipients: tuple[str, ...],
        signer: Signer,
        desk: Desk,
        take: Callable[["Delivery", Sequence[Said]], Awaitable[Sequence[Reported]]],
        defer: Callable[["Delivery", AxisError], Awaitable[None]] | None = None,
        withdrawn: bool = False,
        replayed: "Replayed | None" = None,
    ) -> None:
        self.body = body
        self.signature = signature
        self.envelope = envelope
        self.recipients = recipients
        self.signer = signer
        self.withdrawn = withdrawn
        self.replayed = replayed
        self._desk = desk
        self._take = take
        self._defer = defer
        self._taking = asyncio.Lock()
        self._taken = False
        self._opened: Opened | None = None

    def __repr__(self) -> str:
        return f"<Delivery {self.envelope.id} from {self.envelope.sender} for {', '.join(self.recipients)}>"

    @property
    def sha256(self) -> str:
        """SHA-256 of the exact bytes delivered."""
        return sha256(self.body).hexdigest()

    @property
    def taken(self) -> bool:
        """Whether the application has said that it has the document safely."""
        return self._taken

    async def take(self) -> None:
        """Say that the document is safe with the application: status 01 goes out, and the broker may forget it."""
        async with self._taking:
            if not self._taken:
                await self._take(self, [Said(StatusCode.ARRIVED)])
                self._taken = True

    async def hold(self) -> None:
        """Take the document for somebody else, who fetches it later: nothing is reported yet.

        The broker may forget it, and it is never handed out again. Whoever holds it reports 01 (`Agency.report`) once
        the other has it; until then the axis's audit believes the store's word that it is held.
        """
        async with self._taking:
            if not self._taken:
                await self._take(self, [])
                self._taken = True

    async def defer(self, error: AxisError) -> None:
        """Set the document aside because of what is in its way: `Agency.deferred` hands it out from then on.

        The broker may forget it and nothing is reported; what was handed out from there already stays there.
        """
        async with self._taking:
            if self._defer is not None and not self._taken:
                await self._defer(self, error)
                self._taken = True

    async def accept(self, *, staff: Staff | None = None) -> Sequence[Reported]:
        """Report 03: entered in the register of incoming documents."""
        return await self.report(StatusCode.ACCEPTED, staff=staff)

    async def refuse(self, reason: str, *, staff: Staff | None = None) -> Sequence[Reported]:
        """Report 02: not taken in, and why (QĐ 28/2018 article 5.4)."""
        return await self.report(StatusCode.REFUSED, reason=reason, staff=staff)

    async def assign(self, *, staff: Staff | None = None) -> Sequence[Reported]:
        """Report 04: given to somebody to handle."""
        return await self.report(StatusCode.ASSIGNED, staff=staff)

    async def process(self, *, staff: Staff | None = None) -> Sequence[Reported]:
        """Report 05: being handled."""
        return await self.report(StatusCode.PROCESSING, staff=staff)

    async def finish(self, *, staff: Staff | None = None) -> Sequence[Reported]:
        """Report 06: done."""
        return await self.report(StatusCode.FINISHED, staff=staff)

    async def agree(self, *, staff: Staff | None = None) -> Sequence[Reported]:
        """Report 15: the update or recall is agreed to; of a recalled document `destroyed` follows (article 9.2)."""
        return await self.report(StatusCode.AGREED, staff=staff)

    async def destroyed(
        self, *, files: Sequence[str] | None = None, at: datetime | None = None, staff: Staff | None = None
    ) -> Sequence[Reported]:
        """Report 15 with the proof that our copy of the recalled document is destroyed: after `agree`, or for both.

        Where it takes the recall, the plain 15 is written with it, so that a crash keeps both answers or neither.

        `files` are the SHA-256 of what was destroyed, by default all that the document came with; `at` when, by default
        now. Nothing of the application's is deleted here; `Agency.forget` forgets what the ledger kept.
        """
        proof = await self._desk.destruction(self.envelope.concerns or self.envelope.id, files, at)
        agreed = Said(StatusCode.AGREED, staff=staff)
        return await self._say(replace(agreed, destroyed=proof), before=[agreed])

    async def decline(self, reason: str, *, staff: Staff | None = None) -> Sequence[Reported]:
        """Report 16: the update or recall is not carried out, and why."""
        return await self.report(StatusCode.DECLINED, reason=reason, staff=staff)

    async def report(
        self,
        code: StatusCode,
        *,
        reason: str | None = None,
        staff: Staff | None = None,
        destroyed: Destroyed | None = None,
    ) -> Sequence[Reported]:
        """Take the document, then report a status, one for each recipient of it that is ours.

        Returns when the statuses are on disk and the broker has confirmed them or its deadline is over. The same
        status reported again keeps its id. Taking and the first report are one write: a crash keeps both or neither.
        """
        return await self._say(Said(code, reason, staff, destroyed))

    async def _say(self, said: Said, *, before: Sequence[Said] = ()) -> Sequence[Reported]:
        """Report one thing; where that takes the document, after 01 and what is to be said before it."""
        async with self._taking:
            if not self._taken:
                reported = await self._take(self, [Said(StatusCode.ARRIVED), *before, said])
                self._taken = True
                return reported
        return [await said.report(self._desk, self.envelope.id, recipient) for recipient in self.recipients]

    @property
    def sealed(self) -> bool:
        """Whether its files are encrypted for us; their names are then known to `files` alone."""
        return self.envelope.sealed is not None

    async def files(self) -> tuple[Attachment, ...]:
        """Return the files as their author named them, opening a sealed document with the sealing keys in the profile.

        Raises Refused when it is sealed and cannot be opened: seal/no-key and seal/not-for-you say what is missing
        here, seal/malformed, seal/other-envelope and seal/broken that it is to be refused. Raises Unavailable.
        """
        return (await self._open()).files

    async def read(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """Stream a file of `files` (or of the envelope), opened; raise as `files` before the first piece.

        Raises Refused blob/digest or seal/broken in place of the last piece when the bytes are not the named ones.
        """
        async with aclosing((await self._open()).read(attachment)) as pieces:
            async for piece in pieces:
                yield piece

    async def save_attachments(self, folder: Path, *, package: bool = False) -> list[Path]:
        """Save every file under its own name, opened, in the envelope's order; return the paths. Raises as `files`.

        With `package` also the edXML package that the document came as, which holds the same files once more.
        A file appears only when it is whole, right and on disk. One that is there already with the same bytes is
        left; with other bytes it raises Malformed `file/exists`: nothing is ever overwritten.
        """
        files = await self.files()
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        wanted = [each for each in files if package or each.role is not AttachmentRole.PACKAGE]
        return [await self._save(attachment, folder) for attachment in wanted]

    async def signatures(self) -> tuple[tuple[Attachment, Verdict], ...]:
        """Look at the signatures inside the files (PDF), as of the time when the envelope was made. Raises as `files`.

        Signed documents replace paper, others are for information only (QĐ 28/2018 article 4). Each PDF is fetched
        once more, and looked at in a process of its own, once for each content; after a minute the rest is said to be
        not looked at. Nothing is taken or reported.
        """
        until = asyncio.get_running_loop().time() + _LOOKING_SECONDS
        looked: dict[str, Verdict] = {}
        found: list[tuple[Attachment, Verdict]] = []
        for file in await self.files():
            if file.role is AttachmentRole.PACKAGE:
                continue
            verdict = looked.get(file.sha256)
            if file.media_type != _PDF and not file.name.lower().endswith(".pdf"):
                verdict = Verdict(Standing.NOT_A_PDF)
            elif verdict is None:
                verdict = looked[file.sha256] = await self._look_at(file, until)
            found.append((file, verdict))
        return tuple(found)

    async def _look_at(self, attachment: Attachment, until: float) -> Verdict:
        if attachment.size > MAX_BYTES:
            return Verdict(Standing.NOT_LOOKED_AT, detail=f"{attachment.size} bytes are over the limit of {MAX_BYTES}")
        if asyncio.get_running_loop().time() < until:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    return await self._fetch_and_look(attachment)
        detail = f"the files of this document took more than {_LOOKING_SECONDS:.0f} s"
        return Verdict(Standing.NOT_LOOKED_AT, detail=detail)

    async def _fetch_and_look(self, attachment: Attachment) -> Verdict:
        handle, name = await asyncio.to_thread(tempfile.mkstemp, suffix=".pdf")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                async with aclosing(self.read(attachment)) as pieces:
                    async for piece in pieces:
                        await asyncio.to_thread(file.write, piece)
            return await look_at(part, trust=self._desk.document_trust, at=time_of(self.envelope.id))
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _open(self) -> Opened:
        if self._opened is None:
            self._opened = await self._desk.opened(self.envelope)
        return self._opened

    async def _save(self, attachment: Attachment, folder: Path) -> Path:
        path = folder / _file_name(attachment)
        if await asyncio.to_thread(_is_same, path, attachment):
            return path
        handle, name = await asyncio.to_thread(tempfile.mkstemp, dir=folder, prefix=".", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                async with aclosing(self.read(attachment)) as pieces:
                    async for piece in pieces:
                        await asyncio.to_thread(file.write, piece)
                await asyncio.to_thread(_settle, file)
            await asyncio.to_thread(_put_in_place, part, path)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        return path


def _file_name(attachment: Attachment) -> str:
    """Return the name to save under: a long Vietnamese name has more bytes than a file system takes."""
    name = attachment.name
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix.encode()) > 20:  # noqa: PLR2004 - longer than any real extension
        stem, dot, suffix = name, "", ""
    # The digest keeps apart what cutting made equal.
    end = f"~{attachment.sha256[:8]}{dot}{suffix}"
    return stem.encode()[: _LONGEST_NAME - len(end.encode())].decode(errors="ignore").rstrip(". ") + end


def _is_same(path: Path, attachment: Attachment) -> bool:
    if not os.path.lexists(path):
        return False
    if path.is_file() and not path.is_symlink() and path.stat().st_size == attachment.size:
        digest = sha256()
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        if digest.hexdigest() == attachment.sha256:
            return True
    raise Malformed(f"{path} is there already, and is another file", code="file/exists")


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _put_in_place(part: Path, path: Path) -> None:
    try:
        os.link(part, path)  # unlike a rename it never replaces what appeared meanwhile
    except FileExistsError as error:
        raise Malformed(f"{path} is there already, and is another file", code="file/exists") from error
    except OSError:
        part.replace(path)  # a file system without hard links; `_is_same` has looked a moment ago
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
