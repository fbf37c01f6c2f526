"""The command `axis replay`."""

import asyncio
import contextlib
import datetime as dt
import getpass
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from axis.broker import Link, ManagementApi, Publisher
from axis.cli.accounts import management
from axis.cli.console import JsonOption, local_time, print_json, progress, say, utc_time
from axis.cli.moments import moment
from axis.cli.replay.filling import Elsewhere, Filled, Filler, places_of
from axis.core.codes import canonical
from axis.core.difference import Change, Verb
from axis.core.directory import Directory
from axis.core.ids import new_id
from axis.core.lanes import replay_queue
from axis.core.replaying import Replay
from axis.core.topology import replay_place
from axis.errors import AxisError, NotFound
from axis.settings import Settings
from axis.store import Store

_QUEUE = re.compile(r"replay\.[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
_TOLD = 50
_KEPT = 1000  # names in the audit table's entry; all of them are in the answer


class NotEmpty(AxisError):
    """Report that a replay queue still holds documents."""

    code = "replay/not-empty"
    exit_code = 65


def replay(
    mailbox: Annotated[str, typer.Option("--mailbox", metavar="CODE", help="Whose mailbox.")],
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="What the axis accepted from then on; not to go on.", show_default=False),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until before then; default: now.", show_default=False)
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="At most so many documents a second.")] = 50.0,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="QUEUE",
            help="Another queue than replay.CODE, also called replay.…: for operators, the agency cannot read it.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be put; changes nothing.")] = False,
    end: Annotated[bool, typer.Option("--end", help="End the replay and remove its queue, once it is empty.")] = False,
    discard: Annotated[bool, typer.Option("--discard", help="With --end: also what nobody has read.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Give a mailbox once more what it got before: out of the store, into a queue of its own, each copy marked.

    In the order in which the axis accepted it. The agency reads it by `axis inbox --as CODE --replay`, or from the
    queue replay.CODE, which its account may read; its mailbox is not touched and nothing is reported by reading. What
    was recalled is left out and named, and so is what is still held.

    After a crash or Ctrl-C the same command goes on where it was, also without --since; of what it had in hand then up
    to 100 documents may be in the queue twice. There is one replay for a queue at a time; --end ends it.

    For example:

      axis replay --mailbox H37 --since 2026-11-24 --dry-run

      axis replay --mailbox H37 --since 2026-11-24T08:00+07:00 --until 25/11/2026 --rate 20

      axis replay --mailbox H37 --end

    Exit code 0: done; 65: another replay is open, or the queue is not empty; 66: no such mailbox, or no replay to go on
    with; 69: broker or database away.
    """
    code = canonical(mailbox)
    queue = to or replay_queue(code)
    if not _QUEUE.fullmatch(queue):
        raise typer.BadParameter(f"--to {queue}: a replay goes into a queue called replay.…")
    if end and (since or until or dry_run):
        raise typer.BadParameter("--end goes alone")
    if discard and not end:
        raise typer.BadParameter("--discard needs --end")
    settings = Settings.load()
    if end:
        told = asyncio.run(_end(settings, queue, discard=discard))
        _tell_end(told, as_json=as_json)
        return
    asked = _Asked(code, queue, _moment(since), _moment(until), rate, dry_run=dry_run)
    found, filled = asyncio.run(_run(settings, asked))
    _tell(found, filled, dry_run=dry_run, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Asked:
    mailbox: str
    queue: str
    since: dt.datetime | None
    until: dt.datetime | None
    rate: float
    dry_run: bool


async def _run(settings: Settings, asked: _Asked) -> tuple[Replay, Filled]:
    async with Store.connect(settings.operator_database, name="axis replay") as store:
        now = await store.comparing.now()
        found = await _wanted(store, asked, now)
        if asked.dry_run:
            filled = Filled()
            places = await places_of(store, found, id_past_days=settings.id_past_days, progress=progress)
            await Filler(store, None, asked.rate, _now, progress).fill(found, places, filled)
            return found, filled
        return await _fill(settings, store, found, asked.rate)


async def _wanted(store: Store, asked: _Asked, now: dt.datetime) -> Replay:
    """Return the replay to go on with, or a new one."""
    known = await store.replays.open(asked.queue)
    if known is not None:
        same = asked.since in {None, known.since} and asked.until in {None, known.until}
        if not same or known.mailbox != asked.mailbox:
            raise Elsewhere(
                f"{known.queue} has an open replay for {known.mailbox}, of {local_time(known.since)} to "
                f"{local_time(known.until)}: leave --since and --until away to go on with it, or --end it"
            )
        return known
    if asked.since is None:
        raise NotFound(f"{asked.queue} has no replay to go on with: say --since", code="replay/none")
    organisations, mailboxes, _ = await store.directory.load()
    if not Directory.build(organisations, mailboxes).has_mailbox(asked.mailbox, now):
        raise NotFound(f"{asked.mailbox} has no mailbox", code="recipient/no-mailbox")
    until = min(asked.until or now, now)
    if asked.since >= until:
        raise typer.BadParameter(f"nothing lies between {local_time(asked.since)} and {local_time(until)}")
    return Replay(new_id(now), asked.mailbox, asked.queue, asked.since, until, getpass.getuser(), now)


async def _fill(settings: Settings, store: Store, wanted: Replay, rate: float) -> tuple[Replay, Filled]:
    async with opened(settings) as (api, publisher):
        place = replay_place(wanted.queue)
        # Made before it is noted, and made again when it goes on: a broker may have lost it. Making it twice is one.
        await api.apply([Change(Verb.CREATE, place.kind, place.name, f"create queue {place.name}", place)], progress)
        found = await store.replays.begin(wanted)
        if found.id != wanted.id:
            raise Elsewhere(f"{found.queue} was given another replay at the same moment")
        filled, finished = Filled(), False
        try:
            places = await places_of(store, found, id_past_days=settings.id_past_days, progress=progress)
            found = await Filler(store, publisher, rate, _now, progress).fill(found, places, filled)
            await store.replays.fill(found, _now())
            finished = True
        finally:
            detail = {**_plain(found, filled, names=_KEPT), "rate": rate, "finished": finished}
            await store.audit(getpass.getuser(), "replay.fill", found.mailbox, detail)
    return replace(found, filled_at=found.filled_at or _now()), filled


async def _end(settings: Settings, queue: str, *, discard: bool) -> dict[str, Any]:
    async with Store.connect(settings.operator_database, name="axis replay") as store:
        found = await store.replays.open(queue)
        if found is None:
            raise NotFound(f"{queue} has no replay", code="replay/none")
        async with opened(settings) as (api, publisher):
            state = (await publisher.queue_states([queue]))[queue]
            # The first sees what is ready at once, the second what is handed out, some seconds late.
            waiting = max(0 if state is None else state.messages, (await api.queue_depths()).get(queue, 0))
            if waiting and not discard:
                raise NotEmpty(f"{queue} holds {waiting} messages that nobody has read; --discard gives them up")
            await api.remove_queue(queue)
        await store.replays.end(found, _now())
        told = {"mailbox": found.mailbox, "queue": queue, "put": found.put, "unread": waiting}
        await store.audit(getpass.getuser(), "replay.end", found.mailbox, {**told, "replay": found.id})
    return told


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[ManagementApi, Publisher]]:
    """Open the broker for a block, as the account that sets it up: nobody else writes to a queue by its name."""
    async with management(settings) as api, Link(settings.amqp_url.get_secret_value(), "axis replay") as link:
        yield api, Publisher(link)


def _plain(found: Replay, filled: Filled, *, names: int | None = None) -> dict[str, Any]:
    return {
        "replay": found.id,
        "mailbox": found.mailbox,
        "queue": found.queue,
        "since": utc_time(found.since),
        "until": utc_time(found.until),
        "by": found.by,
        "put": filled.put,
        "put_in_all": found.put,
        "left_out": [
            {"id": each.id, "recipient": each.recipient, "why": each.why.value} for each in filled.left_out[:names]
        ],
        "left_out_in_all": max(found.left_out, len(filled.left_out)),
    }


def _tell(found: Replay, filled: Filled, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({**_plain(found, filled), "dry_run": dry_run, "filled": found.filled_at is not None})
        return
    for each in filled.left_out[:_TOLD]:
        say(f"left out {each.id} for {each.recipient}: {each.why.value}")
    if len(filled.left_out) > _TOLD:
        say(f"… {len(filled.left_out)} left out in all; --json lists them")
    span = f"accepted {local_time(found.since)} to {local_time(found.until)}"
    if dry_run:
        say(f"{filled.put} documents of {found.mailbox} would be put into {found.queue}, {span}")
        return
    say(f"{filled.put} documents put into {found.queue}, {span}")
    say(f"`axis inbox --as {found.mailbox} --replay` reads them; then `axis replay --mailbox {found.mailbox} --end`")


def _tell_end(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    gone = f"; {told['unread']} messages in it were given up" if told["unread"] else ""
    say(f"the replay for {told['mailbox']} has ended, {told['queue']} is gone{gone}")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else moment(text)
