"""`axis folder`: send and receive by way of two folders."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from axis.catalogue import load as load_catalogue
from axis.cli.console import ZONE, say, utc_time
from axis.cli.moments import now
from axis.cli.profiles import AsOption, ProfileOption, load_profile
from axis.cli.send import NOT_KNOWN_YET, PARTLY
from axis.client import AgencySettings
from axis.edxml import VIETNAM_TIME, CodeForm, Profile, naming_from
from axis.folder import Event, Options, Watcher, What
from axis.folder.reports import shown

_REFUSALS = (What.REFUSED, What.PARTLY, What.RETURNED, What.ASIDE)


def folder(
    *,
    agency: AsOption,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="Where your system puts packages to be sent.", show_default=False),
    ],
    incoming: Annotated[
        Path, typer.Option("--in", metavar="DIR", help="Where your system finds what arrives.", show_default=False)
    ],
    once: Annotated[bool, typer.Option("--once", help="Do what is there, and end: for cron.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="With --once: how long to wait for receipts.")
    ] = 30.0,
    idle: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="With --once: nothing came for so long, so that was all.")
    ] = 2.0,
    quiet: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="A file that did not change for so long is written.")
    ] = 2.0,
    patience: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="One that is not whole is refused after so long.")
    ] = 30.0,
    poll: Annotated[float, typer.Option(min=0.05, metavar="SECONDS", help="From look to look.")] = 1.0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse packages that depart from the format in any way.")
    ] = False,
    codes: Annotated[
        CodeForm, typer.Option(help="How codes are written in what arrives: 000.00.05.H37, or H37.05.")
    ] = CodeForm.QCVN102,
    refusals: Annotated[
        bool, typer.Option("--refusals", help="Also write a status 02 for each recipient that the axis has refused.")
    ] = False,
    profile: ProfileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line for machines.")] = False,
) -> None:
    """Send and receive by way of two folders, for document systems that can only write and read files.

    Finished .edxml files in --out (documents, recalls, updates, replacements, statuses) are sent. They end in
    sent/ with the receipt beside them, or in refused/ with the reason; what waits for its receipt is in sending/.
    Names that begin with a dot or end in .tmp, .part or ~ are never touched: write under such a name, then rename.

    What arrives is written to --in as .edxml, whole at once, before it is reported as arrived (01); then it is your
    system's, which takes the file away. Statuses of what was sent arrive the same way.

    Both folders have to exist. One watcher holds them, and one each agency. It may be killed at any time: nothing is
    lost, and nothing is sent or written twice.

    For example:

      axis folder --as G12 --out /srv/qlvb/di --in /srv/qlvb/den

      axis folder --as G12 --out di --in den --json >> folder.log

      */5 * * * * axis folder --as G12 --out di --in den --once

    Exit code 0: done, or ended by SIGTERM; with --once also 1: something was refused, or cannot be opened; 75:
    something still waits in sending/; 66: no such folder; 69: broker away, or somebody else holds a folder; 78: the
    folders cannot be used; 130: Ctrl-C.
    """
    settings = load_profile(agency, profile)
    names = {each.code: each.name for each in load_catalogue()}
    options = Options(
        out=out,
        incoming=incoming,
        naming=naming_from(names, form=codes),
        profile=Profile.STRICT if strict else Profile.LENIENT,
        quiet=quiet,
        patience=patience,
        poll=poll,
        refusals=refusals,
    )
    watching = _Watching(settings, options, as_json=as_json)
    ended = asyncio.run(watching.run((wait, idle) if once else None))
    raise typer.Exit(ended)


class _Watching:
    """One run, as it is told, and how it ends."""

    def __init__(self, settings: AgencySettings, options: Options, *, as_json: bool) -> None:
        self._settings = settings
        self._options = options
        self._as_json = as_json
        self._signal: signal.Signals | None = None

    async def run(self, once: tuple[float, float] | None) -> int:
        """Watch until a signal, or once (seconds for receipts, seconds without anything); return the exit code."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def stop(received: signal.Signals) -> None:
            self._signal = received
            if task is not None:
                task.cancel()

        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, stop, each)
        watcher: Watcher | None = None
        try:
            async with Watcher.open(self._settings, self._options, self._tell) as watcher:
                self._begin()
                if once is None:
                    await watcher.run()
                else:
                    await watcher.run_once(wait=once[0], idle=once[1])
        except asyncio.CancelledError:
            if self._signal is None:
                raise
        if watcher is not None:
            self._summary(watcher)
        if self._signal is not None:
            return 128 + signal.SIGINT if self._signal is signal.SIGINT else 0
        return _exit_code(watcher)

    def _begin(self) -> None:
        if not self._as_json:
            say(f"{self._settings.code}: {self._options.out} is sent, {self._options.incoming} is filled")
            say(f"times are Vietnam's ({ZONE})")

    def _tell(self, event: Event) -> None:
        name, detail = (None if each is None else shown(each) for each in (event.file, event.detail))
        if self._as_json:
            told = {"envelope": event.envelope, "code": event.code, "detail": detail}
            self._line({"at": utc_time(now()), "event": event.what.value, "file": name, **told})
            return
        parts = [f"{now().astimezone(VIETNAM_TIME):%H:%M:%S} {event.what.value:<11}", name, event.envelope]
        say("  ".join(part for part in [*parts, event.code, detail] if part).rstrip())

    def _summary(self, watcher: Watcher) -> None:
        counts = {what.value: watcher.tell.counts[what] for what in What if watcher.tell.counts[what]}
        if self._as_json:
            waiting = {"sending": watcher.sending, "aside": watcher.aside}
            self._line({"at": utc_time(now()), "event": "summary", "counts": counts, **waiting})
        else:
            told = ", ".join(f"{count} {what}" for what, count in counts.items()) or "nothing"
            say(f"{told}; {watcher.sending} in sending/")

    @staticmethod
    def _line(value: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _exit_code(watcher: Watcher | None) -> int:
    if watcher is None:
        return 0
    if any(watcher.tell.counts[each] for each in _REFUSALS):
        return PARTLY
    return NOT_KNOWN_YET if watcher.sending or watcher.tell.troubled else 0
