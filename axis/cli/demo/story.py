"""The story: one urgent document to everybody, an answer, a refusal, an unknown code, a closed one, and a forgery.

Every agency is a client of its own under its own broker account. Nothing here reads the store: what is counted is what
the agencies saw.
"""

import asyncio
import contextlib
import datetime as dt
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import orjson

from axis.broker import Link, Publisher
from axis.cli.demo import cast
from axis.cli.demo.mixed import CODES, Mixed, recipients
from axis.cli.demo.papers import document_id, package, pdf
from axis.cli.demo.tally import Tally
from axis.client import Agency, AgencySettings, Delivery, File, ReceiptNotice
from axis.core.ids import new_id
from axis.core.lanes import lane_of, submit_key
from axis.core.messages import Outgoing
from axis.errors import Unavailable
from axis.trust import SigningKey
from schemas import Document, Envelope, Priority, Reply
from schemas.wire import ENVELOPE_MEDIA_TYPE, SIGNATURE_HEADER, SUBMIT_EXCHANGE, TYPE_DOCUMENT

Progress = Callable[[str], None]

DEADLINE_SECONDS = 120.0
_TELL_SECONDS = 2.0
_AGAIN_SECONDS = 1.0

_T = TypeVar("_T")


class Story:
    """Play all parts; `tally` is filled by what each client sees. `mixed`: systems that do not use the SDK."""

    def __init__(
        self,
        profiles: Mapping[str, AgencySettings],
        names: Mapping[str, str],
        progress: Progress,
        mixed: Mixed | None = None,
    ) -> None:
        self.tally = Tally()
        self._mixed = mixed
        self._recipients = recipients(mixed=mixed is not None)
        self._known: dict[str, str] = {}  # DocumentId -> envelope: systems that speak edXML know no other name
        self._profiles = profiles
        self._names = names
        self._progress = progress
        self._changed = asyncio.Event()
        self._began = _now()

    async def play(self) -> None:
        """Play until every document has come to its end for every recipient, or the deadline is over."""
        async with contextlib.AsyncExitStack() as stack:
            # One after another: what goes on inside an agency belongs to the task that entered it.
            played = [each for code, each in self._profiles.items() if self._mixed is None or code not in CODES]
            connected = [await stack.enter_async_context(Agency.connect(each)) for each in played]
            agencies = {agency.code: agency for agency in connected}
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="axis-demo-")))
            self._progress(f"{len(agencies)} agencies connected, each under its own account")
            async with asyncio.TaskGroup() as group:
                parts = [group.create_task(self._receive(agency, folder / agency.code)) for agency in connected]
                parts += [group.create_task(self._read_notices(agency)) for agency in connected]
                parts.append(group.create_task(self._tell()))
                if self._mixed is not None:
                    playing = self._mixed.play(folder / "mixed", self._taken, self._progress)
                    parts.append(group.create_task(playing))
                await self._open(agencies[cast.SENDER])
                await self._forge(self._profiles[cast.FORGER])
                await self._until_done()
                for part in parts:
                    part.cancel()

    # What is sent

    async def _open(self, sender: Agency) -> None:
        at = _now()
        number = f"{at:%H%M%S}"  # so that a second run is another document
        addressed = [(code, self._names.get(code, code)) for code in self._recipients]
        paper = package(number, (sender.code, self._names[sender.code]), addressed, at)
        known = sender.new_envelope_id()
        sent = await self._patiently(lambda: sender.send_edxml(paper, recipients=self._recipients, envelope_id=known))
        self.tally.sent(f"{number}/VPCP-KSTT", sent.envelope_id, self._recipients, sent.confirmed_at)
        self._known[document_id(number, sender.code, at)] = sent.envelope_id
        self._progress(
            f"{sender.code} sent an urgent edXML package of {len(paper):,} bytes to {len(addressed)} recipients"
        )

    async def _answer(self, agency: Agency, delivery: Delivery) -> None:
        document = Document(
            document_id=f"{agency.code},{_now():%Y/%m/%d},1/STC-VP",
            subject=f"V/v phúc đáp: {delivery.envelope.document.subject}",
            kind="Công văn",
            priority=Priority.URGENT,
            replies_to=[
                Reply(organisation=delivery.envelope.sender, document_id=delivery.envelope.document.document_id)
            ],
        )
        answer = File.of_bytes("phuc-dap.pdf", pdf(["PHUC DAP"]))
        asker, known = delivery.envelope.sender, agency.new_envelope_id()
        sent = await self._patiently(
            lambda: agency.send(document=document, recipients=[asker], attachments=[answer], envelope_id=known)
        )
        self.tally.sent("1/STC-VP (answer)", sent.envelope_id, (delivery.envelope.sender,), sent.confirmed_at)
        self._progress(f"{agency.code} answered {delivery.envelope.sender}")

    async def _forge(self, forger: AgencySettings) -> None:
        """Publish, under the forger's own account and key, an envelope that says it comes from somebody else."""
        body, identifier = forged_envelope(_now())
        async with Link(forger.amqp_url.get_secret_value(), "forger") as link:
            await Publisher(link).publish(_signed(body, identifier, forger.key, forger.code))
        self.tally.sent("forged", identifier, ("H26",), _now())
        self._progress(f"{forger.code} sent a forged envelope in the name of {cast.SENDER}")

    # What the clients see

    async def _receive(self, agency: Agency, folder: Path) -> None:
        async for delivery in agency.inbox():
            saving = partial(delivery.save_attachments, folder / delivery.envelope.id)
            await self._patiently(saving)
            self.tally.received(delivery.envelope.id, delivery.recipients, _now())
            if agency.code == cast.REFUSER:
                await delivery.refuse(cast.REFUSAL)
            else:
                await delivery.accept()
                await delivery.process()
                # A document of a story that was killed is taken and finished, but is not ours to answer and count.
                if agency.code == cast.ANSWERER and delivery.envelope.sent_at >= self._began:
                    await self._answer(agency, delivery)
                await delivery.finish()
            self._changed.set()

    async def _taken(self, document: str, codes: Sequence[str]) -> None:
        """Hear that a system has a document; one of an earlier story is not counted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TELL_SECONDS):  # it may be here before its sender knows that it is sent
                while document not in self._known:  # noqa: ASYNC110 - once, for moments
                    await asyncio.sleep(0.01)
                self.tally.received(self._known[document], tuple(codes), _now())
                self._changed.set()

    async def _read_notices(self, agency: Agency) -> None:
        async for notice in agency.notices():
            if isinstance(notice, ReceiptNotice):
                self.tally.receipt(notice.receipt)
            else:
                status = notice.status
                self.tally.status(status.envelope, status.recipient or status.reporter, status.code, _now())
            self._changed.set()

    async def _patiently(self, act: Callable[[], Awaitable[_T]]) -> _T:
        """Do what may be done again, as an application does, for as long as gateway or broker is away."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                try:
                    return await act()
                except Unavailable as error:
                    self._progress(f"… waiting: {error.detail}")
                await asyncio.sleep(_AGAIN_SECONDS)

    # The end

    async def _until_done(self) -> None:
        # The answer is a document of its own; until it is sent there is more to come.
        documents = 3
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not (self.tally.done and len({row.envelope for row in self.tally.rows}) == documents):
                    self._changed.clear()
                    await self._changed.wait()

    async def _tell(self) -> None:
        async for counts in self._counts():
            self._progress(counts)

    async def _counts(self) -> AsyncIterator[str]:
        before = ""
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            counts = self.tally.counts
            told = f"{counts.delivered} received, {counts.acknowledged} finished, {counts.refused} refused"
            now = f"… of {counts.sent}: {told}"
            if now != before:
                yield now
            before = now


def forged_envelope(at: dt.datetime) -> tuple[bytes, str]:
    """Write an envelope that claims to come from the story's sender; return its bytes and id."""
    envelope = Envelope.model_validate(
        {
            "schema": "axis.envelope/1",
            "id": new_id(at),
            "sender": cast.SENDER,
            "recipients": ["H26"],
            "sent_at": at,
            "document": {"document_id": "forged", "subject": "Văn bản giả mạo", "priority": Priority.URGENT},
        }
    )
    return orjson.dumps(envelope.model_dump(mode="json", by_alias=True, exclude_none=True)), envelope.id


def _signed(body: bytes, identifier: str, key: SigningKey, account: str) -> Outgoing:
    return Outgoing(
        exchange=SUBMIT_EXCHANGE,
        # The broker lets an account publish under its own code only, so the lie is in the body.
        routing_key=submit_key(lane_of(Priority.URGENT), account),
        body=body,
        type=TYPE_DOCUMENT,
        content_type=ENVELOPE_MEDIA_TYPE,
        message_id=identifier,
        headers={SIGNATURE_HEADER: key.sign(body)},
        user_id=account,
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
