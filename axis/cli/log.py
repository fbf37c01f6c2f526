"""`axis log`: whether the log of receipts has only grown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from axis.blobs import LOG_FOLDER, Objects
from axis.cli.console import JsonOption, local_time, print_json, say
from axis.cli.profiles import ProfileOption, load_profile
from axis.cli.trusting import AgencyOption, LogKeyOption, RootOption, log_keys, read_bytes
from axis.cli.writing import write_file
from axis.client.logs import FolderSource, HttpSource
from axis.client.settings import LOG_KEYS
from axis.errors import NotFound
from axis.proving import Checkpoint, LogReader, NoteKey, NoteSigner, Source, read_checkpoint, verify_consistency
from axis.proving.tiles import timestamp_name
from axis.proving.timestamps import read_roots, verify_timestamp
from axis.settings import Settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The log of receipts: only ever longer.")

_FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="WHERE",
        help="A folder with the log's files, or its address (https://…/log); default: the gateway of --as, else the "
        "axis on this machine.",
        show_default=False,
    ),
]


@app.callback()
def _group() -> None:
    """The log of receipts: only ever longer, and everybody is shown the same.

    Keep a checkpoint now and then. Whoever has one can prove later that nothing before it was changed.
    """


@app.command()
def checkpoint(
    *,
    where: _FromOption = None,
    agency: AgencyOption = None,
    profile: ProfileOption = None,
    log_key: LogKeyOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Keep it in a file.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch the newest checkpoint, check who signed it, and print it.

    For example:

      axis log checkpoint --as G22 --out 2026-11-29.checkpoint

    Exit code 65: signed by no key you trust; 66: there is no log yet; 69: away.
    """
    keys = log_keys(log_key, agency, profile)
    note, found = asyncio.run(_newest(where, agency, profile, keys))
    if out is not None:
        write_file(out, note)
    if as_json:
        print_json({**_plain(found), "note": note, "file": out})
    else:
        say(note.rstrip("\n") if out is None else f"{out}: {found.origin}, {found.size} entries")


@app.command()
def check(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A checkpoint kept earlier.", show_default=False)],
    new: Annotated[
        Path | None, typer.Argument(metavar="NEW", help="A later one; default: the newest.", show_default=False)
    ] = None,
    *,
    where: _FromOption = None,
    agency: AgencyOption = None,
    profile: ProfileOption = None,
    log_key: LogKeyOption = None,
    tsa_root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove from the log's files that it has only grown between two checkpoints.

    Both signatures are checked. With --tsa-root the timestamp of the later one is, too.

    For example:

      axis log check 2026-11-29.checkpoint --as G22

      axis log check a.checkpoint b.checkpoint --from mirror/log --log-key log.vkey

    Exit code 0: it has; 65: it was changed (keep both files: they prove it), or a checkpoint is signed by no key you
    trust; 66: a file is missing; 69: away.
    """
    keys = log_keys(log_key, agency, profile)
    before, after = _read(old, keys), None if new is None else _read(new, keys)
    roots = None if tsa_root is None else read_roots(read_bytes(tsa_root))
    after, stamped_at = asyncio.run(_compare(before, after, _Place(where, agency, profile), keys, roots))
    if as_json:
        print_json({"old": _plain(before), "new": _plain(after), "stamped_at": stamped_at})
        return
    say(f"“{after.origin}” has only grown: {before.size} entries are the first of {after.size}")
    if stamped_at is not None:
        say(f"a timestamp authority saw the later checkpoint at {local_time(stamped_at)}")


@app.command()
def keys(
    *,
    write: Annotated[bool, typer.Option("--write", help=f"Write them to {LOG_KEYS} beside the keys.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the public keys of this axis's log, to be given to agencies and auditors.

    For example:

      axis log keys

    Exit code 78 when there is no key.
    """
    settings = Settings.load()
    found = [str(signer.public) for signer in NoteSigner.load_all(settings.axis_key, settings.log_origin)]
    if write:
        write_file(settings.axis_key / LOG_KEYS, "".join(f"{key}\n" for key in found))
    if as_json:
        print_json({"keys": found})
    else:
        for key in found:
            say(key)


def _plain(found: Checkpoint) -> dict[str, Any]:
    return {"origin": found.origin, "size": found.size, "root": found.root}


def _read(path: Path, known: list[NoteKey]) -> Checkpoint:
    if not path.is_file():
        raise NotFound(f"no such file: {path}", code="file/not-found")
    return read_checkpoint(path.read_text(encoding="utf-8", errors="replace"), known)


class _Place:
    """Where the log's files are, as the options say."""

    def __init__(self, where: str | None, agency: str | None, profile: Path | None) -> None:
        self._where = where
        self._agency = agency
        self._profile = profile

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Source]:
        """Open them for as long as the block lasts."""
        where = self._where
        if where is None and self._agency is not None:
            settings = load_profile(self._agency, self._profile)
            verify = settings.tls.context() if settings.gateway_url.startswith("https:") else True
            async with HttpSource(f"{settings.gateway_url.rstrip('/')}/log", verify=verify) as source:
                yield source
        elif where is None:
            yield Objects.open(Settings.load().blobs, LOG_FOLDER)
        elif where.startswith(("http://", "https://")):
            async with HttpSource(where) as source:
                yield source
        else:
            yield _folder(Path(where))


def _folder(path: Path) -> FolderSource:
    if not path.is_dir():
        raise NotFound(f"no such folder: {path}", code="file/not-found")
    return FolderSource(path)


async def _newest(
    where: str | None, agency: str | None, profile: Path | None, known: list[NoteKey]
) -> tuple[str, Checkpoint]:
    async with _Place(where, agency, profile).opened() as source:
        note = await LogReader(source).checkpoint()
    if note is None:
        raise NotFound("there is no log yet", code="log/not-found")
    return note, read_checkpoint(note, known)


async def _compare(
    before: Checkpoint, after: Checkpoint | None, place: _Place, known: list[NoteKey], roots: Any
) -> tuple[Checkpoint, Any]:
    async with place.opened() as source:
        reader = LogReader(source)
        if after is None:
            note = await reader.checkpoint()
            if note is None:
                raise NotFound("there is no log yet", code="log/not-found")
            after = read_checkpoint(note, known)
        shown = await reader.consistency(before.size, after.size) if before.size <= after.size else []
        verify_consistency(before.size, before.root, after.size, after.root, shown)
        if roots is None:
            return after, None
        stamp = await source.get(timestamp_name(after.size))
    if stamp is None:
        raise NotFound(f"there is no timestamp of the checkpoint of {after.size} entries", code="log/not-found")
    return after, verify_timestamp(stamp, after, roots)
