"""One transaction of a worker: a few statements for a whole batch, never one for each message."""

import itertools
from collections.abc import Collection, Sequence
from typing import Any

from axis.core.lanes import mailbox_queue
from axis.core.records import Accepted, DeliveryState, Existing, NoticeRow, QuarantineRow, StatusRow
from axis.core.tracking import DeliveryFact, EnvelopeFacts
from axis.store import hostile
from axis.store import rows as convert
from axis.store.acting import ActingTransaction
from axis.store.queries import load
from axis.store.reaching import reaching
from axis.store.seam import Advances

_ACCEPTING = load("accepting")
_TRACKING = load("tracking")

_DELIVERY_COLUMNS = (
    "envelope_id",
    "position",
    "state",
    "recipient",
    "resolved",
    "mailbox",
    "reason",
    "detail",
    "via",
    "held_for",
)
_NOTICE_COLUMNS = ("id", "about", "kind", "mailbox", "signature", "body")
_ATTACHMENT_COLUMNS = ("envelope_id", "sha256", "size", "name")


class PostgresTransaction(ActingTransaction):
    """A transaction in PostgreSQL, READ COMMITTED."""

    def __init__(self, link: Any) -> None:
        self._link = link

    async def accept(self, accepted: Sequence[Accepted]) -> dict[str, Existing]:
        """Store new envelopes with all they bring; return those there before."""
        if not accepted:
            return {}
        ordered = sorted(accepted, key=lambda each: each.envelope.id)
        with reaching("store envelopes"):
            inserted = await self._link.fetch(_ACCEPTING["envelopes"], *convert.columns(map(_envelope, ordered), 16))
            new_ids = {str(record["id"]) for record in inserted}
            new = [each for each in ordered if each.envelope.id in new_ids]
            await self._copy("delivery", _DELIVERY_COLUMNS, itertools.chain.from_iterable(map(_deliveries, new)))
            if any(each.attachments for each in new):
                await self._copy(
                    "attachment", _ATTACHMENT_COLUMNS, itertools.chain.from_iterable(map(_attachments, new))
                )
            if new:
                await self._copy("notice", _NOTICE_COLUMNS, [_notice(each.receipt) for each in new])
            old_ids = [each.envelope.id for each in ordered if each.envelope.id not in new_ids]
            return await self._existing(old_ids) if old_ids else {}

    async def _copy(self, table: str, names: Sequence[str], records: Any) -> None:
        # The ids are new and ours until we commit, so nothing can conflict; COPY takes a long list of recipients in
        # one go, without an array of it in memory on either side.
        await self._link.copy_records_to_table(table, records=records, columns=names)

    async def existing(self, ids: Collection[str]) -> dict[str, Existing]:
        """Return what is stored under these ids."""
        with reaching("look up envelopes"):
            return await self._existing(sorted(ids)) if ids else {}

    async def _existing(self, ids: list[str]) -> dict[str, Existing]:
        found = await self._link.fetch(_ACCEPTING["existing"], ids, *convert.span(ids))
        unmarked = [str(record["id"]) for record in found if record["published_at"] is None]
        deliveries = (
            await self._link.fetch(_ACCEPTING["deliveries"], unmarked, *convert.span(unmarked)) if unmarked else []
        )
        by_envelope = convert.grouped(map(convert.delivery, deliveries))
        return {
            (old := convert.envelope(record)).id: Existing(
                envelope=old,
                published=record["published_at"] is not None,
                receipt=convert.receipt(record),
                deliveries=tuple(by_envelope.get(old.id, ())),
            )
            for record in found
        }

    async def deliveries_of(
        self, envelope_ids: Collection[str], about: Collection[str] | None = None
    ) -> dict[str, EnvelopeFacts]:
        """Lock the deliveries and return what is known of the envelopes."""
        ids = sorted(envelope_ids)
        if not ids:
            return {}
        with reaching("lock deliveries"):
            codes = None if about is None else sorted(about)
            locked = await self._link.fetch(_TRACKING["lock_deliveries"], ids, *convert.span(ids), codes)
            found = await self._link.fetch(_TRACKING["facts"], ids, *convert.span(ids))
        deliveries: dict[str, list[DeliveryFact]] = {str(record["id"]): [] for record in found}
        for record in locked:
            deliveries[str(record["envelope_id"])].append(
                DeliveryFact(record["recipient"], record["resolved"], record["mailbox"], record["last_status"])
            )
        return {
            (identifier := str(record["id"])): EnvelopeFacts(
                sender=record["sender"], account=record["account"], deliveries=deliveries[identifier]
            )
            for record in found
        }

    async def known_statuses(self, ids: Collection[str]) -> dict[str, str]:
        """Return the statuses recorded before."""
        if not ids:
            return {}
        with reaching("look up statuses"):
            found = await self._link.fetch(_TRACKING["known_statuses"], sorted(ids), *convert.span(ids))
        return {str(record["id"]): record["sha256"].hex() for record in found}

    async def statuses(self, statuses: Sequence[StatusRow], advances: Advances) -> dict[str, str]:
        """Record statuses and advance deliveries; return those there before."""
        ordered = sorted(statuses, key=lambda status: status.id)
        with reaching("record statuses"):
            inserted = await self._link.fetch(_TRACKING["statuses"], *convert.columns(map(_status, ordered), 15))
            if advances:
                moved = [(*key, *advances[key]) for key in sorted(advances)]
                span = convert.span([envelope_id for envelope_id, _ in advances])
                await self._link.execute(_TRACKING["advance"], *convert.columns(moved, 4), *span)
        new_ids = {str(record["id"]) for record in inserted}
        return await self.known_statuses([status.id for status in ordered if status.id not in new_ids])

    async def notices(self, notices: Sequence[NoticeRow]) -> None:
        """Store notices to be published."""
        with reaching("store notices"):
            await self._insert_notices(notices)

    async def _insert_notices(self, notices: Sequence[NoticeRow]) -> None:
        if notices:
            ordered = sorted(notices, key=lambda notice: (notice.id, notice.kind))
            await self._link.execute(_ACCEPTING["notices"], *convert.columns(map(_notice, ordered), 6))

    async def quarantine(self, rows: Sequence[QuarantineRow]) -> None:
        """Keep what cannot be attributed."""
        if rows:
            kept = hostile.kept(list(rows))
            unwanted = sorted({(each, row.account) for row in rows if row.account is not None for each in row.unwanted})
            with reaching("store quarantine"):
                if unwanted:
                    digests, accounts = zip(*unwanted, strict=True)
                    await self._link.execute(_ACCEPTING["unwanted"], list(map(bytes.fromhex, digests)), list(accounts))
                await self._link.execute(_ACCEPTING["quarantine"], *convert.columns(map(_quarantine, kept), 14))


def _envelope(accepted: Accepted) -> tuple[Any, ...]:
    row = accepted.envelope
    return (
        row.id,
        accepted.receipt.id,
        row.concerns,
        row.sent_at,
        row.accepted_at,
        row.lane,
        row.action,
        row.sender,
        row.account,
        row.thumbprint,
        row.document_id,
        row.subject,
        bytes.fromhex(row.sha256),
        row.signature,
        row.evidence,
        row.body,
    )


def _deliveries(accepted: Accepted) -> list[tuple[Any, ...]]:
    return [
        (
            row.envelope_id,
            position,
            row.state.value,
            row.recipient,
            row.resolved,
            row.mailbox,
            row.reason,
            row.detail,
            row.via,
            (row.held_for or mailbox_queue(accepted.envelope.lane, row.mailbox))
            if row.state is DeliveryState.HELD and row.mailbox is not None
            else None,
        )
        for position, row in enumerate(accepted.deliveries)
    ]


def _attachments(accepted: Accepted) -> list[tuple[Any, ...]]:
    return [(row.envelope_id, bytes.fromhex(row.sha256), row.size, row.name) for row in accepted.attachments]


def _notice(row: NoticeRow) -> tuple[Any, ...]:
    return (row.id, row.about, row.kind, row.mailbox, row.signature, row.body)


def _status(row: StatusRow) -> tuple[Any, ...]:
    return (
        row.id,
        row.envelope_id,
        row.at,
        row.received_at,
        row.reporter,
        row.code,
        row.effect,
        row.account,
        row.thumbprint,
        " ".join(row.recipients),  # codes hold no spaces; unnest would flatten arrays of arrays
        row.reason,
        bytes.fromhex(row.sha256),
        row.signature,
        row.evidence,
        row.body,
    )


def _quarantine(kept: hostile.Kept) -> tuple[Any, ...]:
    row = kept.row
    return (
        row.id,
        row.received_at,
        row.received_at,
        kept.count,
        kept.size,
        row.source,
        row.reason,
        row.detail,
        row.account,
        row.message_id,
        bytes.fromhex(row.sha256),
        hostile.headers_as_json(row.headers),
        row.body,
        hostile.as_json(row.properties),
    )
