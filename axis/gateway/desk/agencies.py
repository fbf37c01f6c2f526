"""The agencies that partners are served through: each connected as an ordinary client, with a key of its own.

Whom the desk serves it reads from the store every few seconds, so that `axis partner add` takes effect by itself. An
agency that cannot be connected, or fails, is tried again and again and stops no other.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

import structlog

from axis.client import Agency
from axis.core.partners import Partner
from axis.errors import AxisError, Unavailable
from axis.gateway.desk.arrivals import Arrivals
from axis.gateway.desk.codes import Codes
from axis.gateway.desk.packing import Packing
from axis.gateway.desk.receiving import Receiving
from axis.gateway.desk.telling import Telling
from axis.store import PartnerStore

_LOOK_SECONDS = 2.0
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0
_HEALTHY_SECONDS = 60.0  # what fails sooner waits longer the next time

Connect = Callable[[str], AbstractAsyncContextManager[Agency]]


class Agencies:
    """Connect what is served, and say who is. `connect(code)` opens an agency's profile."""

    def __init__(
        self, store: PartnerStore, connect: Connect, packing: Packing, codes: Codes, now: Callable[[], dt.datetime]
    ) -> None:
        self._store = store
        self._connect = connect
        self._partners: Mapping[str, Partner] = {}
        self._by_agency: Mapping[str, Partner] = {}
        self._connected: dict[str, Agency] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._log = structlog.get_logger(part="desk")
        self._receiving = Receiving(store, packing, self._by_code, now)
        self._telling = Telling(store, codes, self._by_code, now)
        self.arrivals = Arrivals(store, now)

    def partner(self, system_id: str) -> Partner | None:
        """Return a partner that is served."""
        found = self._partners.get(system_id)
        return None if found is None or found.ended_at is not None else found

    def agency(self, code: str) -> Agency:
        """Return a connected agency; raise Unavailable `partner/away`."""
        if (found := self._connected.get(code)) is None:
            raise Unavailable(f"{code} is not connected to the axis at the moment", code="partner/away")
        return found

    @property
    def states(self) -> dict[str, bool]:
        """Say of each agency that is to be connected whether it is."""
        return {code: code in self._connected for code in self._by_agency}

    async def load(self) -> None:
        """Read who is served; raise Unavailable."""
        found = await self._store.partners()
        self._partners = {each.system_id: each for each in found}
        self._by_agency = {code: each for each in found for code in each.agencies}

    async def run(self) -> None:
        """Keep connected what is served, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    await self.load()
                except AxisError as error:
                    self._log.warning("waiting", code=error.code, detail=error.detail)
                except Exception:  # noqa: BLE001 - whoever is served here must not end what all agencies need
                    self._log.exception("failed")
                for code in self._by_agency.keys() - self._tasks.keys():
                    self._tasks[code] = group.create_task(self._serve(code))
                for code in self._tasks.keys() - self._by_agency.keys():
                    self._tasks.pop(code).cancel()
                await asyncio.sleep(_LOOK_SECONDS)

    def _by_code(self, code: str) -> Partner | None:
        return self._by_agency.get(code)

    async def _serve(self, code: str) -> None:
        clock = asyncio.get_running_loop().time
        wait = _FIRST_WAIT_SECONDS
        while True:
            began = clock()
            try:
                # In a task of its own: a task group that comes down over an error forgets that its task was cancelled,
                # and leaves marks of its own cancelling on it (3.11). Of this one, only who wants it ended cancels it.
                await asyncio.create_task(self._serve_once(code))
            except asyncio.CancelledError:
                _heed_cancellation()
                self._log.exception("failed", agency=code)
            except AxisError as error:
                _heed_cancellation()
                self._log.warning("not connected", agency=code, code=error.code, detail=error.detail)
            except BaseExceptionGroup as failures:
                _heed_cancellation()
                known, others = failures.split(AxisError)
                for leaf in _leaves(known):
                    self._log.warning("not connected", agency=code, code=leaf.code, detail=leaf.detail)
                if others is not None:
                    if others.split(Exception)[1] is not None:
                        raise
                    self._log.error("failed", agency=code, exc_info=others)
            except Exception:  # noqa: BLE001 - a fault of ours in one agency ends no other; the log has its traceback
                _heed_cancellation()
                self._log.exception("failed", agency=code)
            if clock() - began >= _HEALTHY_SECONDS:
                wait = _FIRST_WAIT_SECONDS
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    async def _serve_once(self, code: str) -> None:
        try:
            async with self._connect(code) as agency:
                self._connected[code] = agency
                self._log.info("connected", agency=code)
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._receiving.run(agency))
                    group.create_task(self._telling.run(agency))
                    group.create_task(self.arrivals.run(agency))
        finally:
            self._connected.pop(code, None)


def _heed_cancellation() -> None:
    """End where that was asked for, whatever came instead."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _leaves(group: BaseExceptionGroup[AxisError] | None) -> list[AxisError]:
    found: list[AxisError] = []
    for each in () if group is None else group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
