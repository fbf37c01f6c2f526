"""What the agency is told: receipts of the axis, and what recipients did with its documents.

A notice is verified, kept in the ledger, and only then acked at the broker; the application gets it from the ledger.
So a receipt can be waited for without losing the statuses in front of it, and a crash loses neither. What cannot be
proved is kept apart (`Agency.suspicious`) and never handed out.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from axis.client.ledger import KeptNotice, Ledger, Suspicious
from axis.client.mail import Mail, Parcel, evidence, patiently, signature_of
from axis.client.witness import Witness
from axis.core.reading import parse_receipt, parse_status
from axis.errors import Misconfigured, Refused
from schemas import Receipt, Status
from schemas.wire import TYPE_RECEIPT, TYPE_STATUS

# Another process may share the ledger and be the one the broker hands a notice to.
_LOOK_SECONDS = 0.25
_AT_A_TIME = 64


@dataclass(frozen=True, slots=True)
class ReceiptNotice:
    """What the axis did with a message of ours, signed by the axis."""

    receipt: Receipt
    _done: Callable[[], Awaitable[None]] = field(repr=False, compare=False)

    async def done(self) -> None:
        """Say that it is dealt with; asking for the next notice says so too."""
        await self._done()


@dataclass(frozen=True, slots=True)
class StatusNotice:
    """What a recipient did with a document of ours, or (13) a sender's wish to have one back; signed by it."""

    status: Status
    _done: Callable[[], Awaitable[None]] = field(repr=False, compare=False)

    async def done(self) -> None:
        """Say that it is dealt with; asking for the next notice says so too."""
        await self._done()


Notice = ReceiptNotice | StatusNotice


class NoticeBoard:
    """Keep notices as they come, and find them again."""

    def __init__(
        self,
        *,
        mail: Mail,
        ledger: Ledger,
        witness: Witness,
        account: str,
        now: Callable[[], dt.datetime],
        postpone: Callable[[str, float], Awaitable[bool]],
        heard: Callable[[Receipt], Awaitable[None]],
    ) -> None:
        self._now = now
        self._mail = mail
        self._ledger = ledger
        self._witness = witness
        self._account = account
        self._postpone = postpone
        self._heard = heard
        self._changed = asyncio.Condition()
        self._failed: Misconfigured | None = None

    async def run(self) -> None:
        """Keep what comes until the mail is closed."""
        try:
            while (parcel := await self._mail.get()) is not None:
                await self._keep([parcel, *self._mail.more(_AT_A_TIME - 1)])
        except Misconfigured as error:
            self._failed = error  # said to whoever waits; the application may not wait for notices at all

    async def next(self, after: int, idle: float | None) -> KeptNotice | None:
        """Return the next notice that is not done; None when none comes for `idle` seconds."""
        return await self._await(lambda: self._ledger.next_notice(after), idle)

    async def receipt(self, message_id: str, deadline: float) -> KeptNotice | None:
        """Return the receipt for a message of ours; None when none comes within `deadline` seconds."""
        return await self._await(lambda: self._ledger.receipt_for(message_id), deadline)

    async def finish(self, notice_id: str) -> None:
        """Note that the application is done with it."""
        await self._ledger.finish_notice(notice_id)

    async def _await(
        self, look: Callable[[], Awaitable[KeptNotice | None]], seconds: float | None
    ) -> KeptNotice | None:
        if (found := await look()) is not None:
            return found  # also for who cannot wait at all
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if (found := await look()) is not None:
                        return found
                    if self._failed is not None:
                        raise self._failed
                    await self._wait()
        except TimeoutError:
            return None

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS), self._changed:
                await self._changed.wait()
        except TimeoutError:
            return

    async def _keep(self, parcels: list[Parcel]) -> None:
        notices: list[KeptNotice] = []
        suspicious: list[Suspicious] = []
        for parcel in parcels:
            try:
                notice = await self._prove(parcel)
                if not await self._postponed(notice):
                    notices.append(notice)
            except Refused as error:
                suspicious.append(evidence(parcel, error, self._now()))
        await patiently(lambda: self._ledger.write(notices=notices, suspicious=suspicious))
        for parcel in parcels:
            await self._mail.ack(parcel)
        async with self._changed:
            self._changed.notify_all()

    async def _postponed(self, notice: KeptNotice) -> bool:
        """Have what was over a limit sent again when it may be; its receipt is not the last word, so nobody hears it.

        The promise that it comes again is on disk before the receipt is acked. One about a message that this ledger has
        not sent is told like any other.
        """
        if notice.kind != "receipt" or notice.about is None:
            return False
        receipt = parse_receipt(notice.body)
        if receipt.retry_after is None:
            await patiently(partial(self._heard, receipt))
            return False
        passed = (self._now() - receipt.at).total_seconds()  # it may have waited in the queue for long
        seconds = min(max(0.0, receipt.retry_after - passed), receipt.retry_after)
        return await patiently(partial(self._postpone, notice.about, seconds))

    async def _prove(self, parcel: Parcel) -> KeptNotice:
        body, signature = parcel.submission.body, signature_of(parcel.submission)
        if parcel.submission.type == TYPE_RECEIPT:
            receipt, _ = self._witness.receipt(body, signature, account=self._account)
            return KeptNotice(receipt.id, "receipt", receipt.message_id, body, signature)
        if parcel.submission.type == TYPE_STATUS:
            status, _ = await patiently(lambda: self._witness.status(body, signature))
            return KeptNotice(status.id, "status", status.envelope, body, signature)
        raise Refused("message/type", f"{parcel.submission.type} among notices")


class Notices:
    """Iterate over what the agency is told; asking for the next says that the one before is dealt with.

    A body left by an exception or by `break` leaves its notice: it comes again with the next `Agency.notices()`.
    """

    def __init__(self, board: NoticeBoard, *, idle: float | None) -> None:
        self._board = board
        self._idle = idle
        self._current: Notice | None = None
        self._number = 0

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> Notice:
        """Finish the notice before, then wait for the next; end when nothing comes for `idle` seconds."""
        if self._current is not None:
            await self._current.done()
            self._current = None
        kept = await self._board.next(self._number, self._idle)
        if kept is None:
            raise StopAsyncIteration
        self._number = kept.number
        self._current = self._notice(kept)
        return self._current

    def leave(self) -> None:
        """Leave the current notice and go on: it comes again with the next `Agency.notices()`."""
        self._current = None

    def _notice(self, kept: KeptNotice) -> Notice:
        async def done() -> None:
            await self._board.finish(kept.id)

        if kept.kind == "receipt":
            return ReceiptNotice(parse_receipt(kept.body), done)
        return StatusNotice(parse_status(kept.body), done)
