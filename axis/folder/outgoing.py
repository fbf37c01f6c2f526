"""Packages on their way out.

Step by step, and what a crash does after each:

    1 picked up    moved from OUT/ into sending/          crash: it is found there, and gone on with
    2 inspected    checked and read; what cannot be sent  crash: again
                   is refused (see settling)
    3 named        NAME.json says the envelope's id       crash: read again, the same id
    4 claimed      the register: this content, this id    crash: claimed again by the same id
    5 signed       kept in the SDK's ledger, published    crash: the ledger knows the id, and sends it by itself;
                                                          before that it is sent again under the same id
    6 settled      its receipt has come (see settling)    crash: the ledger has the receipt

So nothing is lost and nothing is sent as two documents, whenever this process dies. One task does all of it.
"""

import asyncio
import datetime as dt
import os
import secrets
from collections import deque
from collections.abc import Callable

from axis.core.ids import new_id
from axis.edxml import Profile
from axis.errors import Malformed
from axis.folder import disk
from axis.folder.names import distinct, kept_name
from axis.folder.parcel import Parcel, inspect
from axis.folder.pickup import Pickup
from axis.folder.places import Out
from axis.folder.register import Register
from axis.folder.reports import Refusal
from axis.folder.sending import Sender
from axis.folder.told import Teller, What
from schemas import Outcome, Receipt

_TOGETHER = 100  # files picked up in one pass: what is urgent among them does not wait for all the others


class Outgoing:
    """Send what is put into the folder."""

    def __init__(
        self,
        out: Out,
        *,
        sender: Sender,
        register: Register,
        pickup: Pickup,
        profile: Profile,
        teller: Teller,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._out = out
        self._sender = sender
        self._register = register
        self._pickup = pickup
        self._profile = profile
        self._tell = teller
        self._now = now
        self._new: deque[str] = deque()
        self._ignored: set[str] = set()
        self._recovered = False
        self.unfinished: list[str] = []  # at the last look

    @property
    def open(self) -> int:
        """How many files are neither sent nor refused yet."""
        return len(self._new) + self._sender.open

    async def note(self, receipt: Receipt) -> None:
        """Hear what the axis said.

        Of a document it is acted on in the next pass: the ledger keeps it, should there be none. The refusal of a
        status is acted on now. Raises OSError, Unavailable when that cannot be: then it is to be said again.
        """
        if receipt.message_type == "status":
            if receipt.outcome is Outcome.REFUSED:
                await self._sender.refuse_late(receipt)
        else:
            self._sender.note(receipt)

    async def hear(self) -> None:
        """Act on what was noted after the last pass; raise as `pass_once` does."""
        await self._sender.hear()

    async def pass_once(self) -> bool:
        """Do what can be done now; say whether anything came of it.

        Raises OSError when a folder is in the way, Unavailable when something outside is away; what is done is done.
        """
        if not self._recovered:
            await self._recover()
            self._recovered = True
        before = (self.open, self._tell.counts.total())
        await self._pick_up()
        await self._sender.hear()
        while self._new:
            await self._inspect(self._new[0])
            self._new.popleft()
        await self._sender.send()
        await self._sender.hear()
        await self._sender.look_for_receipts()
        return (self.open, self._tell.counts.total()) != before

    async def _recover(self) -> None:
        """Find what an earlier run left in sending/."""
        names = await asyncio.to_thread(lambda: sorted(each.name for each in self._out.sending.iterdir()))
        sidecars = {name.removesuffix(".json") for name in names if name.endswith(".json")}
        files = {name for name in names if not name.startswith(".") and not name.endswith(".json")}
        self._new.clear()
        for name in sorted(sidecars | files):
            parcel = await asyncio.to_thread(Parcel.load, self._sender.settling.sidecar(name))
            if parcel is not None:
                if not await asyncio.to_thread(self._sender.settling.complete, name, parcel):
                    await self._sender.take_up(name, parcel)
            elif name in files:
                self._new.append(name)

    async def _pick_up(self) -> None:
        seen = await asyncio.to_thread(self._pickup.look)
        for name in seen.links:
            self._ignore(name, "it is no plain file; links are not followed")
        for name in seen.others:
            self._ignore(name, "its name does not end in .edxml")
        self.unfinished = seen.unfinished
        moved = 0
        for name in seen.ready:
            moved += await self._pick(name)
            if moved == _TOGETHER:
                break

    async def _pick(self, name: str) -> bool:
        kept = await asyncio.to_thread(self._free_name, name)
        try:
            await asyncio.to_thread(self._sender.settling.begin, kept)
            await asyncio.to_thread(disk.move, self._out.root / name, self._out.sending / kept)
        except FileNotFoundError:
            if await asyncio.to_thread(self._out.sending.is_dir):
                return False  # taken away again
            raise
        except PermissionError as error:
            if await asyncio.to_thread(self._is_writable):
                self._ignore(name, f"it cannot be moved: {error.strerror}")
                return False
            raise
        self._tell(What.PICKED_UP, kept, detail=None if kept == name else f"was {name}")
        self._new.append(kept)
        return True

    def _is_writable(self) -> bool:
        return all(os.access(each, os.W_OK | os.X_OK) for each in (self._out.root, self._out.sending))

    def _free_name(self, name: str) -> str:
        kept = wanted = kept_name(name)
        while self._out.is_taken(kept):
            kept = distinct(wanted, secrets.token_hex(4))
        return kept

    def _ignore(self, name: str, why: str) -> None:
        if name not in self._ignored:
            self._ignored.add(name)
            self._tell(What.IGNORED, name, detail=why)

    async def _inspect(self, name: str) -> None:
        path = self._out.sending / name
        if await asyncio.to_thread(disk.regular, path) is None:
            self._tell(What.GONE, name)
            return
        try:
            found = await asyncio.to_thread(inspect, path, self._profile, self._now())
        except Malformed as error:
            await self._sender.refuse(name, None, Refusal.of_error(error))
            return
        if found.error is not None:
            await self._sender.refuse(name, None, Refusal.of_error(found.error, found.report))
        elif found.parcel is None:
            await self._sender.refuse(name, None, Refusal.of_report(found.report))
        else:
            await self._sender.take_up(name, await self._named(name, found.parcel))

    async def _named(self, name: str, parcel: Parcel) -> Parcel:
        """Choose the envelope's id, and have it on disk before anything is sent."""
        if parcel.kind == "document":
            claim = await asyncio.to_thread(self._register.claimed, parcel.sha256)
            if claim is None:
                parcel = parcel.model_copy(update={"envelope": new_id(self._now())})
            else:
                parcel = parcel.model_copy(update={"envelope": claim.envelope, "repeats": claim.name})
        await asyncio.to_thread(parcel.write, self._sender.settling.sidecar(name))
        return parcel
