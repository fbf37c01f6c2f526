"""Document systems of today, played: each reads packages, and answers with status packages, by its own way."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import httpx

from axis.core.codes import canonical, to_qcvn102
from axis.edxml import EdxmlDocument, EdxmlStatus, Instant, Organisation, Response, build_status, read
from axis.errors import Unavailable
from schemas import StatusCode

# What every system of the story says, in words of its own; that it arrived, the way itself says.
_SAID = {
    StatusCode.ACCEPTED: "Đã tiếp nhận, vào sổ văn bản đến",
    StatusCode.PROCESSING: "Đang xử lý",
    StatusCode.FINISHED: "Đã hoàn thành",
}
_LOOK_SECONDS = 0.3

# The DocumentId of what arrived, and for which of the system's codes.
Taken = Callable[[str, Sequence[str]], Awaitable[None]]


class Interface(Protocol):
    """An HTTP interface, as its client sees it; raises httpx.HTTPError, Unavailable."""

    async def waiting(self) -> list[str]:
        """Return the ids of the documents that wait."""
        ...

    async def fetch(self, doc_id: str) -> bytes:
        """Return a package."""
        ...

    async def done(self, doc_id: str) -> None:
        """Say that it is safe here."""
        ...

    async def send_status(self, package: bytes, speaker: str) -> None:
        """Send a status package."""
        ...


async def play_interface(interface: Interface, codes: Sequence[str], taken: Taken) -> None:
    """Fetch and answer until cancelled; what is away is asked again."""
    while True:
        try:
            for doc_id in await interface.waiting():
                document = read(await interface.fetch(doc_id))
                await interface.done(doc_id)
                if isinstance(document, EdxmlDocument):
                    ours = _addressed(document, codes)
                    await taken(document.document_id.text, ours)
                    for speaker in ours:
                        for package in answers(document, speaker):
                            await interface.send_status(package, written(speaker))
        except (httpx.HTTPError, Unavailable):
            pass
        await asyncio.sleep(_LOOK_SECONDS)


async def play_folder(out: Path, incoming: Path, codes: Sequence[str], taken: Taken) -> None:
    """Read what appears in a folder and write answers into another, until cancelled."""
    number = 0
    while True:
        for path in sorted(await asyncio.to_thread(lambda: list(incoming.glob("*.edxml")))):
            document = read(await asyncio.to_thread(path.read_bytes))
            if isinstance(document, EdxmlDocument):
                ours = _addressed(document, codes)
                for package in [package for speaker in ours for package in answers(document, speaker)]:
                    number += 1
                    await asyncio.to_thread(_put, out / f"trang-thai-{number}.edxml", package)
                await taken(document.document_id.text, ours)
            await asyncio.to_thread(path.unlink)
        await asyncio.sleep(_LOOK_SECONDS)


def answers(document: EdxmlDocument, speaker: str) -> list[bytes]:
    """Write the status packages that a system says about a document, in their order."""
    return [
        build_status(
            EdxmlStatus(
                sender=Organisation(organ_id=written(speaker)),
                response=Response(
                    organ_id=document.sender.organ_id,
                    code=f"{document.number}/{document.notation}",
                    issued_on=document.issued_on,
                    document_id=document.document_id,
                ),
                code=code.value,
                description=said,
                at=Instant.of(dt.datetime.now(dt.UTC)),
            )
        )
        for code, said in _SAID.items()
    ]


def written(code: str) -> str:
    """Write a code as these systems do."""
    return to_qcvn102(code) or code


def _addressed(document: EdxmlDocument, codes: Sequence[str]) -> list[str]:
    named = {canonical(each.organ_id, tolerant=True) for each in document.recipients}
    return [code for code in codes if code in named]


def _put(path: Path, package: bytes) -> None:
    part = path.with_name(f"{path.name}.tmp")
    part.write_bytes(package)
    part.rename(path)
