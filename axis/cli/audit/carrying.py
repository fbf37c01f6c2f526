"""Carrying the plan out.

What the store knows is published first and noted when it is confirmed; what it does not know is recorded unmarked and
published then, so that the relay takes over should we end in between. Done twice it makes repeats, and recipients drop
those by their id.
"""

import json
from collections.abc import Iterator, Sequence
from typing import TypeVar

from axis.blobs import Blobs
from axis.cli.audit.looking import Progress, Sides
from axis.core.adopting import Adoption, Gap, Problem, StatusAdoption
from axis.core.audit import Mark, Plan, refused_gap
from axis.core.fanout import fan_out, notice_message
from axis.core.messages import Outgoing
from axis.core.records import NoticeRow, StatusRow
from axis.core.tracking import Verdict, judge, status_row
from axis.errors import Refused, Unavailable

_AT_ONCE = 200

_Item = TypeVar("_Item")


class Carrier:
    """Carry out a plan, and add to its gaps what cannot be done."""

    def __init__(self, sides: Sides, plan: Plan, progress: Progress) -> None:
        self._sides = sides
        self._store = sides.store
        self._plan = plan
        self._progress = progress
        self.done: dict[str, int] = {}

    async def run(self) -> None:
        """Do every step."""
        blobs = Blobs.open(self._sides.settings.blobs)
        for some in _pieces(self._plan.envelopes):
            await self._adopt_envelopes(some, blobs)
        for statuses in _pieces(self._plan.statuses):
            await self._adopt_statuses(statuses)
        for receipts in _pieces(self._plan.receipts):
            await self._adopt_receipts(receipts)
        for ids in _pieces(sorted(self._plan.copies)):
            await self._put_copies(ids)
        for keys in _pieces([(notice.id, notice.kind) for notice in self._plan.notices]):
            await self._put_notices(keys)

    # What the broker has and the store does not

    async def _adopt_envelopes(self, adoptions: Sequence[Adoption], blobs: Blobs) -> None:
        for adoption in adoptions:
            await self._know_blobs(adoption, blobs)
        async with self._store.transaction() as tx:
            existing = await tx.accept([adoption.accepted for adoption in adoptions])
        new = [adoption for adoption in adoptions if adoption.id not in existing]
        failed = await self._publish(
            [
                message
                for adoption in new
                for message in fan_out(adoption.accepted.envelope, adoption.recipients, adoption.again)
            ]
        )
        # A receipt never goes before its envelope: what the sender sends next must not overtake it.
        answers = [adoption for adoption in new if adoption.new_receipt and adoption.id not in failed]
        unanswered = await self._publish([notice_message(adoption.accepted.receipt) for adoption in answers])
        done = [adoption for adoption in new if adoption.id not in failed]
        receipts = [adoption.accepted.receipt.id for adoption in done]
        await self._store.mark_published(
            [adoption.id for adoption in done], [receipt for receipt in receipts if receipt not in unanswered]
        )
        self._did("adopt document", len(new))

    async def _know_blobs(self, adoption: Adoption, blobs: Blobs) -> None:
        """Let the store know of attachments that are in the blob store: its memory of their upload is lost as well."""
        account = adoption.accepted.envelope.account
        wanted = {each.sha256: each for each in adoption.accepted.attachments}
        for digest in wanted.keys() - (await self._store.blobs.known(account, list(wanted))).keys():
            size = await blobs.size(digest)
            if size is not None:
                await self._store.blobs.record_upload(digest, size, account)
                continue
            told = f"“{wanted[digest].name}” ({digest}) is not in the blob store"
            remedy = f"{account} sends the document again (`Agency.send`), which uploads it"
            self._plan.gaps.append(Gap(Problem.BLOB_MISSING, adoption.id, account, told, remedy))

    async def _adopt_statuses(self, adoptions: Sequence[StatusAdoption]) -> None:
        """Judge and record as the tracker does, with the deliveries locked; one by one as they were made."""
        recorded = 0
        for adoption in adoptions:
            status = adoption.status
            about = {status.reporter} | ({status.recipient} if status.recipient else set())
            async with self._store.transaction() as tx:
                facts = await tx.deliveries_of([status.envelope], about=about)
                known = await tx.known_statuses([status.id])
                try:
                    verdict = judge(
                        status, facts.get(status.envelope), sha256=adoption.sha256, known_as=known.get(status.id)
                    )
                except Refused as error:
                    self._plan.gaps.append(refused_gap(error, status.id, adoption.mailbox))
                    continue
                if not known:
                    row = self._status_row(adoption, verdict)
                    moved = {
                        (status.envelope, each): (code.value, row.received_at)
                        for each, code in verdict.advances.items()
                    }
                    await tx.statuses([row], moved)
                await tx.notices([adoption.notice])
            recorded += 1
        await self._store.mark_published([], [adoption.status.id for adoption in adoptions])
        self._did("adopt status", recorded)

    def _status_row(self, adoption: StatusAdoption, verdict: Verdict) -> StatusRow:
        return status_row(
            adoption.status,
            verdict,
            submission=adoption.submission,
            signer=adoption.signer,
            signature=adoption.signature,
            sha256=adoption.sha256,
            received_at=self._sides.desk.now(),
        )

    async def _adopt_receipts(self, receipts: Sequence[NoticeRow]) -> None:
        async with self._store.transaction() as tx:
            await tx.notices(receipts)
        await self._store.mark_published([], [receipt.id for receipt in receipts])
        self._did("adopt receipt", len(receipts))

    # What the store knows and the broker does not have

    async def _put_copies(self, ids: Sequence[str]) -> None:
        marks: list[Mark] = []
        messages: list[Outgoing] = []
        for envelope, deliveries in await self._store.comparing.envelopes(ids):
            mailboxes = self._plan.copies[envelope.id]
            # Not through the schema: these bytes fitted that of their day.
            recipients: list[str] = json.loads(envelope.body)["recipients"]
            messages += fan_out(envelope, recipients, [each for each in deliveries if each.mailbox in mailboxes])
            marks += [(envelope.id, mailbox) for mailbox in sorted(mailboxes)]
        failed = await self._publish(messages)
        await self._store.comparing.put_again([mark for mark in marks if mark[0] not in failed], [])
        self._did("put document again", len(set(ids) - failed))

    async def _put_notices(self, keys: Sequence[Mark]) -> None:
        notices = await self._store.comparing.notices(set(keys))
        failed = await self._publish([notice_message(notice) for notice in notices])
        done = [(notice.id, notice.kind) for notice in notices if notice.id not in failed]
        await self._store.comparing.put_again([], done)
        self._did("put notice again", len(done))

    async def _publish(self, messages: Sequence[Outgoing]) -> set[str]:
        """Publish and await the confirms; name those that failed as gaps and return their ids."""
        outcomes = await self._sides.publisher.publish_many(messages)
        failed: set[str] = set()
        for message, outcome in zip(messages, outcomes, strict=True):
            if outcome is not None:
                failed.add(message.message_id)
                self._plan.gaps.append(_not_published(message, outcome))
        return failed

    def _did(self, what: str, count: int) -> None:
        self.done[what] = self.done.get(what, 0) + count
        self._progress(f"{what}: {self.done[what]}")


def _not_published(message: Outgoing, outcome: Unavailable) -> Gap:
    return Gap(
        Problem.NOT_PUBLISHED,
        message.message_id,
        message.routing_key,
        f"{outcome.code}: {outcome.detail}",
        "run this again when the broker is well",
    )


def _pieces(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
