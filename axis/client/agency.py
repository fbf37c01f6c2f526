"""The agency SDK: send documents, take what arrives, report what was done with it."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any, Self, cast

from axis.client.asking import Change, changes, documents
from axis.client.connection import connect_broker
from axis.client.deferring import handed_out_again
from axis.client.delivery import Delivery
from axis.client.gateway import Gateway, Moved
from axis.client.inbox import Inbox
from axis.client.ledger import Ledger, Suspicious
from axis.client.logs import fetch_proof
from axis.client.notices import Notices
from axis.client.opening import Opened
from axis.client.packaging import Packaging
from axis.client.replays import Replays
from axis.client.reporting import Reporting
from axis.client.sending import KEPT
from axis.client.sent import refuse_given_up
from axis.client.settings import AgencySettings
from axis.client.sqlite import SqliteLedger
from axis.client.transport import Transport
from axis.core.ids import new_id
from axis.core.reading import parse_receipt
from axis.errors import Unavailable
from schemas import Attachment, Envelope, Receipt


def utc_now() -> dt.datetime:
    """Tell the time; agencies set their clocks by the axis (QĐ 28/2018 article 14.4)."""
    return dt.datetime.now(dt.UTC)


class Agency(Packaging, Reporting):
    """One agency, connected. Get it with `async with Agency.connect(settings) as agency`."""

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
        moved: Moved | None = None,
    ) -> AsyncIterator[Self]:
        """Connect, and send what an earlier run has left in the outbox.

        Connections that are lost later are made again by themselves. Leaving the block gives back to the broker what
        was not taken; leave it in the task that entered it. `ledger`, `transport` and `gateway` are for tests and for
        applications with their own; whoever made the last two closes them. `moved` is told of files as they move.

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
                        moved=moved,
                    )
                )
            if transport is None:
                transport = cast("Transport", await stack.enter_async_context(connect_broker(settings)))
            failure: BaseException | None = None
            async with asyncio.TaskGroup() as group:
                agency = cls(settings, transport=transport, gateway=gateway, ledger=ledger, group=group, now=now)
                try:
                    await ledger.prune(before=new_id(now() - KEPT))
                    agency._session.start(agency._outbox.run())
                    yield agency
                    await agency._outbox.wait_swept(settings.deadline)
                except BaseException as error:  # noqa: BLE001 - raised below, outside the group that would wrap it
                    failure = error
                finally:
                    await agency._session.close()
            if failure is not None:
                raise failure

    async def receipt(self, message_id: str, *, deadline: float = 30.0) -> Receipt:
        """Return the axis's answer to an envelope (or to a status it refused), its signature verified.

        Waits `deadline` seconds for it, then raises Unavailable; the receipt still comes, also among the notices.
        """
        kept = await self._notice_board().receipt(message_id, deadline)
        if kept is None:
            for entry in await self._ledger.entries(about=message_id, unconfirmed=False):
                refuse_given_up(entry)
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

    # Asking

    def changes(self, after: int | None = None, *, follow: bool = False) -> AsyncGenerator[Change, None]:
        """Yield what changed for us behind a number (None: all that is kept); `follow`: wait for more, for ever.

        Keep the `seq` of what is dealt with. Raises Refused api/cursor-pruned when what came next is not kept any more.
        """
        return changes(self._gateway, after, follow=follow)

    def documents(self, **query: str) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yield our documents that fit, sent and received, the newest first: words=…, number=…, state=…, since=….

        As agency.openapi.json has it. Raises Unavailable, and Refused limit/requests.
        """
        return documents(self._gateway, query)

    # Receiving

    def inbox(self, *, idle: float | None = None, looking: bool = False) -> Inbox:
        """Iterate over the documents that arrive, urgent ones first, for ever or until none came for `idle` seconds.

        There is one inbox at a time: starting a new one gives back what the one before left untaken. With `looking`
        each is left, and comes again; only what cannot be proved is set aside, and refused, all the same.
        """
        return Inbox(
            open_mail=self._session.open_mailbox,
            author=self._author,
            ledger=self._ledger,
            outbox=self._outbox,
            witness=self._witness,
            desk=self,
            start=self._session.start,
            held=self._held,
            traces=self._traces,
            idle=idle,
            looking=looking,
        )

    def replays(self, *, idle: float | None = None, looking: bool = False) -> Replays:
        """Iterate over the documents of a replay, for ever or until none came for `idle` seconds: see `Replays`."""
        return Replays(
            open_mail=self._session.open_replays,
            author=self._author,
            ledger=self._ledger,
            witness=self._witness,
            desk=self,
            idle=idle,
            looking=looking,
        )

    async def deferred(self, envelope_id: str | None = None) -> list[Delivery]:
        """Return the documents that were set aside (`Delivery.defer`), the first first, to be tried once more.

        With an id only that one. A recall withdraws them until they are taken: who tries many while an inbox is open
        asks for each again before it is kept.
        """
        found = [
            await handed_out_again(each, self, self._ledger, self._author)
            for each in await self._ledger.deferred(envelope_id)
        ]
        return [each for each in found if each is not None]

    def notices(self, *, idle: float | None = None) -> Notices:
        """Iterate over receipts and statuses, for ever or until none came for `idle` seconds."""
        return Notices(self._notice_board(), idle=idle)

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
