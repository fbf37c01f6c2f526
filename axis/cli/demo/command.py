"""`axis demo`: set up, play, account, and say in one line whether the counts are what the story must give."""

import asyncio
import contextlib
import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from axis.catalogue import load as load_catalogue
from axis.cli import stack
from axis.cli.console import ZONE, JsonOption, TlsOption, print_json, print_table, progress, say
from axis.cli.demo import cast
from axis.cli.demo.mixed import end, parts, served
from axis.cli.demo.story import Story
from axis.cli.demo.tally import Counts, Row
from axis.cli.onboarding import Newcomer, onboard_many
from axis.client import AgencySettings
from axis.core.workdays import VIETNAM_TIME
from axis.settings import Settings
from axis.store import Store

# What the story must give: fourteen recipients of the document, one answer, one forgery.
EXPECTED = Counts(
    sent=len(cast.RECIPIENTS) + 2,
    delivered=len(cast.RECIPIENTS),  # all but the unknown code, and the answer
    acknowledged=len(cast.RECIPIENTS) - 1,  # all delivered but the one its recipient refuses
    refused=3,  # the unknown code, the recipient's refusal, the forgery
    lost=0,
)


def demo(
    *,
    tls: TlsOption = False,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Play H37 over VXP, H53 over LGSP and G12 by a folder, not with the SDK.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Play a story through the real broker and database, and account for every document.

    Starts what does not run yet (and stops it again at the end), loads the catalogue, onboards the cast, sends,
    receives, answers, refuses and forges. Exit code 0 only if the counts are what the story must give.

    With --tls every part proves itself to every other by certificates of an authority that is made for it.

    With --mixed three of the agencies are document systems of today: one speaks the VXP adapter's interface over
    HTTP, one a provincial platform's, and one can only write and read files. The last line is the same.

    For example:

      axis demo

      axis demo --tls

      axis demo --mixed

      axis demo --json | jq .counts
    """
    if tls and mixed:
        raise typer.BadParameter("either --tls or --mixed: existing systems have no client certificates")
    root = Path.cwd()
    ran_before = stack.running(root) is not None
    try:
        settings = stack.bring_up(root, progress=progress, owner_pid=None if ran_before else os.getpid(), tls=tls)
        story = asyncio.run(_play(settings, mixed=mixed))
    finally:
        if not ran_before:
            stack.take_down(root, progress=progress)
    _show(story, as_json=as_json)
    if story.tally.counts != EXPECTED:
        raise SystemExit(1)


async def _play(settings: Settings, *, mixed: bool) -> Story:
    async with Store.connect(settings.operator_database, name="axis demo") as store:
        counts = await store.directory.put_organisations(load_catalogue())
        progress(f"catalogue: {counts.new} organisations new, {counts.changed} changed, {counts.same} as before")
        newcomers = [Newcomer(code=part.code, name=part.name, mailbox=part.mailbox) for part in parts(mixed=mixed)]
        folders = await onboard_many(settings, store, newcomers, progress=progress)
        names = await _names(store)
    profiles = {code: AgencySettings.load(folder) for code, folder in folders.items()}
    async with contextlib.AsyncExitStack() as stack:
        await end(settings)  # of a story that was killed
        systems = await stack.enter_async_context(served(settings, profiles)) if mixed else None
        story = Story(profiles, names, progress, systems)
        await story.play()
    return story


async def _names(store: Store) -> Mapping[str, str]:
    organisations, _, _ = await store.directory.load()
    return {organisation.code: organisation.name for organisation in organisations}


def _show(story: Story, *, as_json: bool) -> None:
    rows, counts = story.tally.rows, story.tally.counts
    if as_json:
        print_json(
            {"rows": [_plain(row) for row in rows], "counts": counts, "expected": EXPECTED, "ok": counts == EXPECTED}
        )
        return
    print_table(
        (
            "document",
            "recipient",
            "how it was resolved",
            "mailbox",
            "state",
            "status",
            f"sent ({ZONE})",
            "received",
            "answered",
        ),
        [
            (
                row.document,
                row.recipient,
                row.resolved if row.receipt is None or not row.reason else f"{row.resolved or '–'} [{row.reason}]",
                row.mailbox,
                row.state,
                row.last_status.value if row.last_status else None,
                _clock(row.sent_at),
                _clock(row.received_at),
                _clock(row.last_at),
            )
            for row in rows
        ],
    )
    if counts != EXPECTED:
        say(f"expected: {EXPECTED}")
    say(str(counts))


def _clock(moment: dt.datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(VIETNAM_TIME):%H:%M:%S}"


def _plain(row: Row) -> dict[str, object]:
    return {
        "document": row.document,
        "envelope": row.envelope,
        "recipient": row.recipient,
        "resolved": row.resolved,
        "mailbox": row.mailbox,
        "state": row.state,
        "reason": row.reason,
        "statuses": sorted(row.statuses),
        "last_status": row.last_status,
        "sent_at": row.sent_at,
        "received_at": row.received_at,
        "last_status_at": row.last_at,
    }
