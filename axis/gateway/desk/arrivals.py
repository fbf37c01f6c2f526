"""Status 01 for what the partner says it has: “arrived in the document system” is what 01 means."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable

import structlog

from axis.client import Agency
from axis.core.partners import Incoming
from axis.errors import AxisError, Refused
from axis.store import PartnerStore
from schemas import StatusCode

_AT_ONCE = 100
_LOOK_SECONDS = 5.0  # another process may have noted what is done, and so may we before a crash


class Arrivals:
    """Report 01 for each recipient of every document that is done.

    A crash after the report and before it is noted has it reported again, with the id it had: the SDK's ledger keeps
    the same status said twice as one.
    """

    def __init__(self, store: PartnerStore, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._changed: set[asyncio.Event] = set()
        self._log = structlog.get_logger(part="desk")

    def look(self) -> None:
        """Say that something is done."""
        for changed in self._changed:
            changed.set()

    async def run(self, agency: Agency) -> None:
        """Report through one agency until cancelled; how slow it is holds up no other."""
        changed = asyncio.Event()
        self._changed.add(changed)
        try:
            while True:
                changed.clear()
                await self._round(agency)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await changed.wait()
        finally:
            self._changed.discard(changed)

    async def _round(self, agency: Agency) -> None:
        try:
            for package in await self._store.unreported(_AT_ONCE, [agency.code]):
                await self._report(agency, package)
        except AxisError as error:
            self._log.warning("waiting", agency=agency.code, code=error.code, detail=error.detail)
        except Exception:  # noqa: BLE001 - whoever is served here must not end what all agencies need
            self._log.exception("failed", agency=agency.code)

    async def _report(self, agency: Agency, package: Incoming) -> None:
        for recipient in package.recipients:
            try:
                await agency.report(package.message_id, StatusCode.ARRIVED, recipient=recipient)
            except Refused as error:
                # Said once, for this one; it would be refused again for ever.
                told = {"envelope": package.message_id, "recipient": recipient}
                self._log.error("01 refused", **told, code=error.code, detail=error.detail)
        await self._store.reported(package.doc_id, self._now())
