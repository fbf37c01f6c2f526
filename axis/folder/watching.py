"""The watcher: three loops beside each other, none of which ends because something is away for a while."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from axis.client import Agency, AgencySettings, Delivery, ReceiptNotice
from axis.client.agency import utc_now
from axis.client.building import reason_text
from axis.client.opening import is_its_senders
from axis.edxml import Naming, Profile
from axis.errors import AxisError, Malformed, Misconfigured, Refused, Unavailable
from axis.folder import disk
from axis.folder.aside import FOLDER, Aside
from axis.folder.incoming import Incoming
from axis.folder.outgoing import Outgoing
from axis.folder.pickup import Pickup
from axis.folder.places import Hold, Out, held
from axis.folder.register import Register
from axis.folder.sending import Sender
from axis.folder.told import Event, Teller, What
from axis.folder.writing import Writer

REGISTER = "folder.sqlite3"
SPOOL = "opened"  # files of sealed documents among them
_LONGEST_WAIT_SECONDS = 30.0
_NOTHING_SECONDS = 1.0  # without a notice for so long, a run with an end has read them all
# What is set aside is tried again at the start and after so long, each time in vain twice as long.
_FIRST_AGAIN_SECONDS = 30.0
_LONGEST_AGAIN_SECONDS = 900.0
_AWAY_AT_MOST = 3  # in a row for one document: then it is that document

Connect = Callable[[AgencySettings], contextlib.AbstractAsyncContextManager[Agency]]


@dataclass(frozen=True, slots=True)
class Options:
    """What a watcher is told; times in seconds.

    `quiet`: so long must a file not change before it counts as written. `patience`: so long may one that is not
    whole go on being written, or a package refer to something unknown. `poll`: from look to look. `refusals`: write a
    status package also for each recipient that the axis has refused.
    """

    out: Path
    incoming: Path
    naming: Naming
    profile: Profile = Profile.LENIENT
    quiet: float = 2.0
    patience: float = 30.0
    poll: float = 1.0
    refusals: bool = False


class Watcher:
    """Get it with `async with Watcher.open(settings, options, tell)`."""

    def __init__(
        self,
        options: Options,
        *,
        agency: Agency,
        holds: tuple[Hold, Hold],
        outgoing: Outgoing,
        incoming: Incoming,
        teller: Teller,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self.tell = teller
        self._options = options
        self._agency = agency
        self._out_hold, self._in_hold = holds
        self._outgoing = outgoing
        self._incoming = incoming
        self._files = Aside(options.incoming)
        self._aside: set[str] = set()
        self._away: tuple[str, int] = ("", 0)
        self._now = now
        self._wake = asyncio.Event()
        # A report is written before the ledger knows what it is about; it must not be tidied away in between.
        self._handling = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        settings: AgencySettings,
        options: Options,
        tell: Callable[[Event], None],
        *,
        connect: Connect = Agency.connect,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> AsyncIterator["Watcher"]:
        """Take hold of the folders, and connect.

        Raises what `held` raises, Unavailable when the broker cannot be reached.
        """
        teller, out = Teller(tell), Out(options.out)
        with (
            held(out, options.incoming, settings.state_folder, settings.code) as holds,
            contextlib.closing(Register(settings.state_folder / REGISTER)) as register,
        ):
            writer, spool = Writer(options.incoming, register), settings.state_folder / SPOOL
            try:
                await asyncio.to_thread(disk.empty, spool)
            except OSError as error:
                raise Misconfigured(f"{spool}: {error.strerror}", code="folder/unusable") from error
            try:
                await asyncio.to_thread(writer.recover)
            except OSError as error:
                raise Misconfigured(f"{options.incoming}: {error.strerror}", code="folder/unusable") from error
            async with connect(settings) as agency:
                patience = options.patience
                sender = Sender(out, agency=agency, register=register, patience=patience, teller=teller, now=now)
                outgoing = Outgoing(
                    out,
                    sender=sender,
                    register=register,
                    pickup=Pickup(options.out, quiet=options.quiet, patience=patience),
                    profile=options.profile,
                    teller=teller,
                    now=now,
                )
                incoming = Incoming(writer, spool=spool, agency=agency, naming=options.naming, teller=teller)
                yield cls(
                    options, agency=agency, holds=holds, outgoing=outgoing, incoming=incoming, teller=teller, now=now
                )

    @property
    def sending(self) -> int:
        """How many packages are in sending/."""
        return self._outgoing.open

    @property
    def aside(self) -> int:
        """How many documents are set aside, because they cannot be opened yet."""
        return len(self._aside)

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_on(None))
            group.create_task(self._receive_on())
            group.create_task(self._try_aside_on())
            group.create_task(self._listen_on(None, None))

    async def run_once(self, *, wait: float, idle: float) -> None:
        """Do what is there, and end: `wait` is for receipts, `idle` how long nothing has to come (seconds)."""
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send_on(wait))
            group.create_task(self._listen_on(sending, min(idle, _NOTHING_SECONDS)))
            await self._trying("aside", self._try_aside)
            await self._trying("in", lambda: self._receive(idle))
        await self._trying("out", self._outgoing.hear)  # a receipt may have come after the last pass
        for name in self._outgoing.unfinished:
            self.tell(What.IGNORED, name, detail="it is still being written, or is not whole")

    # Out

    async def _send_on(self, seconds: float | None) -> None:
        """Pass after pass; with `seconds` until all that was found is settled, or that time is over."""
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + self._options.quiet + seconds
        first: float | None = None  # when the first look was over: what did not change since then is written
        wait = self._options.poll
        while True:
            self._wake.clear()
            begun = loop.time()
            done = await self._trying("out", self._pass)
            now = loop.time()
            seen_twice = first is not None and begun - first >= self._options.quiet
            if end is not None and (now >= end or (done and seen_twice and not self._outgoing.open)):
                return
            if done and first is None:
                first = now
            wait = self._options.poll if done else min(wait * 2, _LONGEST_WAIT_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(now + wait if end is None else min(end, now + wait)):
                    # What is away is not there again because a notice came.
                    await (self._wake if done else asyncio.Event()).wait()

    async def _pass(self) -> None:
        await asyncio.to_thread(self._out_hold.check)
        while await self._outgoing.pass_once():
            pass

    # In

    async def _receive_on(self) -> None:
        wait = self._options.poll
        while True:
            done = await self._trying("in", lambda: self._receive(None))
            wait = self._options.poll if done else min(wait * 2, _LONGEST_WAIT_SECONDS)
            await asyncio.sleep(wait)

    async def _receive(self, idle: float | None) -> None:
        inbox = self._agency.inbox(idle=idle)
        async for delivery in inbox:
            await asyncio.to_thread(self._in_hold.check)
            await self._document(delivery)
            self.tell.mended("in")

    async def _try_aside_on(self) -> None:
        wait = _FIRST_AGAIN_SECONDS
        while True:
            before = len(self._aside)
            await self._trying("aside", self._try_aside)
            wait = min(wait * 2, _LONGEST_AGAIN_SECONDS) if 0 < before <= len(self._aside) else _FIRST_AGAIN_SECONDS
            await asyncio.sleep(wait)

    async def _try_aside(self) -> None:
        """Try once more what is set aside; one that is still in trouble is in nobody's way.

        Each is asked for again before it is written: its recall may have come and been carried out meanwhile.
        """
        async with self._handling:
            found = await self._agency.deferred()
            self._aside = {each.envelope.id for each in found}
            await asyncio.to_thread(self._in_hold.check)
            await asyncio.to_thread(self._files.tidy, frozenset(self._aside))
        for each in found:
            with contextlib.suppress(Unavailable):
                async with self._handling:
                    for delivery in await self._agency.deferred(each.envelope.id):
                        await self._handle(delivery)

    async def _document(self, delivery: Delivery) -> None:
        """Write a document, or set it aside. Raises Unavailable, OSError when something is in the way."""
        async with self._handling:
            await self._handle(delivery)

    async def _handle(self, delivery: Delivery) -> None:
        envelope = delivery.envelope.id
        try:
            await self._incoming.document(delivery)
        except Unavailable as error:
            self._away = (envelope, self._away[1] + 1 if self._away[0] == envelope else 1)
            if self._away[1] < _AWAY_AT_MOST:
                raise
            await self._set_aside(delivery, error)
            return
        except (Refused, Malformed) as error:
            if is_its_senders(error):
                # Its sender has to know (QĐ 28 9.1), and it must not be in the way of others.
                await delivery.refuse(reason_text(error.code, error.detail))
                self.tell(What.RETURNED, envelope=envelope, code=error.code, detail=error.detail)
            else:
                await self._set_aside(delivery, error)
                return
        self._away = ("", 0)
        if envelope in self._aside:
            self._aside.discard(envelope)
            await asyncio.to_thread(self._files.remove, envelope)

    async def _set_aside(self, delivery: Delivery, error: AxisError) -> None:
        envelope = delivery.envelope.id
        name = await asyncio.to_thread(self._files.report, delivery.envelope, error, self._now())
        await delivery.defer(error)
        if envelope not in self._aside:
            self._aside.add(envelope)
            self.tell(What.ASIDE, f"{FOLDER}/{name}", envelope=envelope, code=error.code, detail=error.detail)

    # Notices

    async def _listen_on(self, sending: asyncio.Task[None] | None, idle: float | None) -> None:
        """Hear receipts and statuses: for ever, or until all is sent and nothing more comes for `idle` seconds."""
        wait = self._options.poll
        while True:
            last = sending is not None and sending.done()
            done = await self._trying("notices", lambda: self._listen(idle))
            if last:
                return
            wait = self._options.poll if done else min(wait * 2, _LONGEST_WAIT_SECONDS)
            if not done:
                await asyncio.sleep(wait)

    async def _listen(self, idle: float | None) -> None:
        async for notice in self._agency.notices(idle=idle):
            try:
                if isinstance(notice, ReceiptNotice):
                    if self._options.refusals:
                        await asyncio.to_thread(self._in_hold.check)
                        await self._incoming.refusals(notice.receipt)
                    if notice.receipt.message_type == "status":
                        await asyncio.to_thread(self._out_hold.check)
                    await self._outgoing.note(notice.receipt)
                    self._wake.set()
                else:
                    await asyncio.to_thread(self._in_hold.check)
                    await self._incoming.status(notice.status)
            except Malformed as error:  # words that XML cannot carry; they are kept in the ledger
                self.tell(What.IGNORED, code=error.code, detail=error.detail)
            await notice.done()
            self.tell.mended("notices")

    async def _trying(self, where: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Do something that can be in trouble for a while; say whether it went well."""
        try:
            await work()
        except OSError as error:
            self.tell.trouble(where, f"{error.strerror}: {error.filename}" if error.filename else str(error))
        except Misconfigured:
            raise
        except AxisError as error:
            self.tell.trouble(where, error.detail, code=error.code)
        else:
            self.tell.mended(where)
            return True
        return False
