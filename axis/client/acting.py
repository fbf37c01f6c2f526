"""What an agency does with a document it has sent: recall it, replace it, update it, and for whom."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from axis.client.building import File
from axis.client.papers import Paper
from axis.client.sending import Sending
from axis.client.sent import Sent
from axis.core.codes import canonical
from axis.core.reading import parse_envelope
from axis.errors import NotFound
from schemas import Action, Document


class Acting(Sending):
    """Recall, replace and update: `send` with an action, for the recipients that the ledger knows."""

    async def recall(
        self,
        document_sent: str,
        reason: str,
        *,
        recipients: Sequence[str] | None = None,
        envelope_id: str | None = None,
    ) -> Sent:
        """Ask recipients to destroy a document of ours (Thu hồi); by default everybody it was sent to.

        `document_sent` is its envelope. Each recipient answers for itself, by 15 or 16, and proves the destruction by
        a second 15; what was still held at the axis is withdrawn there, and the receipt says so. The recall goes in
        the lane of its document. Raises NotFound `document/not-found` when nothing is known of it and no recipients
        are given, Refused `concerns/refused` when it was refused itself, and what `send` does.
        """
        paper = await self._sent_paper(document_sent)
        whom = list(recipients or await self._still_with(document_sent, paper))
        return await self.send(
            document=await self._known_as(document_sent, paper),
            recipients=whom,
            action=Action.RECALL,
            concerns=document_sent,
            reason=reason,
            sender=None if paper is None else paper.sender,
            envelope_id=envelope_id,
        )

    async def replace(
        self,
        document_sent: str,
        *,
        document: Document,
        reason: str,
        attachments: Sequence[Path | File] = (),
        recipients: Sequence[str] | None = None,
        envelope_id: str | None = None,
        seal: bool = False,
    ) -> Sent:
        """Send a document in place of one of ours (Thay thế), by default to the same recipients."""
        paper = await self._sent_paper(document_sent)
        return await self.send(
            document=document,
            recipients=list(recipients or await self._still_with(document_sent, paper)),
            attachments=attachments,
            action=Action.REPLACE,
            concerns=document_sent,
            reason=reason,
            sender=None if paper is None else paper.sender,
            envelope_id=envelope_id,
            seal=seal,
        )

    async def update(
        self,
        document_sent: str,
        *,
        reason: str,
        document: Document | None = None,
        attachments: Sequence[Path | File] = (),
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        envelope_id: str | None = None,
        seal: bool = False,
    ) -> tuple[Sent, ...]:
        """Correct a document of ours (Cập nhật), or who receives it; from those removed it is recalled.

        Returns the update and, where somebody is removed, the recall. Called again with the same `envelope_id` it is
        the same update and the same recall.
        """
        paper = await self._sent_paper(document_sent)
        removed = [canonical(code) for code in remove]
        known = [] if paper is None and add else await self._still_with(document_sent, paper)
        kept = [code for code in dict.fromkeys([*known, *map(canonical, add)]) if code not in removed]
        identifier = envelope_id or self.new_envelope_id()
        sent = [
            await self.send(
                document=document or await self._known_as(document_sent, paper),
                recipients=kept,
                attachments=attachments,
                action=Action.UPDATE,
                concerns=document_sent,
                reason=reason,
                sender=None if paper is None else paper.sender,
                envelope_id=identifier,
                seal=seal,
            )
        ]
        if removed:
            removal = beside(identifier, "removed")
            sent.append(await self.recall(document_sent, reason, recipients=removed, envelope_id=removal))
        return tuple(sent)

    async def _sent_paper(self, envelope_id: str) -> Paper | None:
        papers = await self._ledger.papers(envelope_id=envelope_id)
        return next((each for each in papers if not each.received), None)

    async def _still_with(self, envelope_id: str, paper: Paper | None) -> list[str]:
        """Name those who got a document, by itself or by an update, and were not asked to destroy it since."""
        if paper is None:
            raise NotFound(f"{self.code} has not sent {envelope_id}; name the recipients", code="document/not-found")
        about = [each for each in await self._ledger.papers(concerns=envelope_id) if not each.received]
        got = dict.fromkeys(paper.recipients)
        for each in reversed(about):
            if each.action is Action.UPDATE:
                got |= dict.fromkeys(each.recipients)
        left = [code for code in got if code not in _named(about, Action.RECALL)]
        return left or list(got)  # all were asked: the axis says what stands in the way

    async def _known_as(self, envelope_id: str, paper: Paper | None) -> Document:
        for entry in await self._ledger.entries(about=envelope_id, unconfirmed=False):
            if entry.id == envelope_id:
                return parse_envelope(entry.body).document
        document_id = envelope_id if paper is None else paper.document_id
        return Document(document_id=document_id, subject=f"Văn bản {document_id}")


def beside(identifier: str, purpose: str) -> str:
    """Make of a message's id that of another one, the same each time: a UUIDv7 of the same moment."""
    digest = hashlib.sha256(f"{identifier} {purpose}".encode()).hexdigest()
    return f"{identifier[:13]}-7{digest[:3]}-{'89ab'[int(digest[3], 16) % 4]}{digest[4:7]}-{digest[7:19]}"


def _named(papers: Iterable[Paper], action: Action) -> set[str]:
    return {code for each in papers if each.action is action for code in each.recipients}
