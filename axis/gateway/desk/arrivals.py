"""Status 01 for what the partner says it has: “arrived in the document system” is what 01 means."""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping

import structlog

from axis.client import Agency
from axis.core.partners import Incoming
from axis.errors import AxisError, Unavailable
from axis.store import PartnerStore
from schemas import StatusCode

_AT_ONCE = 100
_LOOK_SECONDS = 5.0  # another process may have noted what is done, and so may we before a crash


class Arrivals:
    """Report 01 for each recipient of every document that is done.

    A crash after the report and before it is noted has it reported again, with the id it had: the SDK's ledger keeps
    the same status said twice as one.
    """

    def __init__(
        self, store: PartnerStore, connected: Callable[[], Mapping[str, Agency]], now: Callable[[], dt.datetime]
    ) -> None:
        self._store = store
        self._connected = connected
        self._now = now
        self._changed = asyncio.Event()
        self._log = structlog.get_logger(part="desk")

    def look(self) -> None:
        """Say that something is done."""
        self._changed.set()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            self._changed.clear()
            try:
                await self.report_all()
            except AxisError as error:
                self._log.warning("waiting", code=error.code, detail=error.detail)
            except Exception:  # noqa: BLE001 - whoever is served here must not end what all agencies need
                self._log.exception("failed")
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def report_all(self) -> None:
        """Report what is due through agencies that are connected."""
        connected = self._connected()
        for package in await self._store.unreported(_AT_ONCE, connected) if connected else ():
            if (agency := connected.get(package.agency)) is not None:
                await self._report(agency, package)

    async def _report(self, agency: Agency, package: Incoming) -> None:
        try:
            for recipient in package.recipients:
                await agency.report(package.message_id, StatusCode.ARRIVED, recipient=recipient)
        except Unavailable:
            raise
        except AxisError as error:
            # Said once; it would be refused again for ever.
            self._log.error("01 refused", envelope=package.message_id, code=error.code, detail=error.detail)
        await self._store.reported(package.doc_id, self._now())
