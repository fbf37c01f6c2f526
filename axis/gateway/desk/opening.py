"""The desk of a gateway process, from its settings."""

import asyncio
import contextlib
import datetime as dt
import shutil
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

_ABANDONED = dt.timedelta(hours=6)  # far longer than a package takes to come


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


def sweep(spool: Path, now: dt.datetime) -> None:
    """Remove what nobody can be writing any more; other processes may use the same folder."""
    for left in spool.iterdir() if spool.is_dir() else ():
        if now.timestamp() - left.stat().st_mtime > _ABANDONED.total_seconds():
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


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
    """Put a desk together; its files are in `folder`, where what a process left that was killed is removed."""
    sweep(folder / "spool", now())
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
