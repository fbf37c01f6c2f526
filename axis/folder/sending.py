"""What is in sending/: handed to the axis, waited for, settled."""

import asyncio
import contextlib
import datetime as dt
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from axis.client import Agency, NotConfirmed
from axis.core.ids import new_id, time_of
from axis.errors import AxisError, NotFound, Refused, Unavailable
from axis.folder import disk
from axis.folder.parcel import Parcel
from axis.folder.places import Out
from axis.folder.register import Claim, Register
from axis.folder.reports import Refusal
from axis.folder.settling import Settling
from axis.folder.told import Teller, What
from schemas import Outcome, Receipt

# The axis takes ids that are not older than a month; one that nothing was sent under for so long gets another.
_OLD = dt.timedelta(days=20)
# Another process that shares the ledger may have had the notice: so often, so many receipts are asked for.
_LOOK_AGAIN = dt.timedelta(seconds=15)
_LOOKED_FOR = 500


@dataclass(frozen=True, slots=True)
class _Tries:
    times: int
    not_before: dt.datetime


class Sender:
    """`patience` is in seconds: so long may a package refer to what is not known yet."""

    def __init__(
        self,
        out: Out,
        *,
        agency: Agency,
        register: Register,
        patience: float,
        teller: Teller,
        now: Callable[[], dt.datetime],
    ) -> None:
        self.settling = Settling(out, register)
        self._out = out
        self._agency = agency
        self._register = register
        self._patience = dt.timedelta(seconds=patience)
        self._tell = teller
        self._now = now
        self._unsent: dict[str, Parcel] = {}
        self._tries: dict[str, _Tries] = {}
        self._waiting: dict[str, Parcel] = {}
        self._receipts: deque[Receipt] = deque()
        self._to_look_for: deque[str] = deque()
        self._looked_at = now()
        # A status is either handed over when its refusal is acted on, or finds the refusal in the ledger.
        self._handing = asyncio.Lock()

    @property
    def open(self) -> int:
        """How many files are neither sent nor refused yet."""
        return len(self._unsent) + len(self._waiting)

    def note(self, receipt: Receipt) -> None:
        """Hear what the axis said of a document; acted on by `hear`."""
        self._receipts.append(receipt)

    async def take_up(self, name: str, parcel: Parcel) -> None:
        """Go on with a file where its sidecar says that it is."""
        if parcel.envelope is not None:
            if await asyncio.to_thread(self._register.claimed, parcel.sha256) is None:
                await asyncio.to_thread(self._register.claim, parcel.sha256, Claim(parcel.envelope, name))
            if await self._answered(name, parcel):
                return
            if await self._agency.sent_envelope(parcel.envelope) is not None:
                self._waiting[name] = parcel
                return
            if parcel.repeats is not None and await self._agency.remembered(parcel.envelope) is not None:
                # Of long ago: the ledger does not keep bytes and receipts for ever.
                await asyncio.to_thread(self.settling.accept, name, parcel, None)
                self._tell_repeat(name, parcel)
                return
        self._unsent[name] = parcel

    # To the axis

    async def send(self) -> None:
        """Hand over what can be handed over now; raise Unavailable, OSError with the rest undone."""
        for name, parcel in sorted(self._unsent.items(), key=self._turn):
            if (tries := self._tries.get(name)) is not None and tries.not_before > self._now():
                continue
            try:
                await self._send_one(name, parcel)
            except Unavailable:
                self._try_later(name)
                raise
            except (AxisError, OSError) as error:
                await self._failed(name, parcel, error)

    def _turn(self, item: tuple[str, Parcel]) -> tuple[int, bool, dt.datetime]:
        """Say when it is whose turn: what failed goes behind the rest, the urgent first, then as they were found."""
        name, parcel = item
        tries = self._tries.get(name)
        return (0 if tries is None else tries.times, not parcel.urgent, parcel.picked_up_at)

    async def _send_one(self, name: str, parcel: Parcel) -> None:
        path = self._out.sending / name
        if parcel.envelope is None:
            reported = await self._agency.report_edxml(path, sha256=parcel.sha256)
            if any(each.confirmed_at is None for each in reported):
                self._try_later(name)
                return
            await self._hand_over(name, parcel, [each.status_id for each in reported])
            return
        if await self._agency.sent_envelope(parcel.envelope) is None:
            if self._now() - time_of(parcel.envelope) > _OLD:
                parcel = await self._renamed(name, parcel)
            try:
                await self._agency.send_edxml(path, envelope_id=parcel.envelope, sha256=parcel.sha256)
            except NotConfirmed:
                self._tell(What.KEPT, name, envelope=parcel.envelope)
        del self._unsent[name]
        self._waiting[name] = parcel

    async def _renamed(self, name: str, parcel: Parcel) -> Parcel:
        """Choose another id for what has waited so long that the axis would not take the old one."""
        fresh = parcel.model_copy(update={"envelope": new_id(self._now())})
        await asyncio.to_thread(fresh.write, self.settling.sidecar(name))
        await asyncio.to_thread(self._register.claim, parcel.sha256, Claim(fresh.envelope or "", name))
        self._unsent[name] = fresh
        return fresh

    async def _failed(self, name: str, parcel: Parcel, error: AxisError | OSError) -> None:
        if await asyncio.to_thread(disk.regular, self._out.sending / name) is None:
            await asyncio.to_thread(self.settling.forget, name, parcel)
            self._tell(What.GONE, name, envelope=parcel.envelope)
            self._forget(name)
        elif isinstance(error, OSError):
            raise error
        elif isinstance(error, Refused) and error.retry_after is not None:
            self._try_later(name, error.retry_after)
            self._tell(What.KEPT, name, envelope=parcel.envelope, code=error.code, detail=error.detail)
        elif self._may_resolve(name, parcel, error):
            self._try_later(name)
        else:
            await self.refuse(name, parcel, Refusal.of_error(error))

    def _may_resolve(self, name: str, parcel: Parcel, error: AxisError) -> bool:
        """Say whether what is wrong may be right in a moment, without anybody's doing."""
        if error.code == "envelope/unknown-concerned":
            # What it acts on lies beside it and could not be sent yet.
            others = [each for other, each in self._unsent.items() if other != name]
            return any(each.kind == "document" and each.document_id == parcel.acts_on for each in others)
        # A status of a document whose file was read before the ledger had it; a file whose writer was not done yet.
        soon = isinstance(error, NotFound) or error.code == "file/changed"
        return soon and self._now() - parcel.picked_up_at < self._patience

    def _try_later(self, name: str, seconds: float = 0) -> None:
        before = self._tries.get(name)
        not_before = self._now() + dt.timedelta(seconds=seconds)
        self._tries[name] = _Tries(1 if before is None else before.times + 1, not_before)

    # What became of it

    async def hear(self) -> None:
        """Settle what receipts were noted for."""
        if not self._receipts:
            return
        names = defaultdict(list)
        for name, parcel in self._waiting.items():
            names[parcel.envelope].append(name)
        while self._receipts:
            receipt = self._receipts[0]
            for name in names[receipt.message_id]:
                if name in self._waiting:
                    await self._settle(name, self._waiting[name], receipt)
            self._receipts.popleft()

    async def look_for_receipts(self) -> None:
        """Ask the ledger now and then for receipts whose notices went by."""
        if not self._to_look_for and self._now() - self._looked_at >= _LOOK_AGAIN:
            self._looked_at = self._now()
            self._to_look_for.extend(self._waiting)
        for _ in range(min(_LOOKED_FOR, len(self._to_look_for))):
            name = self._to_look_for.popleft()
            if (parcel := self._waiting.get(name)) is not None:
                await self._answered(name, parcel)

    async def refuse(self, name: str, parcel: Parcel | None, refusal: Refusal) -> None:
        """Put a file into refused/, with the reason beside it."""
        at = self._now() if refusal.receipt is None else refusal.receipt.at
        await asyncio.to_thread(self.settling.refuse, name, parcel, refusal, at)
        envelope = None if parcel is None else parcel.envelope
        self._tell(What.REFUSED, name, envelope=envelope, code=refusal.code, detail=refusal.detail)
        self._forget(name)

    async def _answered(self, name: str, parcel: Parcel) -> bool:
        """Settle a document if its receipt is here, or none will ever come; say whether it was so."""
        try:
            receipt = await self._receipt(parcel.envelope or "")
        except Refused as error:  # it was to wait for a document that is refused by now
            await self.refuse(name, parcel, Refusal.of_error(error))
            return True
        if receipt is not None:
            await self._settle(name, parcel, receipt)
        return receipt is not None

    async def _receipt(self, message_id: str) -> Receipt | None:
        with contextlib.suppress(Unavailable):
            return await self._agency.receipt(message_id, deadline=0)
        return None

    async def _settle(self, name: str, parcel: Parcel, receipt: Receipt) -> None:
        if receipt.outcome is Outcome.REFUSED:
            await self.refuse(name, parcel, Refusal.of_receipt(receipt))
            return
        await asyncio.to_thread(self.settling.accept, name, parcel, receipt)
        if parcel.repeats is None:
            what: Literal[What.SENT, What.PARTLY] = What.SENT if receipt.outcome is Outcome.ACCEPTED else What.PARTLY
            self._tell(what, name, envelope=parcel.envelope)
        else:
            self._tell_repeat(name, parcel)
        self._forget(name)

    async def _hand_over(self, name: str, parcel: Parcel, statuses: list[str]) -> None:
        async with self._handing:
            for status in statuses:  # the SDK does not send the same status again, also if it was refused
                receipt = await self._receipt(status)
                if receipt is not None and receipt.outcome is Outcome.REFUSED:
                    await self.refuse(name, parcel, Refusal.of_receipt(receipt))
                    return
            await asyncio.to_thread(self._register.hand, statuses, name)
            await asyncio.to_thread(self.settling.hand_over, name, parcel, statuses, self._now())
        self._tell(What.REPORTED, name)
        self._forget(name)

    async def refuse_late(self, receipt: Receipt) -> None:
        """Move a status that was handed over to what is refused; raise OSError with that undone.

        It lasts when this returns: nobody asks for the receipt of such a status again.
        """
        status = receipt.message_id or ""
        async with self._handing:
            name = await asyncio.to_thread(self._register.handed, status)
            if name is None:
                return
            refusal = Refusal.of_receipt(receipt)
            await asyncio.to_thread(self.settling.refuse_late, name, refusal, receipt.at)
            await asyncio.to_thread(self._register.unhand, status)
        self._tell(What.REFUSED, name, code=refusal.code, detail=refusal.detail)

    def _tell_repeat(self, name: str, parcel: Parcel) -> None:
        self._tell(What.REPEATED, name, envelope=parcel.envelope, detail=f"was sent as {parcel.repeats}")

    def _forget(self, name: str) -> None:
        for kept in (self._unsent, self._waiting, self._tries):
            kept.pop(name, None)
