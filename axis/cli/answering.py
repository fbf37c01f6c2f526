"""How `axis inbox` answers what is asked about documents that were taken."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from axis.client import Delivery, Reported
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
        reported = [*await delivery.agree()]
        if envelope.action is Action.RECALL and self.saved_in is not None:
            files = await asyncio.to_thread(_destroy, self.saved_in / envelope.concerns)
            if files is not None:
                reported += await delivery.destroyed(files=files)
        return reported


def _destroy(folder: Path) -> list[str] | None:
    """Delete a document that was saved; return the SHA-256 of the files it came with, None when it is not there.

    The envelope that names them goes last: after a crash in between it is all done again.
    """
    envelope = folder / "envelope.json"
    if folder.is_symlink() or not envelope.is_file():
        return None
    said = json.loads(envelope.read_bytes())
    files = [each["sha256"] for each in said.get("attachments", [])]
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each != envelope:
            each.unlink()
    envelope.unlink()
    folder.rmdir()
    return files
