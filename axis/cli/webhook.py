"""`axis webhook`: where agencies' own systems are called, and what they are still to be told."""

import asyncio
import getpass
from typing import Annotated

import typer

from axis.cli import moments
from axis.cli.console import JsonOption, print_json, print_table, say
from axis.core.codes import canonical
from axis.core.ids import is_id, new_id
from axis.core.registered import News
from axis.core.webhooks import LONGEST_URL, MOST_WEBHOOKS, Webhook
from axis.errors import NotFound, Refused
from axis.settings import Settings
from axis.store import Calls, Store

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Calls to agencies' own systems.")

_Id = Annotated[str, typer.Argument(metavar="ID", help="As `axis webhook list` shows it.", show_default=False)]
_Code = Annotated[str, typer.Argument(metavar="CODE", help="The agency: H37.05 or 000.00.05.H37.")]


@app.command("list")
def list_command(
    agency: Annotated[str | None, typer.Argument(metavar="[CODE]", help="Only of this agency.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show the webhooks, how many calls of each wait or were put aside, and how the last one ended.

    For example:

      axis webhook list

      axis webhook list H37 --json
    """
    code = None if agency is None else canonical(agency)
    found = asyncio.run(_list(Settings.load(), code))
    if as_json:
        print_json({"webhooks": [{"webhook": each, "calls": calls} for each, calls in found]})
        return
    if not found:
        say("no webhook yet; `axis webhook add CODE https://…` has an agency's system called")
        return
    print_table(
        ("id", "agency", "address", "events", "waiting", "put aside", "next call", "last answer"),
        [
            (
                each.id,
                each.account,
                each.url,
                ", ".join(each.events) or "all",
                calls.waiting,
                calls.dead,
                min((call.due_at for call in calls.latest if call.state == "waiting"), default=None),
                next((call.told for call in calls.latest if call.told), None),
            )
            for each, calls in found
        ],
    )
    if any(calls.dead for _, calls in found):
        say("`axis webhook retry ID` has the calls made again that were put aside")


@app.command()
def add(
    agency: _Code,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to call: https://…", show_default=False)],
    *,
    event: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only about this, repeat; default: everything.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Have an agency's system called about what changes from now on; the same address again changes its events.

    For example:

      axis webhook add H37 https://vanban.langson.gov.vn/axis --event status --event late

    Exit code 0: done; 65: the axis does not call this address, or the agency has as many as it may have.
    """
    code, events = canonical(agency), tuple(event or ())
    if strange := [each for each in events if each not in frozenset(News)]:
        raise Refused("webhook/malformed", f"{strange[0]!r} is none of {', '.join(News)}")
    kept = asyncio.run(_add(Settings.load(), code, url, events))
    if as_json:
        print_json({"webhook": kept})
    else:
        say(f"{kept.url} is called for {kept.account} from now on: {kept.id}")


@app.command()
def remove(identifier: _Id, *, as_json: JsonOption = False) -> None:
    """Call an address no more; what it was still to be told is forgotten.

    For example:

      axis webhook remove 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11
    """
    asyncio.run(_remove(Settings.load(), identifier))
    print_json({"removed": identifier}) if as_json else say(f"{identifier} is called no more")


@app.command()
def retry(identifier: _Id, *, as_json: JsonOption = False) -> None:
    """Have the calls made again that were put aside, and those that wait made now.

    For example:

      axis webhook retry 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11
    """
    count = asyncio.run(_retry(Settings.load(), identifier))
    print_json({"requeued": count}) if as_json else say(f"{count} calls are made within seconds")


async def _list(settings: Settings, code: str | None) -> list[tuple[Webhook, Calls]]:
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        found = await store.webhooks.webhooks(code)
        calls = await store.webhooks.calls([each.id for each in found])
    return [(each, calls.get(each.id, Calls(0, 0, ()))) for each in found]


async def _add(settings: Settings, code: str, url: str, events: tuple[str, ...]) -> Webhook:
    if len(url) > LONGEST_URL:
        raise Refused("webhook/address", f"an address has at most {LONGEST_URL} characters")
    settings.destinations.check(url)
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        _, end = await store.register.feed_span()
        at, actor = moments.now(), getpass.getuser()
        kept = await store.webhooks.put(Webhook(new_id(at), code, url, events, end, at, actor), MOST_WEBHOOKS)
        if kept is None:
            raise Refused("webhook/too-many", f"{code} has {MOST_WEBHOOKS}")
        await store.audit(actor, "webhook.put", kept.id, {"account": code, "url": url, "events": [*kept.events]})
    return kept


async def _found(store: Store, identifier: str) -> Webhook:
    known = {each.id: each for each in await store.webhooks.webhooks()} if is_id(identifier) else {}
    if identifier not in known:
        raise NotFound(f"there is no webhook {identifier}: `axis webhook list` shows them", code="webhook/unknown")
    return known[identifier]


async def _remove(settings: Settings, identifier: str) -> None:
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        webhook = await _found(store, identifier)
        await store.webhooks.remove(webhook.id)
        detail = {"account": webhook.account, "url": webhook.url}
        await store.audit(getpass.getuser(), "webhook.remove", webhook.id, detail)


async def _retry(settings: Settings, identifier: str) -> int:
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        webhook = await _found(store, identifier)
        count = await store.webhooks.requeue(webhook.id, moments.now())
        await store.audit(getpass.getuser(), "webhook.retry", webhook.id, {"calls": count})
    return count
