"""From an agency's mailbox into the store, for the partner that is served.

Step by step, and what a crash does after each:

    1 pack       the package is on disk or in the blob store   crash: nobody knows of it; it comes again and is packed
                                                               again into the same place
    2 receive    the row is committed: it is listed            crash: it comes again and is the same package
    3 hold       the SDK's ledger knows that it is taken       crash: the copy that comes again is only acked
    4 ack        the broker forgets it

Nothing is reported to the sender here: 01 says that the document has arrived in the document system, which is so when
the partner says `done` (axis.gateway.desk.arrivals).
"""

import datetime as dt
from collections.abc import Callable

import structlog

from axis.client import Agency, Delivery
from axis.client.building import reason_text
from axis.core.ids import new_id
from axis.core.partners import Incoming, Kind, Partner
from axis.edxml import EdxmlError
from axis.errors import AxisError, Malformed, Refused
from axis.gateway.desk.packing import Packing
from axis.store import PartnerStore
from schemas import Action


class Receiving:
    """Take what comes for one agency, as long as it is connected."""

    def __init__(
        self,
        store: PartnerStore,
        packing: Packing,
        partner_of: Callable[[str], Partner | None],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._store = store
        self._packing = packing
        self._partner_of = partner_of
        self._now = now
        self._log = structlog.get_logger(part="desk")

    async def run(self, agency: Agency) -> None:
        """Take documents until cancelled; raise Unavailable when what is needed is away: nothing is lost by that."""
        inbox = agency.inbox()
        async for delivery in inbox:
            try:
                await self._take(agency, delivery)
            except AxisError:
                raise
            except Exception:  # noqa: BLE001 - the log has its traceback
                # A fault of ours in one document must not stop the mailbox: it comes again with the next connection.
                self._log.exception("left", agency=agency.code, envelope=delivery.envelope.id)
                inbox.leave()

    async def _take(self, agency: Agency, delivery: Delivery) -> None:
        envelope = delivery.envelope
        partner = self._partner_of(agency.code)
        if partner is None:
            raise AxisError(f"nobody is served through {agency.code} any more")
        try:
            packed = await self._packing.pack(delivery, partner)
        except (EdxmlError, Refused, Malformed) as error:
            # What nobody here can open or write down is never going to be listed: its sender has to know (QĐ 28 9.1).
            self._log.warning("refused", agency=agency.code, envelope=envelope.id, code=error.code, detail=error.detail)
            await delivery.refuse(reason_text(error.code, error.detail))
            return
        if packed.differs is not None:
            told = f"its package says another {packed.differs} than the signed envelope: written anew"
            self._log.warning("package", agency=agency.code, envelope=envelope.id, detail=told)
        now = self._now()
        document = envelope.document
        new = await self._store.receive(
            Incoming(
                doc_id=new_id(now),
                system_id=partner.system_id,
                agency=agency.code,
                message_id=envelope.id,
                kind=Kind.EDOC,
                sender=envelope.sender,
                recipients=tuple(delivery.recipients),
                document_id=document.document_id,
                subject=document.subject,
                notation="/".join(part for part in (document.number, document.notation) if part),
                sha256=packed.sha256,
                size=packed.size,
                created_at=now,
                updated_at=now,
            )
        )
        if envelope.action is Action.RECALL and envelope.concerns is not None:
            await self._store.withdraw(agency.code, envelope.concerns, now)
        await delivery.hold()
        self._log.info(
            "received",
            system=partner.system_id,
            agency=agency.code,
            envelope=envelope.id,
            new=new,
            signed_by=delivery.signer.organisation,
            role=delivery.signer.role,
        )
