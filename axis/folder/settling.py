"""The end of a package on its way out: into `sent/` or `refused/`, with what is said of it beside it.

1 beside      the receipt or report is written in its place   crash: written again, the same
2 moved       the file is moved out of sending/               crash: 1 again, and there is nothing left to move
3 forgotten   (refused) its content may be tried again        crash: again
4 finished    its sidecar is removed                          before this it is looked at again at every start
"""

import datetime as dt
from pathlib import Path

from axis.folder import disk, reports
from axis.folder.parcel import Parcel
from axis.folder.places import Out
from axis.folder.register import Register
from axis.folder.reports import Refusal
from schemas import Outcome, Receipt


class Settling:
    """Blocking: called in a thread. Raises OSError when a folder is in the way; then the same is to be done again."""

    def __init__(self, out: Out, register: Register) -> None:
        self._out = out
        self._register = register

    def sidecar(self, name: str) -> Path:
        """Return where it is said under which envelope a file goes."""
        return self._out.sending / f"{name}.json"

    def begin(self, name: str) -> None:
        """Take away what was said of a file of this name that is tried again."""
        for suffix in ("report.json", "report.txt"):
            disk.remove(self._out.refused / f"{name}.{suffix}")

    def accept(self, name: str, parcel: Parcel, receipt: Receipt | None) -> None:
        """Put a document away that the axis has taken, for every recipient or for some.

        Without a receipt: it repeats one of long ago, whose receipt the ledger does not have any more.
        """
        outcome = None if receipt is None else receipt.outcome.value
        said = {
            "sha256": parcel.sha256,
            "envelope": parcel.envelope,
            "outcome": outcome,
            "repeats": parcel.repeats,
        }
        self._beside(
            self._out.sent / f"{name}.receipt",
            reports.receipt_json(receipt, name, said),
            reports.receipt_text(receipt, name, parcel.envelope or "", repeats=parcel.repeats),
        )
        self._finish(name, self._out.sent)

    def hand_over(self, name: str, parcel: Parcel, statuses: list[str], at: dt.datetime) -> None:
        """Put a status package away that the broker has confirmed."""
        said = {"sha256": parcel.sha256, "statuses": statuses, "handed_over_at": at.isoformat()}
        self._beside(
            self._out.sent / f"{name}.receipt",
            reports.receipt_json(None, name, said),
            reports.handed_text(name, at, count=len(statuses)),
        )
        self._finish(name, self._out.sent)

    def refuse(self, name: str, parcel: Parcel | None, refusal: Refusal, at: dt.datetime) -> None:
        """Put a package away that was not sent, or of which nothing was taken."""
        self._report(name, refusal, at)
        if disk.regular(self._out.sending / name) is not None:
            disk.move(self._out.sending / name, self._out.refused / name)
        if parcel is not None and parcel.envelope is not None:
            self._register.release(parcel.sha256, parcel.envelope)
        disk.remove(self.sidecar(name))

    def refuse_late(self, name: str, refusal: Refusal, at: dt.datetime) -> None:
        """Move a status package on that was handed over and refused afterwards."""
        self._report(name, refusal, at)
        if disk.regular(self._out.sent / name) is not None:
            disk.move(self._out.sent / name, self._out.refused / name)
        for suffix in ("receipt.json", "receipt.txt"):
            disk.remove(self._out.sent / f"{name}.{suffix}")

    def settle(self, name: str, parcel: Parcel, receipt: Receipt) -> None:
        """Put a document away as its receipt says."""
        if receipt.outcome is Outcome.REFUSED:
            self.refuse(name, parcel, Refusal.of_receipt(receipt), receipt.at)
        else:
            self.accept(name, parcel, receipt)

    def complete(self, name: str, parcel: Parcel) -> bool:
        """Do what is left of a settlement that a crash has broken off; say whether the file was moved already."""
        if disk.regular(self._out.sending / name) is not None:
            return False
        if disk.regular(self._out.refused / name) is not None:
            self.forget(name, parcel)
            return True
        if disk.regular(self._out.sent / name) is not None:
            disk.remove(self.sidecar(name))
            return True
        return False

    def forget(self, name: str, parcel: Parcel) -> None:
        """Let go of a package that was taken away before anything was sent."""
        if parcel.envelope is not None:
            self._register.release(parcel.sha256, parcel.envelope)
        disk.remove(self.sidecar(name))

    def _report(self, name: str, refusal: Refusal, at: dt.datetime) -> None:
        self._beside(
            self._out.refused / f"{name}.report",
            reports.refusal_json(refusal, name, at),
            reports.refusal_text(refusal, name, at),
        )

    def _finish(self, name: str, target: Path) -> None:
        if disk.regular(self._out.sending / name) is not None:
            disk.move(self._out.sending / name, target / name)
        disk.remove(self.sidecar(name))

    @staticmethod
    def _beside(stem: Path, for_machines: bytes, for_people: bytes) -> None:
        # The text first: who finds the JSON finds both.
        disk.write_whole(stem.with_name(f"{stem.name}.txt"), for_people)
        disk.write_whole(stem.with_name(f"{stem.name}.json"), for_machines)
