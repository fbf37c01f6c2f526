"""What an agency is told, for its partner: receipts decide what became of what was sent, statuses become packages.

A notice is finished in the SDK's ledger when the store has it; a crash in between has it told again, which changes
nothing: a status is one package, and a receipt says the same again.
"""

import asyncio
import dataclasses
import datetime as dt
import hashlib
import re
from collections.abc import Callable
from typing import Any

import structlog

from axis.client import Agency, ReceiptNotice
from axis.core.ids import new_id
from axis.core.partners import Incoming, Kind, Outcome, Partner, Plane
from axis.core.reading import parse_envelope
from axis.edxml import EdxmlError, build_status, from_status
from axis.errors import AxisError, Unavailable
from axis.gateway.desk.again import Again
from axis.gateway.desk.codes import Codes
from axis.store import PartnerStore
from schemas import Receipt, Status, StatusCode
from schemas.meanings import MEANINGS
from schemas.reasons import REASONS
from schemas.receipt import Outcome as Ending
from schemas.receipt import RecipientOutcome, RecipientReceipt

# A receipt may be read before the sending of what it is about was noted; one from before the desk's time is not ours.
_RACE_SECONDS = 2.0
_FRESH_SECONDS = 30.0
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Telling:
    """Hear what one agency is told, as long as it is connected."""

    def __init__(
        self,
        store: PartnerStore,
        codes: Codes,
        partner_of: Callable[[str], Partner | None],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._store = store
        self._codes = codes
        self._partner_of = partner_of
        self._now = now
        self._log = structlog.get_logger(part="desk")

    async def run(self, agency: Agency) -> None:
        """Hear notices until cancelled; raise Unavailable when the store is away.

        One that cannot be written down is left, and the ones behind it are heard; it comes again after a while.
        """
        again = Again()
        while True:
            again.opened()
            notices = agency.notices()
            while (notice := await again.next(notices)) is not None:
                if (partner := self._partner_of(agency.code)) is None:
                    raise AxisError(f"nobody is served through {agency.code} any more")
                try:
                    if isinstance(notice, ReceiptNotice):
                        await self._receipt(notice.receipt)
                    else:
                        await self._status(agency, notice.status, partner)
                except Unavailable:
                    raise
                except Exception:  # noqa: BLE001 - the log has its traceback
                    told = notice.receipt.id if isinstance(notice, ReceiptNotice) else notice.status.id
                    self._log.exception("left", agency=agency.code, notice=told)
                    notices.leave()
                    again.left()
            if not again.waits:
                return

    async def _receipt(self, receipt: Receipt) -> None:
        if receipt.message_id is None:
            return
        state = Plane.FAIL if receipt.outcome is Ending.REFUSED else Plane.DONE
        told = "" if receipt.code is None else _reason(receipt.code, receipt.detail)
        outcomes = {each.recipient: _outcome(each, receipt.at) for each in receipt.recipients}
        fresh = (self._now() - receipt.at).total_seconds() < _FRESH_SECONDS
        for wait in (0.0, _RACE_SECONDS) if fresh else (0.0,):
            await asyncio.sleep(wait)
            if await self._store.answered(receipt.message_id, state, told, outcomes, receipt.at):
                return
        self._log.info("receipt for nothing of ours", message=receipt.message_id, code=receipt.code)

    async def _status(self, agency: Agency, status: Status, partner: Partner) -> None:
        body = await self._store.envelope(status.envelope)
        if body is None:
            self._log.warning("a status nobody can be told of", agency=agency.code, status=status.id)
            return
        about = parse_envelope(body)
        speaker = status.recipient or status.reporter
        taking_back = status.code is StatusCode.TAKE_BACK
        if not taking_back:
            state = Plane.FAIL if status.code is StatusCode.REFUSED else Plane.DONE
            told = status.reason or MEANINGS[StatusCode][status.code].partition(":")[0]
            await self._store.heard(about.id, speaker, Outcome(state, status.code.value, told, status.at))
        package = from_status(status, about, naming=self._codes.naming(partner.code_form))
        try:
            content = build_status(package)
        except EdxmlError as error:
            self._log.warning("package", agency=agency.code, status=status.id, code=error.code, detail=error.detail)
            content = build_status(_carried(package))
        now = self._now()
        await self._store.receive(
            Incoming(
                doc_id=new_id(now),
                system_id=partner.system_id,
                agency=agency.code,
                message_id=status.id,
                kind=Kind.STATUS,
                sender=status.reporter if taking_back else speaker,
                recipients=(speaker if taking_back else about.sender,),
                document_id=about.document.document_id,
                subject=about.document.subject,
                notation="/".join(part for part in (about.document.number, about.document.notation) if part),
                sha256=hashlib.sha256(content).hexdigest(),
                size=len(content),
                created_at=now,
                updated_at=now,
                content=content,
            )
        )


def _carried(value: Any) -> Any:
    """Put U+FFFD where XML cannot carry a character, in all texts of a package."""
    if type(value) is str:
        return _NOT_XML.sub("\ufffd", value)
    if type(value) is tuple:
        return tuple(_carried(each) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **{each.name: _carried(getattr(value, each.name)) for each in _given(value)})
    return value


def _given(value: Any) -> list[dataclasses.Field[Any]]:
    return [each for each in dataclasses.fields(value) if each.init]


def _outcome(told: RecipientReceipt, at: dt.datetime) -> Outcome:
    if told.outcome is RecipientOutcome.REFUSED:
        code = told.code or ""
        return Outcome(Plane.FAIL, code, _reason(code, told.detail), at)
    text = "Đã chuyển vào hộp thư" if told.outcome is RecipientOutcome.ROUTED else "Đang chờ chuyển vào hộp thư"
    return Outcome(Plane.INITIAL, "", text, at)


def _reason(code: str, detail: str | None) -> str:
    known = REASONS.get(code)
    return f"{code}: {known.title_vi if known else ''} {detail or ''}".strip()
