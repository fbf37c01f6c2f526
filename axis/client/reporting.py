"""What an agency reports of documents it took, and of those it sent."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from axis.client.delivery import Reported
from axis.client.ledger import Entry
from axis.client.office import Office
from axis.client.package import read_status
from axis.client.papers import DOCUMENTS, Paper
from axis.core.codes import canonical, is_within
from axis.core.ids import new_id
from axis.core.reading import parse_status
from axis.edxml.convert import to_status
from axis.edxml.model import EdxmlStatus
from axis.errors import Malformed, NotFound
from schemas import Destroyed, Staff, Status, StatusCode

_ANSWERS = frozenset({StatusCode.AGREED, StatusCode.DECLINED})
_canonical = partial(canonical, tolerant=True)  # codes as they are in real packages


class Reporting(Office):
    """Report statuses."""

    async def report(
        self,
        envelope_id: str,
        code: StatusCode,
        *,
        recipient: str | None = None,
        reason: str | None = None,
        staff: Staff | None = None,
        reporter: str | None = None,
        destroyed: Destroyed | None = None,
    ) -> Reported:
        """Report a status of an envelope received (or, with 13, sent) earlier.

        `recipient` is the delivery as addressed where it is not our own code, or (13) whom it is taken back from;
        `reporter` is a unit below when not the agency itself. `destroyed` goes with 15, see `destruction`. Returns when
        the status is kept, and confirmed unless the broker is away; the same status reported again keeps its id. Raises
        Refused for what the axis would refuse.
        """
        entry = self._author.status(
            envelope_id,
            code,
            recipient=recipient,
            reason=reason,
            staff=staff,
            reporter=self._speaker(reporter),
            destroyed=destroyed,
        )
        self._notice_board()
        sent = await self._outbox.submit(entry)
        return Reported(sent.id, recipient or self.code, code, sent.confirmed_at)

    async def destruction(
        self, envelope_id: str, files: Sequence[str] | None = None, at: dt.datetime | None = None
    ) -> Destroyed:
        """Say that the files of a document that was taken are destroyed; by default those it came with, now."""
        if files is None:
            papers = await self._ledger.papers(envelope_id=envelope_id)
            files = next((each.files for each in papers if each.received), ())
        return Destroyed(at=at or self._author.now(), files=list(files))

    async def forget(self, envelope_id: str) -> None:
        """Forget what the ledger keeps of a document that was taken; its id and digest stay, which stop repeats."""
        await self._ledger.forget(envelope_id)

    async def report_edxml(
        self,
        source: bytes | Path,
        *,
        envelope_id: str | None = None,
        reporter: str | None = None,
        sha256: str | None = None,
    ) -> list[Reported]:
        """Report what an edXML status package says, once for each recipient of the document that it speaks for.

        Which envelope it is about, the DocumentId and the organisation in `ResponseFor` tell, unless `envelope_id`
        does: an answer (15, 16) is about the last thing that came under this DocumentId, a take-back (13) about the
        document that we sent there, everything else about the document itself.

        `sha256` is of the package as somebody has looked at it before: other bytes are not reported (Malformed
        `file/changed`). Raises EdxmlError, NotFound `document/not-found` when no such document was taken (13: sent)
        here, and what `report` does.
        """
        package, original = await asyncio.to_thread(read_status, source)
        if sha256 not in {None, original.sha256}:
            raise Malformed("the package changed since it was looked at", code="file/changed")
        paper = await self._meant(package, envelope_id)
        status = to_status(
            package,
            id=new_id(self._author.now()),
            envelope=paper.envelope_id,
            to_canonical=_canonical,
            reporter=None if reporter is None else canonical(reporter),
            at=self._author.now(),
        )
        speaker = self._speaker(status.reporter)
        entries = [
            self._author.status(
                paper.envelope_id,
                status.code,
                recipient=recipient,
                reason=status.reason,
                staff=status.staff,
                reporter=speaker,
                at=status.at,
            )
            for recipient in _spoken_for(paper, status)
        ]
        self._notice_board()
        return [_reported(await self._outbox.submit(entry)) for entry in entries]

    async def _meant(self, package: EdxmlStatus, envelope_id: str | None) -> Paper:
        if envelope_id is not None:
            papers = await self._ledger.papers(envelope_id=envelope_id)
        else:
            response = package.response
            document_id = "" if response.document_id is None else response.document_id.text
            papers = await self._ledger.papers(document_id=document_id)
            with contextlib.suppress(Malformed):  # a code nobody can read; the DocumentId says enough
                other = _canonical(response.organ_id or "")
                papers = [each for each in papers if each.is_with(other)]
        taking_back = package.meaning is StatusCode.TAKE_BACK
        papers = [each for each in papers if each.received is not taking_back]
        if package.meaning not in _ANSWERS:
            papers = [each for each in papers if each.action in DOCUMENTS] or papers
        if not papers:
            told = envelope_id or (package.response.document_id and package.response.document_id.text)
            raise NotFound(
                f"no document {told} was {'sent' if taking_back else 'taken'} here", code="document/not-found"
            )
        return papers[0]

    async def report_again(self, envelope_id: str) -> list[Reported]:
        """Send every status reported about an envelope again, same bytes, when the axis has lost what it was told.

        What it knows it takes for the repeat it is.
        """
        said = [e for e in await self._ledger.entries(about=envelope_id, unconfirmed=False) if e.kind == "status"]
        reopened = [entry for each in said if (entry := await self._ledger.reopen(each.id)) is not None]
        return [_reported(entry) for entry in await self._outbox.send(reopened)]


def _reported(entry: Entry) -> Reported:
    status = parse_status(entry.body)
    return Reported(entry.id, status.recipient or status.reporter, status.code, entry.confirmed_at)


def _spoken_for(paper: Paper, status: Status) -> list[str | None]:
    """Say for which recipients, as addressed, a reporter speaks: itself, else the units below it."""
    if status.recipient is not None or status.reporter in paper.recipients:
        return [status.recipient]
    below = [each for each in paper.recipients if is_within(each, status.reporter)]
    return [*below] or [None]  # by way of a successor, for one: the axis knows
