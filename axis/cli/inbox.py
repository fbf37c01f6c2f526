"""`axis inbox`: take what arrived for an agency."""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from axis.cli.answering import Answering
from axis.cli.console import JsonOption, in_words, local_time, print_json, say
from axis.cli.documents import lines_about
from axis.cli.moving import transfers_shown
from axis.cli.profiles import AsOption, ProfileOption, load_profile
from axis.client import Agency, AgencySettings, Delivery, Reported
from axis.errors import AxisError, Malformed, Refused
from axis.local.layout import write_private
from axis.signatures.verdict import Standing, Verdict
from schemas import Action, Attachment


def inbox(
    *,
    agency: AsOption,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Save each document in DIR/<envelope id>/ before it is taken.", show_default=False
        ),
    ] = None,
    package: Annotated[
        bool, typer.Option("--package", help="With --save: also the edXML package a document came as, byte for byte.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Also report 03, entered in the register, for each.")
    ] = False,
    signatures: Annotated[
        bool, typer.Option("--signatures", help="Also look at the signatures inside the PDFs: who, intact, trusted.")
    ] = False,
    agree: Annotated[
        bool,
        typer.Option(
            "--agree", help="Agree to recalls and updates; with --save delete what is recalled there, and prove it."
        ),
    ] = False,
    decline: Annotated[
        str | None, typer.Option(metavar="REASON", help="Decline recalls and updates.", show_default=False)
    ] = None,
    leave: Annotated[
        bool, typer.Option("--leave", help="Only look: nothing is taken or reported, all of it comes again.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="What an operator put into the replay queue, known or not, instead.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default=False)] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on waiting for more until Ctrl-C.")] = False,
    idle: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Without --follow: end when nothing comes for so long.")
    ] = 2.0,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the documents in an agency's mailbox.

    Urgent ones first: each is checked, printed, and reported as 01 (arrived). A document taken is not handed out
    again: use --save to keep it, or --leave to only look (at the first 64 of each lane; what cannot be verified is
    refused all the same). With --json and --follow each document is one line.

    A recall whose document was still in the mailbox is shown as withdrawn: it was answered by itself. One of a document
    that was taken is answered by --agree (15) or --decline (16). With --save DIR --agree the folder DIR/<envelope id>/
    of the recalled document is deleted, and what was in it is reported as destroyed.

    A sealed document is opened with the sealing keys in the profile's folder `sealing`. One that cannot be opened is
    said to be so, with the code and why; with --save or --accept it is left in the mailbox.

    With --signatures each file is said to be signed, not signed, broken, or not trusted: whose signatures count is in
    the profile's folder `trusted` (roots/*.pem, intermediates/*.pem), nobody's without one.

    With --replay what `axis replay` has put into the queue replay.CODE is handed out once more, in the order in which
    the axis accepted it, also what was taken before. Nothing is reported by that, unless --accept is given.

    For example:

      axis inbox --as H37

      axis inbox --as H37 --save received/ --accept

      axis inbox --as H37 --save received/ --agree

      axis inbox --as H37 --leave --json

      axis inbox --as H37 --follow --accept --save received/

      axis inbox --as H37 --replay --save again/

    Exit code 0, also when there was nothing; 1: sealed documents were left because they cannot be opened; 69:
    broker or gateway away.
    """
    if (accept or agree or decline is not None) and leave:
        raise typer.BadParameter("either --accept, --agree, --decline or --leave")
    if agree and decline is not None:
        raise typer.BadParameter("either --agree or --decline")
    settings = load_profile(agency, profile)
    if package and save is None:
        raise typer.BadParameter("--package needs --save")
    answering = Answering(agree=agree, decline=decline, saved_in=save)
    reading = _Reading(
        save=save,
        package=package,
        signatures=signatures,
        accept=accept,
        answering=answering,
        leave=leave,
        lines=as_json and follow,
        quiet=as_json,
    )
    try:
        asyncio.run(_read(settings, reading, idle=None if follow else idle, limit=limit, replay=replay))
    finally:
        if as_json and not follow:
            print_json({"agency": settings.code, "documents": reading.documents})
    if not as_json:
        count = len(reading.documents)
        say(f"{count or 'no'} document{'' if count == 1 else 's'}{' left in the mailbox' if leave else ''}")
    if reading.left_sealed:
        say(f"{reading.left_sealed} left in the mailbox, sealed: they cannot be opened here")
        raise typer.Exit(1)


class _Reading:
    """What is done with each document, and what was read."""

    def __init__(
        self,
        *,
        save: Path | None,
        package: bool,
        signatures: bool,
        accept: bool,
        answering: Answering,
        leave: bool,
        lines: bool,
        quiet: bool,
    ) -> None:
        self._save = save
        self._package = package
        self._signatures = signatures
        self._accept = accept
        self._answering = answering
        self._lines = lines
        self._quiet = quiet
        self.leave = leave
        self.documents: list[dict[str, Any]] = []
        self.left_sealed = 0

    async def document(self, delivery: Delivery) -> bool:
        """Keep a document, then take it, then tell; say whether it was left."""
        inside = await _look_inside(delivery)
        unopened = inside.error is not None and (self._save is not None or self._accept)
        self.left_sealed += unopened
        saved: list[Path] = []
        if self._save is not None and not unopened:
            saved = await _keep(delivery, self._save / delivery.envelope.id, package=self._package)
        reported: list[Reported] = []
        if not self.leave and not unopened:
            # A recall is no document that anybody enters in a register.
            if self._accept and delivery.envelope.action is not Action.RECALL:
                reported += await delivery.accept()
            reported += await self._answering.answer(delivery)
            await delivery.take()
        # Only now: looking takes its time, and what it fails of is not to keep a document from being kept.
        looked = await _look_at(delivery, inside) if self._signatures else None
        told = {
            "envelope": delivery.envelope.model_dump(mode="json", by_alias=True, exclude_none=True),
            "recipients": delivery.recipients,
            "signer": delivery.signer.organisation,
            "signer_role": delivery.signer.role,
            "sha256": delivery.sha256,
            "withdrawn": delivery.withdrawn,
            "replayed": None if delivery.replayed is None else dataclasses.asdict(delivery.replayed),
            "taken": delivery.taken,
            "reported": [each.code for each in reported],
            "saved": saved,
            "sealed": inside.plain(delivery),
        }
        if looked is not None:
            told["signatures"] = [{"file": name, **verdict.as_json()} for name, verdict in looked]
        self.documents.append(told)
        if self._lines:
            sys.stdout.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()
        elif not self._quiet:
            self._tell(delivery, inside, reported, saved, looked or ())
        return self.leave or unopened

    def _tell(
        self,
        delivery: Delivery,
        inside: "_Inside",
        reported: Sequence[Reported],
        saved: Sequence[Path],
        looked: Sequence[tuple[str, Verdict]],
    ) -> None:
        for label, value in lines_about(delivery.envelope, delivery.recipients, inside.files):
            say(f"{label:<9} {value}")
        if delivery.sealed:
            say(f"{'sealed':<9} {inside.told()}")
        if (again := delivery.replayed) is not None:
            known = "taken here before" if again.known else "not taken here before"
            say(f"{'replayed':<9} accepted {local_time(again.accepted_at)}, replay by {again.by or '–'}; {known}")
        if delivery.withdrawn:
            say(f"{'withdrawn':<9} the document was still in the mailbox, and is not handed out")
        signer = delivery.signer
        by = f"the gateway for {signer.organisation}" if signer.role == "gateway" else signer.organisation
        say(f"{'signed by':<9} {by}, verified")
        for name, verdict in looked:
            say(f"{'file':<9} {name}: {verdict.told()}")
        for path in saved:
            say(f"{'saved':<9} {path}")
        first = [] if delivery.replayed is not None else ["01"]
        codes = [*first, *(dict.fromkeys(each.code.value for each in reported))] if delivery.taken else []
        say(f"{'reported':<9} {', '.join(codes) or ('nothing' if delivery.taken else 'nothing: left in the mailbox')}")
        say("")


async def _read(
    settings: AgencySettings, reading: _Reading, *, idle: float | None, limit: int | None, replay: bool = False
) -> None:
    with transfers_shown() as moved:
        async with Agency.connect(settings, moved=moved) as agency:
            take = agency.replays if replay else agency.inbox
            deliveries = take(idle=idle, looking=reading.leave)
            async for delivery in deliveries:
                if await reading.document(delivery):
                    deliveries.leave()
                if limit is not None and len(reading.documents) >= limit:
                    break


@dataclass(frozen=True, slots=True)
class _Inside:
    """The files of a document, or why it cannot be opened."""

    files: tuple[Attachment, ...] = ()
    error: Refused | None = None

    def told(self) -> str:
        """Say it to people."""
        if self.error is None:
            return "opened with the sealing key of this agency"
        return f"not opened – {self.error}; {in_words(self.error.reason)[1]}"

    def plain(self, delivery: Delivery) -> dict[str, Any] | None:
        """Say it to machines; None for a document that is not sealed."""
        if not delivery.sealed:
            return None
        files = [each.model_dump(mode="json", exclude_none=True) for each in self.files]
        if self.error is None:
            return {"opened": True, "files": files}
        return {"opened": False, "code": self.error.code, "detail": self.error.detail}


async def _look_inside(delivery: Delivery) -> _Inside:
    try:
        return _Inside(await delivery.files())
    except Refused as error:
        return _Inside(error=error)


async def _look_at(delivery: Delivery, inside: _Inside) -> list[tuple[str, Verdict]]:
    if inside.error is not None:
        return [(each.name, Verdict(Standing.SEALED)) for each in delivery.envelope.attachments]
    try:
        return [(each.name, verdict) for each, verdict in await delivery.signatures()]
    except (AxisError, OSError) as error:
        return [(each.name, Verdict(Standing.NOT_LOOKED_AT, detail=str(error)[:300])) for each in inside.files]


async def _keep(delivery: Delivery, folder: Path, *, package: bool) -> list[Path]:
    """Save the signed bytes, the signature and the files; what is there with the same content is left."""
    attached = bool(delivery.envelope.attachments)
    files = await delivery.save_attachments(folder / "files", package=package) if attached else []
    kept = {folder / "envelope.json": delivery.body.decode(), folder / "envelope.jws": delivery.signature}
    await asyncio.to_thread(_write, kept)
    return [*kept, *files]


def _write(contents: Mapping[Path, str]) -> None:
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_private(path, content)
        elif path.read_text(encoding="utf-8") != content:
            raise Malformed(f"{path} is there already, and is another file", code="file/exists")
