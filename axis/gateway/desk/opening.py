"""The desk of a gateway process, from its settings."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from axis.client import Agency, AgencySettings
from axis.core.directory import Directory
from axis.gateway.desk.agencies import Agencies, Connect
from axis.gateway.desk.codes import Codes
from axis.gateway.desk.desk import Desk, Parts
from axis.gateway.desk.limits import DeskLimits
from axis.gateway.desk.packing import Packing
from axis.gateway.desk.profiles import desk_folder
from axis.gateway.desk.secrets import Secrets
from axis.settings import Settings
from axis.store import PartnerStore


def open_desk(
    settings: Settings, store: PartnerStore, directory: Callable[[], Directory], now: Callable[[], dt.datetime]
) -> Desk:
    """Make the desk; it serves once `desk.agencies.run()` does."""

    @contextlib.asynccontextmanager
    async def connect(code: str) -> AsyncIterator[Agency]:
        profile = await asyncio.to_thread(AgencySettings.load, desk_folder(settings.home, code))
        async with Agency.connect(profile) as agency:
            yield agency

    return make_desk(
        settings.home / "desk",
        store,
        connect,
        codes=Codes(directory, now),
        secrets=Secrets(settings.home, settings.partner_secrets),
        now=now,
    )


def make_desk(
    folder: Path,
    store: PartnerStore,
    connect: Connect,
    *,
    codes: Codes,
    secrets: Secrets,
    now: Callable[[], dt.datetime],
    limits: DeskLimits | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Desk:
    """Put a desk together; its files are in `folder`."""
    packing = Packing(folder / "packages", folder / "spool", codes)
    return Desk(
        Parts(
            store=store,
            agencies=Agencies(store, connect, packing, codes, now),
            packing=packing,
            codes=codes,
            secrets=secrets,
            spool=folder / "spool",
            now=now,
            clock=clock,
            limits=limits or DeskLimits(),
        )
    )
