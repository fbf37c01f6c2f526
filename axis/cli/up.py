"""`axis up` and `axis down`: the whole axis on this machine, left running."""

import asyncio
from pathlib import Path

from axis.catalogue import load as load_catalogue
from axis.cli import stack
from axis.cli.console import JsonOption, TlsOption, print_json, progress, say
from axis.cli.onboarding import Newcomer, onboard_many
from axis.console.access.passwords import Passwords, one_time_password
from axis.core.operators import Operator, Role
from axis.settings import Settings
from axis.store import Store

_ADMINISTRATOR = "admin"
_FIRST = (Newcomer(code="G22", name=None, mailbox=True), Newcomer(code="H37", name=None, mailbox=True))

_NEXT = """The axis is running: broker {broker}, gateway {gateway}.
The console: {console}{first}
  make demo sends sixteen documents through this axis meanwhile; the console shows them coming and being answered
Two agencies are connected, with their profiles under {profiles}. Send the first document by hand:

  .venv/bin/axis send README.md --as G22 --to H37 --subject "V/v gửi văn bản đầu tiên"
  .venv/bin/axis inbox --as H37 --accept --save received/
  .venv/bin/axis track <the envelope id that `send` printed>

.venv/bin/axis doctor looks whether all is well; make down stops it, its data stays."""


def up(*, tls: TlsOption = False, as_json: JsonOption = False) -> None:
    """Start the axis on this machine, connect two agencies, and leave it running.

    Does nothing twice: what runs is left alone. Exit code 0 when everything is ready.

    For example:

      axis up

      axis up --tls

      axis up --json
    """
    root = Path.cwd()
    settings = stack.bring_up(root, progress=progress, tls=tls)
    profiles, password = asyncio.run(_connect_first(settings))
    console = settings.console_url or settings.console_address
    state = stack.running(root)
    if as_json:
        processes = {} if state is None else {process.name: process.pid for process in state.processes}
        told = {"gateway_url": settings.gateway_url, "processes": processes, "profiles": profiles}
        print_json(told | {"console_url": console, "console_login": _ADMINISTRATOR, "console_password": password})
        return
    first = (
        "" if password is None else f"\n  log in once as {_ADMINISTRATOR} with {password}, and choose a password then"
    )
    broker = settings.amqp_url.get_secret_value().rpartition("@")[2].partition("?")[0]
    profiles_at = settings.home / "agencies"
    say(_NEXT.format(broker=broker, gateway=settings.gateway_url, console=console, first=first, profiles=profiles_at))


def down(*, as_json: JsonOption = False) -> None:
    """Stop the axis on this machine; its data under .axis/ stays.

    For example:

      axis down
    """
    ran = stack.take_down(Path.cwd(), progress=progress)
    if as_json:
        print_json({"ran": ran})
    else:
        say("stopped; the data stays under .axis/" if ran else "nothing was running")


async def _connect_first(settings: Settings) -> tuple[dict[str, Path], str | None]:
    """Connect the first agencies; return their profiles, and a password for the console if nobody has one."""
    async with Store.connect(settings.operator_database, name="axis up") as store:
        await store.directory.put_organisations(load_catalogue())
        profiles = await onboard_many(settings, store, _FIRST, progress=progress)
        return profiles, await _first_administrator(store)


async def _first_administrator(store: Store) -> str | None:
    """Make an administrator of the console unless there is an account; return its password, which is nowhere else."""
    if await store.operators.all():
        return None
    password = one_time_password()
    operator = Operator(_ADMINISTRATOR, "Quản trị viên", Role.ADMINISTRATOR, temporary=True)
    made = await store.operators.add(operator, Passwords().hash(password), by="axis up")
    return password if made else None
