"""`axis register`: how far the register is behind the store, and making it anew."""

import asyncio
import datetime as dt
import getpass

import typer

from axis.cli import moments
from axis.cli.console import JsonOption, local_time, print_json, say
from axis.settings import Settings
from axis.store import Store

_START = "start it: `axis up`, or python -m workers registrar"
_STALE = dt.timedelta(minutes=1)

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The register (sổ đăng ký văn bản), in which documents are searched, listed and counted.",
)


@app.callback()
def _group() -> None:
    """The register is a copy of what the store knows, kept by the registrar; it can be made anew at any time."""


@app.command("status")
def status(*, as_json: JsonOption = False) -> None:
    """Show how far the register is behind the store.

    For example:

      axis register status

      axis register status --json

    Exit code 0: it is kept; 1: the oldest change waits for more than a minute; 69: the database is away.
    """
    waiting, since, (first, last) = asyncio.run(_status(Settings.load()))
    behind = since is not None and moments.now() - since > _STALE
    if as_json:
        print_json({"waiting": waiting, "since": since, "behind": behind, "feed": {"first": first, "last": last}})
    elif since is None:
        say("the register has everything")
    else:
        say(f"changes that wait to be registered: {waiting}, the oldest since {local_time(since)}")
        if behind:
            say(f"the registrar does not keep up, or does not run; {_START}")
    if behind:
        raise typer.Exit(1)


@app.command("rebuild")
def rebuild(*, as_json: JsonOption = False) -> None:
    """Empty the register and let the registrar make it anew from the store; safe beside running services.

    Needed after the calendar, the targets or what is registered have changed, for documents that came before. Until it
    is done lists and counts lack what is not registered yet; the newest comes first. What agencies follow (the feed)
    stays as it is, and nobody is told anything again. It is the owner's work: AXIS_DATABASE_URL.

    For example:

      axis register rebuild

      axis register rebuild --json

    Exit code 69: the database is away.
    """
    count = asyncio.run(_rebuild(Settings.load()))
    if as_json:
        print_json({"touched": count})
    else:
        say(f"{count} envelopes wait to be registered: axis register status")


async def _status(settings: Settings) -> tuple[int, dt.datetime | None, tuple[int, int]]:
    async with Store.connect(settings.operator_database, name="axis register", connections=1) as store:
        return *await store.register.lag(), await store.register.feed_span()


async def _rebuild(settings: Settings) -> int:
    owner = settings.database_url.get_secret_value()
    async with Store.connect(owner, name="axis register", connections=1) as store:
        count = await store.register.rebuild()
        await store.audit(getpass.getuser(), "register.rebuild", "register", {"envelopes": count})
    return count
