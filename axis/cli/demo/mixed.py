"""The story with systems of every kind: H37 over VXP, H53 over LGSP, G12 by a folder, the others with the SDK."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from axis.catalogue import load as load_catalogue
from axis.cli.demo import cast
from axis.cli.demo.interfaces import LgspClient, VxpClient
from axis.cli.demo.systems import Taken, play_folder, play_interface
from axis.cli.partner.adding import Wanted, add_partner
from axis.client import AgencySettings
from axis.core.partners import CodeForm, Partner
from axis.core.partners import Profile as Interface
from axis.edxml import naming_from
from axis.errors import Misconfigured
from axis.folder import Event, Options, Watcher
from axis.gateway.desk import Secrets
from axis.settings import Settings
from axis.store import Store

VXP = ("demo.37.W00", Interface.VXP, ("H37", "H37.02"))
LGSP = ("demo.53.W00", Interface.LGSP, ("H53",))
FOLDER = "G12"
# Whom the SDK does not play.
CODES = frozenset({"H37", "H53", FOLDER})


@dataclass(frozen=True, slots=True)
class Mixed:
    """Where the systems find the gateway, and their secrets by system id."""

    gateway_url: str
    secrets: Mapping[str, str]
    folder: AgencySettings

    async def play(self, place: Path, taken: Taken, progress: Callable[[str], None]) -> None:
        """Play the three systems until cancelled; the folders are made at a place."""
        out, incoming = place / "di", place / "den"
        for each in (out, incoming):
            each.mkdir(parents=True)

        def tell(event: Event) -> None:
            progress(f"{FOLDER} by its folder: {event.what.value} {event.file or event.detail or ''}")

        names = {each.code: each.name for each in load_catalogue()}
        options = Options(out=out, incoming=incoming, naming=naming_from(names), quiet=0.2, poll=0.2)
        async with (
            httpx.AsyncClient(base_url=self.gateway_url, trust_env=False, timeout=10) as http,
            Watcher.open(self.folder, options, tell) as watcher,
            asyncio.TaskGroup() as group,
        ):
            vxp = VxpClient(http, VXP[0], self.secrets[VXP[0]])
            lgsp = LgspClient(http, LGSP[0], self.secrets[LGSP[0]])
            group.create_task(play_interface(vxp, VXP[2], taken))
            group.create_task(play_interface(lgsp, LGSP[2], taken))
            group.create_task(play_folder(out, incoming, (FOLDER,), taken))
            group.create_task(watcher.run())


@contextlib.asynccontextmanager
async def served(settings: Settings, profiles: Mapping[str, AgencySettings]) -> AsyncIterator[Mixed]:
    """Have the two systems served by the gateway for a block."""
    if settings.gateway_url is None:
        raise Misconfigured("the gateway has no address")
    made = {}
    for system_id, interface, codes in (VXP, LGSP):
        now = dt.datetime.now(dt.UTC)
        # Of an earlier story nobody knows the secret any more.
        Secrets(settings.home, settings.partner_secrets).remove(system_id)
        partner = Partner(
            system_id=system_id,
            profile=interface,
            codes=dict.fromkeys(codes, ""),
            added_at=now,
            code_form=CodeForm.QCVN102,
        )
        added = await add_partner(settings, Wanted(partner, {}, demonstration=True), now)
        made[system_id] = added.secret or ""
    try:
        yield Mixed(settings.gateway_url, made, profiles[FOLDER])
    finally:
        await end(settings)


async def end(settings: Settings) -> None:
    """Have the systems served no more: the next story may be played with the SDK alone."""
    async with Store.connect(settings.operator_database, name="axis demo") as store:
        for each in await store.partners.partners():
            if each.system_id in {VXP[0], LGSP[0]} and each.ended_at is None:
                await store.partners.put(replace(each, ended_at=dt.datetime.now(dt.UTC)))


def recipients(*, mixed: bool) -> tuple[str, ...]:
    """Return the recipients of the story: with LGSP, Tây Ninh plays in the place of Hồ Chí Minh City."""
    return tuple("H53" if mixed and code == "H29" else code for code in cast.RECIPIENTS)


def parts(*, mixed: bool) -> tuple[cast.Part, ...]:
    """Return the cast."""
    return tuple(cast.Part("H53") if mixed and part.code == "H29" else part for part in cast.CAST)
