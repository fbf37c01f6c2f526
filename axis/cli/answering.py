"""How `axis inbox` answers what is asked about documents that were taken."""

import asyncio
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from axis.client import Delivery, Reported
from axis.local.layout import write_private
from schemas import Action


@dataclass(frozen=True, slots=True)
class Answering:
    """Agree or decline; `saved_in`: where documents were saved, each in a folder named by its envelope."""

    agree: bool
    decline: str | None
    saved_in: Path | None

    async def answer(self, delivery: Delivery) -> list[Reported]:
        """Answer a recall, an update or a replacement; what is no such thing, or was withdrawn, needs no answer."""
        envelope = delivery.envelope
        if envelope.concerns is None or delivery.withdrawn:
            return []
        if self.decline is not None:
            return [*await delivery.decline(self.decline)]
        if not self.agree:
            return []
        if envelope.action is not Action.RECALL or self.saved_in is None:
            return [*await delivery.agree()]
        folder = self.saved_in / envelope.concerns
        files = await asyncio.to_thread(_destroy, folder)
        if files is None:
            return [*await delivery.agree()]
        proved = await delivery.destroyed(files=files)  # only this takes the recall: until then it comes again
        await asyncio.to_thread(_marker(folder).unlink, missing_ok=True)
        return [*await delivery.agree(), *proved]  # the 15 that went out with the proof


def _destroy(folder: Path) -> list[str] | None:
    """Delete a document that was saved; return the SHA-256 of the files it came with, None when it is not there.

    A crash or an error in between leaves the recall untaken, so it is all done again. What the files were is then known
    from the envelope, which goes last, or from the marker beside the folder, which stays until the proof is reported.
    """
    envelope, marker = folder / "envelope.json", _marker(folder)
    if folder.is_symlink():
        return None
    if envelope.is_file():
        said = json.loads(envelope.read_bytes())
        write_private(marker, json.dumps([each["sha256"] for each in said.get("attachments", [])]))
        with marker.open("r+b") as written:
            os.fsync(written.fileno())
    elif not marker.is_file():
        return None
    if folder.is_dir():
        _delete(folder, last=envelope)
    return [str(each) for each in json.loads(marker.read_bytes())]


def _marker(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.destroyed")


def _delete(folder: Path, *, last: Path) -> None:
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each != last:
            each.unlink()
    last.unlink(missing_ok=True)
    folder.rmdir()
