"""What is said of documents that cannot be opened yet: a report for each in `aside/` of the folder for what arrives.

The document itself is in the SDK's ledger (axis.client.deferring). A report is written before that and removed when the
document is in the folder, so that after a crash there may be one too many, never one too few: `tidy` removes it.
"""

import datetime as dt
from collections.abc import Collection
from pathlib import Path

from axis.errors import AxisError
from axis.folder import disk, reports
from axis.folder.names import document_name
from axis.folder.reports import Refusal
from schemas import Envelope

FOLDER = "aside"
_ENDS = (".report.txt", ".report.json")  # the JSON last: who finds it finds both


class Aside:
    """Blocking: called in a thread. Raises OSError when the folder does not take it."""

    def __init__(self, incoming: Path) -> None:
        self._folder = incoming / FOLDER

    def report(self, envelope: Envelope, error: AxisError, at: dt.datetime) -> str:
        """Say beside what is needed why a document is not there, and what to do; return the report's name."""
        self._folder.mkdir(exist_ok=True)
        name = document_name(envelope)
        refusal = Refusal.of_error(error)
        written = (reports.aside_text(refusal, name, envelope, at), reports.aside_json(refusal, name, envelope, at))
        for end, content in zip(_ENDS, written, strict=True):
            disk.write_whole(self._folder / f"{name}{end}", content)
        return f"{name}{_ENDS[0]}"

    def remove(self, envelope_id: str) -> None:
        """Take the report of a document away."""
        for end in _ENDS:
            for path in list(self._folder.glob(f"*{envelope_id}.edxml{end}")):
                disk.remove(path)

    def tidy(self, still: Collection[str]) -> None:
        """Take away the reports of all documents but those that are still set aside."""
        for end in _ENDS:
            for path in list(self._folder.glob(f"*.edxml{end}")):
                if not any(each in path.name for each in still):
                    disk.remove(path)
