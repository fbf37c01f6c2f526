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
from axis.client.opening import is_its_senders
from axis.core.ids import new_id
from axis.core.partners import Incoming, Kind, Partner
from axis.errors import AxisError, Malformed, Refused, Unavailable
from axis.gateway.desk.again import Again
from axis.gateway.desk.packing import Packing
from axis.store import PartnerStore
from schemas import Action, Destroyed, StatusCode

_LEFT_AT_MOST = 32  # half of what the broker hands over without an ack


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
        """Take documents until cancelled.

        A document that cannot be taken now is left where it is, and the ones behind it are taken. It comes again in a
        new inbox after a pause, which grows as long as something is left soon after. When many are left, more of them
        would keep all others from coming: those are set aside (axis.client.deferring), and tried again as often.
        """
        again = Again()
        while True:
            again.opened()
            for aside in await agency.deferred():
                if await self._failed(agency, aside) is not None:
                    again.left()
            left = 0
            inbox = agency.inbox()
            while (delivery := await again.next(inbox)) is not None:
                if (error := await self._failed(agency, delivery)) is None:
                    continue
                left += 1
                if left > _LEFT_AT_MOST:
                    await delivery.defer(error)
                inbox.leave()
                again.left()
            if not again.waits:
                return

    async def _failed(self, agency: Agency, delivery: Delivery) -> AxisError | None:
        """Take a document; return what was in the way, which the log has."""
        if (partner := self._partner_of(agency.code)) is None:
            raise AxisError(f"nobody is served through {agency.code} any more")
        envelope = delivery.envelope.id
        try:
            await self._take(agency, delivery, partner)
        except AxisError as error:
            self._log.error("left", agency=agency.code, envelope=envelope, code=error.code, detail=error.detail)
            return error
        except Exception as error:  # noqa: BLE001 - the log has its traceback
            self._log.exception("left", agency=agency.code, envelope=envelope)
            return AxisError(type(error).__name__)
        return None

    async def _take(self, agency: Agency, delivery: Delivery, partner: Partner) -> None:
        envelope = delivery.envelope
        if await self._withdrawn(agency, delivery):
            return
        left = await self._left_after_recalls(agency, delivery)
        if not left:
            await self._store.receive(self._withdrawn_before(delivery, agency, partner))
            await delivery.hold()
            self._log.info("withdrawn", agency=agency.code, envelope=envelope.id, system=partner.system_id)
            return
        try:
            about = await agency.remembered(envelope.concerns) if envelope.concerns else None
            packed = await self._packing.pack(delivery, partner, concerned=about.as_envelope() if about else None)
        except OSError as error:
            raise Unavailable(f"the desk's folder: {error}") from error
        except (Refused, Malformed) as error:
            if not is_its_senders(error):
                raise
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
                recipients=left,
                document_id=document.document_id,
                subject=document.subject,
                notation="/".join(part for part in (document.number, document.notation) if part),
                sha256=packed.sha256,
                size=packed.size,
                created_at=now,
                updated_at=now,
            )
        )
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

    async def _left_after_recalls(self, agency: Agency, delivery: Delivery) -> tuple[str, ...]:
        """Return for whom a document is that the axis has not taken a recall of; the sender hears of the others.

        The SDK knows of recalls that came before their document, as long as its ledger is the same one. The axis knows
        of all. Crash: it comes again, and the same statuses said again are the same. What was listed before a crash is
        left alone: its partner may have a copy, so nobody may be told that there is none; the recall itself comes too.
        """
        if await self._store.is_listed(agency.code, delivery.envelope.id):
            return tuple(delivery.recipients)
        recalled = await self._store.recalled(delivery.envelope.id, delivery.recipients)
        now = self._now()
        for each in recalled:
            if not each.answered:
                for proof in (None, Destroyed(at=now, untaken=True)):
                    await agency.report(each.recall, StatusCode.AGREED, recipient=each.recipient, destroyed=proof)
        gone = {each.original for each in recalled}
        return tuple(each for each in delivery.recipients if each not in gone)

    def _withdrawn_before(self, delivery: Delivery, agency: Agency, partner: Partner) -> Incoming:
        """Make the row of a document that nobody is to have: its recall, should it come, finds it withdrawn already."""
        now, document = self._now(), delivery.envelope.document
        return Incoming(
            doc_id=new_id(now),
            system_id=partner.system_id,
            agency=agency.code,
            message_id=delivery.envelope.id,
            kind=Kind.EDOC,
            sender=delivery.envelope.sender,
            recipients=tuple(delivery.recipients),
            document_id=document.document_id,
            subject=document.subject,
            notation="/".join(part for part in (document.number, document.notation) if part),
            sha256=delivery.sha256,  # of the envelope: no package of it is made
            size=0,
            created_at=now,
            updated_at=now,
            withdrawn_at=now,
        )

    async def _withdrawn(self, agency: Agency, delivery: Delivery) -> bool:
        """Carry out a recall of what the partner has nothing of: the partner never hears of either, the sender does.

        Crash: the recall comes again until the last of it, the proof; what was withdrawn is so again, and the same
        status reported again is one.
        """
        envelope = delivery.envelope
        if envelope.action is not Action.RECALL or envelope.concerns is None:
            return False
        if delivery.withdrawn and not await self._store.is_listed(agency.code, envelope.concerns):
            await delivery.hold()  # the SDK has told its sender that nobody had the document
            return True
        now = self._now()
        found = await self._store.withdraw(agency.code, envelope.concerns, delivery.recipients, now)
        if found is None:
            if delivery.withdrawn:  # it was listed before a crash kept the SDK's ledger from knowing that
                told = "its sender was told that nobody had it, and the partner may: see that it is destroyed"
                self._log.error("fetched", agency=agency.code, envelope=envelope.concerns, detail=told)
            return False
        if found.alone:
            await self._packing.forget(found.sha256)
        for code in (StatusCode.ARRIVED, StatusCode.AGREED):
            for recipient in delivery.recipients:
                await agency.report(envelope.id, code, recipient=recipient)
        await delivery.report(StatusCode.AGREED, destroyed=Destroyed(at=now, untaken=True))
        self._log.info("withdrawn", agency=agency.code, envelope=envelope.concerns, recall=envelope.id)
        return True
