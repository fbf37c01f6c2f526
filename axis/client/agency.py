"""The agency SDK: send documents, take what arrives, report what was done with it."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Self, cast

from axis.client.building import Author, File, same_document
from axis.client.connection import connect_broker
from axis.client.delivery import Reported
from axis.client.gateway import Gateway
from axis.client.inbox import Inbox
from axis.client.ledger import Entry, Ledger, Suspicious
from axis.client.logs import fetch_proof
from axis.client.notices import NoticeBoard, Notices
from axis.client.opening import Opened, Opener
from axis.client.outbox import Outbox
from axis.client.package import read_package
from axis.client.sealing import Sealer, with_sealed
from axis.client.sent import Sent, sent_by
from axis.client.session import Session
from axis.client.settings import AgencySettings
from axis.client.sqlite import SqliteLedger
from axis.client.transport import Transport
from axis.client.witness import Witness
from axis.core.codes import canonical, is_within
from axis.core.ids import new_id
from axis.core.reading import parse_receipt, parse_status
from axis.errors import NotFound, Refused, Unavailable
from schemas import Action, Attachment, Document, Envelope, Receipt, Staff, StatusCode

_KEPT = dt.timedelta(days=90)  # how long confirmed messages and finished notices stay in the ledger


def utc_now() -> dt.datetime:
    """Tell the time; agencies set their clocks by the axis (QĐ 28/2018 article 14.4)."""
    return dt.datetime.now(dt.UTC)


class Agency:
    """One agency, connected. Get it with `async with Agency.connect(settings) as agency`."""

    def __init__(
        self,
        settings: AgencySettings,
        *,
        transport: Transport,
        gateway: Gateway,
        ledger: Ledger,
        group: asyncio.TaskGroup,
        now: Callable[[], dt.datetime],
    ) -> None:
        self.code = settings.code
        self._gateway = gateway
        self._ledger = ledger
        self._author = Author(settings.code, settings.key, now)
        self._outbox = Outbox(ledger, transport.publisher, account=settings.code, now=now)
        self._witness = Witness(
            source=gateway,
            cache=settings.state_folder / "certificates",
            axis_certificate=settings.axis_certificate,
        )
        self._session = Session(settings.code, transport=transport, group=group, deadline=settings.deadline)
        self._sealer = Sealer(gateway, settings.state_folder / "sealing", settings.pinned, now)
        self._opener = Opener(gateway, settings.sealing_keys)
        self._board: NoticeBoard | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(
        cls,
        settings: AgencySettings,
        *,
        ledger: Ledger | None = None,
        transport: Transport | None = None,
        gateway: Gateway | None = None,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> AsyncIterator[Self]:
        """Connect, and send what an earlier run has left in the outbox.

        Connections that are lost later are made again by themselves. Leaving the block gives back to the broker what
        was not taken; leave it in the task that entered it. `ledger`, `transport` and `gateway` are for tests and for
        applications with their own; whoever made the last two closes them.

        Raises Unavailable when the broker cannot be reached, Misconfigured for a profile that cannot work.
        """
        settings.warn_of_the_end(now())
        async with contextlib.AsyncExitStack() as stack:
            if ledger is None:
                ledger = await SqliteLedger.open(settings.state_folder / "ledger.sqlite3")
                stack.push_async_callback(ledger.close)
            if gateway is None:
                gateway = await stack.enter_async_context(
                    Gateway(
                        settings.gateway_url,
                        code=settings.code,
                        key=settings.key,
                        now=now,
                        deadline=settings.deadline,
                        verify=settings.tls.context(),
                    )
                )
            if transport is None:
                transport = cast("Transport", await stack.enter_async_context(connect_broker(settings)))
            failure: BaseException | None = None
            async with asyncio.TaskGroup() as group:
                agency = cls(settings, transport=transport, gateway=gateway, ledger=ledger, group=group, now=now)
                try:
                    await ledger.prune(before=new_id(now() - _KEPT))
                    agency._session.start(agency._outbox.run())
                    yield agency
                    await agency._outbox.wait_swept(settings.deadline)
                except BaseException as error:  # noqa: BLE001 - raised below, outside the group that would wrap it
                    failure = error
                finally:
                    await agency._session.close()
            if failure is not None:
                raise failure

    # Sending

    async def send(
        self,
        *,
        document: Document,
        recipients: Sequence[str],
        attachments: Sequence[Path | File] = (),
        action: Action = Action.NEW,
        concerns: str | None = None,
        reason: str | None = None,
        sender: str | None = None,
        envelope_id: str | None = None,
        seal: bool = False,
    ) -> Sent:
        """Upload the files, sign the envelope, keep it, publish it; return when the broker has confirmed.

        Recipients may be in either code form. `sender` is a unit below when not the agency itself. `concerns` is the
        envelope that is recalled, updated or replaced. `envelope_id` (from `new_envelope_id`, noted by the application
        before) makes it safe to call again after any failure: it is one document, however often it is called.
        `seal` encrypts the files for the recipients' mailboxes, end to end; what `document` says stays readable.

        Raises:
            Refused: with the code the axis would refuse it with, or seal/*; nothing was kept or sent.
            Malformed: a code or a file cannot be read; nothing was kept or sent.
            Unavailable: the gateway was away; nothing was kept or sent.
            NotConfirmed: the broker was away; the envelope is kept and will be sent by itself.
        """
        files = [File.of(each) for each in attachments]
        speaker = self._speaker(sender)
        codes = [canonical(recipient) for recipient in recipients]
        identifier = envelope_id or self.new_envelope_id()

        def write(described: Sequence[dict[str, object]], sealed: dict[str, object] | None = None) -> Entry:
            return self._author.envelope(
                sender=speaker,
                recipients=codes,
                document=document,
                attachments=described,
                action=action,
                concerns=concerns,
                reason=reason,
                identifier=identifier,
                sealed=sealed,
            )

        made_up = [file.attachment(number, sha256="0" * 64, size=0) for number, file in enumerate(files)]
        if files:
            # A first time with made-up digests: what the axis would refuse is refused before anything is uploaded.
            write(made_up)
        if seal:
            parts = await self._sealer.seal(files, made_up, recipients=codes, envelope_id=identifier, sender=speaker)
            return await self._submit(write(parts.attachments, parts.sealed))
        described = []
        for number, file in enumerate(files):
            uploaded = await self._gateway.upload(file)
            described.append(file.attachment(number, sha256=uploaded.sha256, size=uploaded.size))
        return await self._submit(write(described))

    async def send_edxml(
        self,
        source: bytes | Path,
        *,
        recipients: Sequence[str] | None = None,
        sender: str | None = None,
        concerns: str | None = None,
        envelope_id: str | None = None,
        seal: bool = False,
    ) -> Sent:
        """Send an edXML document package (QCVN 102:2016): its header becomes the envelope, its files go to the store.

        `recipients` and `sender` take precedence over the package's own. `concerns` is needed unless the package is a
        new document: a package cannot know the id of the envelope it acts on. `seal` is as in `send`. Raises
        EdxmlError besides what `send` does.
        """
        now = self._author.now()
        package = await asyncio.to_thread(
            read_package,
            source,
            identifier=envelope_id or new_id(now),
            sent_at=now,
            recipients=None if recipients is None else [canonical(recipient) for recipient in recipients],
            sender=None if sender is None else canonical(sender),
            concerns=concerns,
        )
        self._speaker(package.envelope.sender)
        entry = self._author.signed_envelope(package.body)
        if seal:
            envelope = package.envelope
            parts = await self._sealer.seal(
                package.files,
                [each.model_dump(mode="json", exclude_none=True) for each in envelope.attachments],
                recipients=envelope.recipients,
                envelope_id=envelope.id,
                sender=envelope.sender,
            )
            return await self._submit(self._author.signed_envelope(with_sealed(package.body, parts)))
        for file in package.files:
            await self._gateway.upload(file)
        return await self._submit(entry)

    def new_envelope_id(self) -> str:
        """Make an id for a document about to be sent; the axis takes ids that are not older than a month."""
        return new_id(self._author.now())

    async def receipt(self, message_id: str, *, deadline: float = 30.0) -> Receipt:
        """Return the axis's answer to an envelope (or to a status it refused), its signature verified.

        Waits `deadline` seconds for it, then raises Unavailable; the receipt still comes, also among the notices.
        """
        kept = await self._notice_board().receipt(message_id, deadline)
        if kept is None:
            outlook = await self._outbox.outlook(message_id)
            raise Unavailable(f"no receipt for {message_id} within {deadline:g} s; {outlook}")
        return parse_receipt(kept.body)

    async def proof(self, message_id: str, *, deadline: float = 30.0) -> bytes:
        """Return the receipt for a message with the proof that it is in the log: a file to keep (axis.proof/1).

        `axis.client.verify_proof` verifies it, offline. Raises what `receipt` does, and NotFound log/not-logged while
        the receipt is not in the log yet: that takes seconds.
        """
        await self.receipt(message_id, deadline=deadline)
        return await fetch_proof(self._ledger, self._gateway, message_id)

    async def outbox(self) -> list[Entry]:
        """Return what is signed and not confirmed yet, oldest first; it is sent again by itself."""
        return await self._ledger.entries()

    async def send_again(self, envelope_id: str) -> Sent:
        """Send the same bytes again, for a receipt whose code allows it (`blob/missing`, after the upload)."""
        entry = await self._ledger.reopen(envelope_id)
        if entry is None or entry.kind != "document":
            raise NotFound(f"{self.code} has not sent {envelope_id}, or more than {_KEPT.days} days ago")
        (sent,) = await self._outbox.send([entry])
        return sent_by(sent)

    # Receiving

    def inbox(self, *, idle: float | None = None) -> Inbox:
        """Iterate over the documents that arrive, urgent ones first, for ever or until none came for `idle` seconds.

        There is one inbox at a time: starting a new one gives back what the one before left untaken.
        """
        return Inbox(
            open_mail=self._session.open_mailbox,
            author=self._author,
            ledger=self._ledger,
            outbox=self._outbox,
            witness=self._witness,
            desk=self,
            start=self._session.start,
            idle=idle,
        )

    def notices(self, *, idle: float | None = None) -> Notices:
        """Iterate over receipts and statuses, for ever or until none came for `idle` seconds."""
        return Notices(self._notice_board(), idle=idle)

    async def report(
        self,
        envelope_id: str,
        code: StatusCode,
        *,
        recipient: str | None = None,
        reason: str | None = None,
        staff: Staff | None = None,
        reporter: str | None = None,
    ) -> Reported:
        """Report a status of an envelope received (or, with 13, sent) earlier.

        `recipient` is the delivery as addressed where it is not our own code, or (13) whom it is taken back from;
        `reporter` is a unit below when not the agency itself. Returns when the status is kept, and confirmed unless
        the broker is away; the same status reported again keeps its id. Raises Refused for what the axis would refuse.
        """
        entry = self._author.status(
            envelope_id,
            code,
            recipient=recipient,
            reason=reason,
            staff=staff,
            reporter=self._speaker(reporter),
        )
        self._notice_board()
        sent = await self._outbox.submit(entry)
        return Reported(sent.id, recipient or self.code, code, sent.confirmed_at)

    async def report_again(self, envelope_id: str) -> list[Reported]:
        """Send every status reported about an envelope again, same bytes, when the axis has lost what it was told.

        What it knows it takes for the repeat it is.
        """
        said = [e for e in await self._ledger.entries(about=envelope_id, unconfirmed=False) if e.kind == "status"]
        reopened = [entry for each in said if (entry := await self._ledger.reopen(each.id)) is not None]
        return [_reported(entry) for entry in await self._outbox.send(reopened)]

    def read(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """Stream a file as it is stored, sealed ones sealed, that an envelope of ours names; see `Delivery.read`."""
        return self._gateway.download(attachment.sha256, attachment.size)

    async def opened(self, envelope: Envelope) -> Opened:
        """Return the files of an envelope of ours, opened where it is sealed; see `Opener.open` for what it raises.

        Also later, for a document that was taken long ago, as long as its sealing key is kept.
        """
        return await self._opener.open(envelope)

    async def suspicious(self) -> list[Suspicious]:
        """Return what could not be proved and was kept from the application, with its bytes and reason."""
        return await self._ledger.suspicious()

    # Inside

    def _notice_board(self) -> NoticeBoard:
        if self._board is None:
            self._board = NoticeBoard(
                mail=self._session.open_notices(),
                ledger=self._ledger,
                witness=self._witness,
                account=self.code,
                now=self._author.now,
                postpone=self._outbox.postpone,
            )
            self._session.start(self._board.run())
        return self._board

    async def _submit(self, entry: Entry) -> Sent:
        self._notice_board()  # who only sends must hear of limits too: what is over one is sent again by the board
        sent = await self._outbox.submit(entry)
        if sent.body != entry.body and not same_document(sent.body, entry.body):
            raise Refused("envelope/id-reused", f"{entry.id} is the id of another document")
        return sent_by(sent)

    def _speaker(self, code: str | None) -> str:
        speaker = self.code if code is None else canonical(code)
        if not is_within(speaker, self.code):
            raise Refused("abuse/account", f"{self.code} does not speak for {speaker}")
        return speaker


def _reported(entry: Entry) -> Reported:
    status = parse_status(entry.body)
    return Reported(entry.id, status.recipient or status.reporter, status.code, entry.confirmed_at)
