"""One package on its way out: what it is, and what is known of it before anything is sent."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from axis.client.package import acted_on
from axis.client.papers import spelled
from axis.edxml import EdxmlDocument, EdxmlStatus, Profile, Report, check, read
from axis.errors import AxisError, Malformed
from axis.folder import disk
from schemas import Action

_URGENT = 1  # edXML priorities: 0 is normal


class Parcel(BaseModel):
    """What stands beside a file in `sending/` (NAME.json), written before anything of it is sent.

    `envelope` is the id that it goes under, whatever happens from here on; a status has an id for each recipient that
    it speaks for, made by the SDK of its content. `repeats` names the file that the same content came as before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["axis.folder-parcel/1"] = Field("axis.folder-parcel/1", alias="schema")
    kind: Literal["document", "status"]
    sha256: str
    document_id: str
    action: Action = Action.NEW
    acts_on: str | None = None
    urgent: bool = False
    envelope: str | None = None
    repeats: str | None = None
    picked_up_at: dt.datetime

    def write(self, path: Path) -> None:
        """Write it in one step; raise OSError."""
        disk.write_whole(path, self.model_dump_json(by_alias=True, exclude_none=True, indent=2).encode() + b"\n")

    @classmethod
    def load(cls, path: Path) -> "Parcel | None":
        """Read it; None where there is none, or nothing to be understood (a hand may have been at it)."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a look into a package has found: a parcel without envelope, or what is wrong."""

    report: Report
    parcel: Parcel | None = None
    error: AxisError | None = None


def inspect(path: Path, profile: Profile, at: dt.datetime) -> Inspected:
    """Check a package and read what it is; raise Malformed `file/unreadable` when its bytes cannot be had."""
    try:
        with path.open("rb") as file:
            counted = Counted(file)
            report = check(cast("BinaryIO", counted), profile)
            if not report.ok:
                return Inspected(report)
            file.seek(0)
            package = read(file)
            digest = counted.digest.hexdigest()
    except OSError as error:
        raise Malformed(f"{path.name}: {error.strerror}", code="file/unreadable") from error
    except AxisError as error:
        return Inspected(report, error=error)
    try:
        return Inspected(report, _parcel(package, digest, at))
    except AxisError as error:
        return Inspected(report, error=error)


def _parcel(package: EdxmlDocument | EdxmlStatus, sha256: str, at: dt.datetime) -> Parcel:
    if isinstance(package, EdxmlStatus):
        about = package.response.document_id
        return Parcel(kind="status", sha256=sha256, document_id=about.text if about else "", picked_up_at=at)
    acts_on = acted_on(package)
    return Parcel(
        kind="document",
        sha256=sha256,
        document_id=spelled(package.document_id.text),
        action=package.action,
        acts_on=acts_on and spelled(acts_on),
        urgent=(package.other.priority or 0) >= _URGENT,
        picked_up_at=at,
    )


class Counted:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece
