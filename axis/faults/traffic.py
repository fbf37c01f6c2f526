"""Agencies that work through the SDK all the time: senders, recipients, statuses flowing back, on both lanes."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pydantic import SecretStr

from axis.broker import Link, Publisher
from axis.client import Agency, AgencySettings, Delivery, File, NotConfirmed, ReceiptNotice
from axis.core.messages import Outgoing
from axis.errors import AxisError, NotFound, Unavailable
from axis.faults.members import CODES, UNIT, UNKNOWN, Lookup, Member, account_url, utc_now
from axis.faults.processes import until
from axis.faults.records import NotingLedger, Records
from schemas import Document, Priority

RATE = 150.0  # envelopes a second, all together
LIMIT = 150  # under way at a time: while something is down senders do not pile up work for the rest of the run
DEADLINE_SECONDS = 10.0

_SENDERS = 3  # of each agency, at the same time
_AGAIN_SECONDS = 0.5
_LOOK_SECONDS = 0.02
_SLACK_SECONDS = 5.0  # this process is busy, too
# Shares of what is sent, and of what recipients do with it.
_URGENT = 0.3
_WITH_FILE = 0.05
_TO_UNIT = 0.05
_TO_NOBODY = 0.02
_BY_UNIT = 0.1
_ONLY_TAKEN, _REFUSED, _FINISHED = 0.4, 0.45, 0.9

Explain = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the axis is."""

    amqp_url: str
    axis_certificate: bytes
    folder: Path
    gateway_url: str | None = None  # None: there is no gateway, and nobody sends files


class Traffic:
    """All agencies together. `rate` and `limit` may be changed at any time."""

    def __init__(self, place: Place, members: Mapping[str, Member], random: Random, explain: Explain) -> None:
        self.rate = RATE
        self.limit = LIMIT
        self.codes = CODES
        self.records = Records()
        self.agencies: dict[str, Agency] = {}
        self.wrong_by: dict[str, dt.timedelta] = {}  # agency -> how far its clock is ahead
        self.copied_to: str | None = None  # whom every document goes to as well
        self.sought: Sequence[tuple[str, str]] = ()  # (lane, mailbox): where something is waited for, sent to first
        self.not_confirmed = 0  # how often a sender was told so
        self._place = place
        self._members = members
        self._random = random
        self._explain = explain
        self._open = asyncio.Event()
        self._next = 0.0
        self._number = 0
        self._reading = {code: asyncio.Event() for code in CODES}
        self._ledgers = {code: NotingLedger(code, self.records) for code in CODES}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connect everybody, and send until the block ends."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._work(member)) for member in self._members.values()]
            try:
                if not await until(lambda: len(self.agencies) == len(self._members), DEADLINE_SECONDS * 3):
                    raise Unavailable("the agencies could not connect")
                for code in self.codes:
                    self.read(code)
                self.resume()
                yield
            finally:
                for task in tasks:
                    task.cancel()

    # How much

    def pause(self) -> None:
        """Send nothing new; what is under way goes on."""
        self._open.clear()

    def resume(self) -> None:
        """Send again."""
        self.records.last_complete = time.monotonic()
        self._open.set()

    def stop_reading(self, code: str) -> None:
        """Let the application of a mailbox take nothing from now on."""
        self._reading[code].clear()

    def read(self, code: str) -> None:
        """Let it go on."""
        self._reading[code].set()

    @property
    def sent(self) -> int:
        """Documents whose sender was told that they are confirmed."""
        return sum(document.confirmed for document in self.records.documents.values())

    @property
    def taken(self) -> int:
        """Deliveries that applications have."""
        return sum(len(document.taken) for document in self.records.documents.values())

    async def complete(self) -> bool:
        """Say whether nothing is under way any more: all confirmed, answered, delivered, and every status back."""
        records = self.records
        return (
            not records.open
            and all(said.came for said in records.statuses.values())
            and not any([await agency.outbox() for agency in self.agencies.values()])
        )

    # What scenarios do beside it

    def url_of(self, code: str) -> str:
        """Return the AMQP address of an agency's account."""
        return account_url(self._place.amqp_url, code)

    def member(self, code: str) -> Member:
        """Return an agency's key and certificate."""
        return self._members[code]

    def clock(self, code: str) -> dt.datetime:
        """Tell the time by an agency's clock."""
        return utc_now() + self.wrong_by.get(code, dt.timedelta())

    @contextlib.asynccontextmanager
    async def second_connection(self, code: str) -> AsyncIterator[Publisher]:
        """Publish under an agency's account beside its own connection."""
        async with Link(self.url_of(code), f"faults {code} beside") as link:
            yield Publisher(link)

    async def message(self, envelope_id: str) -> Outgoing:
        """Return a document that was sent, as its sender published it."""
        account = self.records.documents[envelope_id].account
        entry = await self.ledger(account).entry(envelope_id)
        if entry is None:
            raise NotFound(f"{account} does not remember {envelope_id}")
        return entry.outgoing(account)

    def ledger(self, code: str) -> NotingLedger:
        """Return what an agency remembers."""
        return self._ledgers[code]

    # Inside

    async def _work(self, member: Member) -> None:
        """Be one agency, and come back as a new process would when the SDK gives up."""
        while True:
            self.agencies.pop(member.code, None)
            try:
                await self._be(member)
            except Unavailable as error:
                if member.code in self.agencies:
                    self._explain(f"the SDK of {member.code} gave up: {error}")
            except (AxisError, ExceptionGroup) as error:
                self._explain(f"the SDK of {member.code} gave up: {error!r}")
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _be(self, member: Member) -> None:
        place, code = self._place, member.code
        settings = AgencySettings(
            code=code,
            amqp_url=SecretStr(self.url_of(code)),
            gateway_url=place.gateway_url or "",
            key=member.key,
            axis_certificate=place.axis_certificate,
            state_folder=place.folder / f"agency-{code}",
            deadline=DEADLINE_SECONDS,
            allow_plaintext=True,  # networks of our own, on this machine
        )
        lookup = None if place.gateway_url else Lookup(member, [each.certificate for each in self._members.values()])
        async with Agency.connect(
            settings, ledger=self._ledgers[code], gateway=lookup, now=lambda: self.clock(code)
        ) as agency:
            self.agencies[code] = agency
            async with asyncio.TaskGroup() as group:
                for _ in range(_SENDERS):
                    group.create_task(self._send(agency))
                group.create_task(self._receive(agency))
                group.create_task(self._listen(agency))

    async def _send(self, agency: Agency) -> None:
        while True:
            await self._open.wait()
            if self.records.open >= self.limit:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            await self._slot()
            if (
                self._open.is_set()
            ):  # its turn may have come after `pause`, and after everything was found to be through
                await self._send_one(agency)

    async def _slot(self) -> None:
        """Wait for one's turn, `1 / rate` after the one before; what was missed for long is not made up."""
        now = time.monotonic()
        self._next = max(self._next, now - 1 / _SENDERS) + 1 / self.rate
        if self._next > now:
            await asyncio.sleep(self._next - now)

    async def _send_one(self, agency: Agency) -> None:
        random, code = self._random, agency.code
        recipients, urgent = self._recipients(code), random.random() < _URGENT
        if sought := [place for place in self.sought if place[1] != code]:
            lane, mailbox = random.choice(sought)
            urgent = lane == "urgent"
            if mailbox not in recipients:
                recipients[-1] = mailbox
        mailboxes = frozenset("H37" if each == UNIT else each for each in recipients if each != UNKNOWN)
        outcome = "accepted" if UNKNOWN not in recipients else "partial" if mailboxes else "refused"
        self._number += 1
        number = self._number
        files = [File.of_bytes("phu-luc.bin", random.randbytes(2000))] if self._sends_file() else []
        document = self.records.begin(
            agency.new_envelope_id(), code, "urgent" if urgent else "normal", mailboxes, outcome
        )
        started = time.monotonic()
        try:
            await agency.send(
                document=Document(
                    document_id=f"{code},2026/11/24,{number}/CV",
                    subject=f"V/v thử nghiệm số {number}",
                    priority=Priority.URGENT if urgent else Priority.NORMAL,
                ),
                recipients=recipients,
                attachments=files,
                sender=UNIT if code == "H37" and random.random() < _BY_UNIT else None,
                envelope_id=document.id,
            )
        except NotConfirmed:
            self.not_confirmed += 1
        except AxisError as error:
            self.records.withdraw(document)
            if not (files and isinstance(error, Unavailable)):
                self._explain(f"{code} could not send: {error}")
        seconds = time.monotonic() - started
        if not files and seconds > DEADLINE_SECONDS + _SLACK_SECONDS:
            self._explain(f"{code} waited {seconds:.1f} s for an answer, the deadline is {DEADLINE_SECONDS:g} s")

    def _recipients(self, code: str) -> list[str]:
        random = self._random
        others = [each for each in self.codes if each != code]
        chosen = random.sample(others, random.choices((1, 2, 3), (70, 25, 5))[0])
        if self.copied_to is not None and self.copied_to not in {code, *chosen}:
            chosen.insert(0, self.copied_to)
        if code != "H37" and self.copied_to != "H37" and random.random() < _TO_UNIT:
            chosen[0] = UNIT
        if random.random() < _TO_NOBODY:
            chosen[-1] = UNKNOWN
        return chosen

    def _sends_file(self) -> bool:
        return self._place.gateway_url is not None and self._random.random() < _WITH_FILE

    async def _receive(self, agency: Agency) -> None:
        async for delivery in agency.inbox():
            await self._reading[agency.code].wait()
            self.records.took(agency.code, delivery.envelope.id, delivery.sha256)
            await self._read_files(agency.code, delivery)
            await self._report(delivery)

    async def _read_files(self, code: str, delivery: Delivery) -> None:
        for attachment in delivery.envelope.attachments:
            try:
                async for _ in delivery.read(attachment):
                    pass
            except Unavailable:
                continue  # the gateway is away: the document says where the file is
            except AxisError as error:
                self._explain(f"{code} could not read a file of {delivery.envelope.id}: {error}")

    async def _report(self, delivery: Delivery) -> None:
        what = self._random.random()
        if what < _ONLY_TAKEN:
            await delivery.take()
        elif what < _REFUSED:
            await delivery.refuse("không thuộc thẩm quyền")
        else:
            await delivery.accept()
            if what > _FINISHED:
                await delivery.finish()

    async def _listen(self, agency: Agency) -> None:
        async for notice in agency.notices():
            if isinstance(notice, ReceiptNotice):
                self.records.receipt(notice.receipt)
            else:
                self.records.status(agency.code, notice.status)
