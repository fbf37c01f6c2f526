"""What an agency that is connected works with, whatever it does."""

import asyncio
import datetime as dt
from collections.abc import Callable

from axis.client.building import Author
from axis.client.gateway import Gateway
from axis.client.ledger import Ledger
from axis.client.notices import NoticeBoard
from axis.client.opening import Opener
from axis.client.outbox import Outbox
from axis.client.papers import Paper
from axis.client.sealing import Sealer
from axis.client.session import Session
from axis.client.settings import AgencySettings
from axis.client.transport import Transport
from axis.client.witness import Witness
from axis.core.codes import canonical, is_within
from axis.errors import Refused


class Office:
    """The parts of one connected agency; `Sending` and `Reporting` are what it does with them."""

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
        self.document_trust = settings.document_trust
        self._gateway = gateway
        self._ledger = ledger
        self._traces = settings.traces
        self._author = Author(settings.code, settings.key, now)
        self._outbox = Outbox(ledger, transport.publisher, account=settings.code, now=now, traces=settings.traces)
        self._witness = Witness(
            source=gateway,
            cache=settings.state_folder / "certificates",
            axis_certificate=settings.axis_certificate,
        )
        self._session = Session(settings.code, transport=transport, group=group, deadline=settings.deadline)
        self._held: set[str] = set()  # ids of the early recalls that this process hands out
        self._opener = Opener(gateway, settings.sealing_keys, settings.sealing_folder)
        self._sealer = Sealer(gateway, settings.state_folder / "sealing", settings.pinned, now)
        self._board: NoticeBoard | None = None

    async def find(self, document_id: str, *, party: str | None = None) -> list[str]:
        """Return the ids of the envelopes, sent or taken, of the document with this edXML DocumentId, the newest first.

        `party`, in either code form: only those that came from this organisation, or were sent to it. What was taken
        before the ledger had this index is not found.
        """
        other = None if party is None else canonical(party, tolerant=True)
        papers = await self._ledger.papers(document_id=document_id)
        found = (each.envelope_id for each in papers if other is None or each.is_with(other))
        return list(dict.fromkeys(found))

    async def remembered(self, envelope_id: str) -> Paper | None:
        """Return what is known of an envelope that was sent or taken, for as long as the ledger is kept."""
        papers = await self._ledger.papers(envelope_id=envelope_id)
        return papers[0] if papers else None

    def _notice_board(self) -> NoticeBoard:
        if self._board is None:
            self._board = NoticeBoard(
                mail=self._session.open_notices(),
                ledger=self._ledger,
                witness=self._witness,
                account=self.code,
                now=self._author.now,
                postpone=self._outbox.postpone,
                heard=self._outbox.heard,
            )
            self._session.start(self._board.run())
        return self._board

    def _speaker(self, code: str | None) -> str:
        speaker = self.code if code is None else canonical(code)
        if not is_within(speaker, self.code):
            raise Refused("abuse/account", f"{self.code} does not speak for {speaker}")
        return speaker
