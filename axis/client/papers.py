"""What an agency remembers of each document it sent or took, for as long as it keeps its ledger.

The bytes of what was sent are forgotten after a while. This stays, because the other end may speak of a document a year
later: by its DocumentId, which is all that an edXML package knows, or to recall it.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from schemas import Action, Document, Envelope

# What stands for itself; a recall or an update bears the DocumentId of the document that it is about.
DOCUMENTS = frozenset({Action.NEW, Action.REPLACE})
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)  # when it was sent is not remembered


@dataclass(frozen=True, slots=True)
class Paper:
    """One document, sent or (`received`) taken; `document_id` is the sender's own key for it, as `spelled`."""

    envelope_id: str
    document_id: str
    sender: str
    recipients: tuple[str, ...]
    action: Action
    concerns: str | None
    received: bool
    files: tuple[str, ...] = ()  # SHA-256 of its attachments

    @classmethod
    def of(cls, envelope: Envelope, *, received: bool) -> "Paper":
        """Remember an envelope."""
        return cls(
            envelope_id=envelope.id,
            document_id=spelled(envelope.document.document_id),
            sender=envelope.sender,
            recipients=tuple(envelope.recipients),
            action=envelope.action,
            concerns=envelope.concerns,
            received=received,
            files=tuple(each.sha256 for each in envelope.attachments),
        )

    def as_envelope(self) -> Envelope:
        """Return what is left of the envelope: its identifiers, all that a status or a recall names of it."""
        return Envelope(
            schema="axis.envelope/1",
            id=self.envelope_id,
            sender=self.sender,
            recipients=list(self.recipients),
            action=self.action,
            concerns=self.concerns,
            sent_at=_LONG_AGO,
            document=Document(document_id=self.document_id, subject=self.document_id),
        )

    def is_with(self, party: str) -> bool:
        """Say whether it was exchanged with an organisation: its sender, or one of those we sent it to."""
        return self.sender == party if self.received else party in self.recipients


def spelled(document_id: str) -> str:
    """Spell a DocumentId in one way: two systems write the same letters of Vietnamese differently (NFC, NFD)."""
    return unicodedata.normalize("NFC", document_id).strip()


class Papers:
    """An index in memory, for the ledger there."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bool], Paper] = {}

    def keep(self, papers: Iterable[Paper]) -> None:
        """Remember those that are new."""
        for paper in papers:
            self._kept.setdefault((paper.envelope_id, paper.received), paper)

    def forget(self, envelope_id: str) -> None:
        """Forget what was taken under an id."""
        self._kept.pop((envelope_id, True), None)

    def find(
        self, *, document_id: str | None = None, envelope_id: str | None = None, concerns: str | None = None
    ) -> list[Paper]:
        """Return those of a document, an envelope, or about an envelope, the last kept first."""
        wanted = None if document_id is None else spelled(document_id)
        return [
            paper
            for paper in reversed(self._kept.values())
            if wanted in {None, paper.document_id}
            and envelope_id in {None, paper.envelope_id}
            and concerns in {None, paper.concerns}
        ]
