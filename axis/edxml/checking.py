"""Check a package, and list everything that is wrong with it at once: the report that goes back to its builder."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import BinaryIO, Protocol

from axis.core.codes import canonical
from axis.core.secrecy import refuse_declared, refuse_marked
from axis.edxml.convert import to_envelope, to_status
from axis.edxml.deviations import DEVIATIONS, Deviation
from axis.edxml.document import read_document
from axis.edxml.errors import EdxmlError
from axis.edxml.limits import DEFAULT_LIMITS, Limits
from axis.edxml.model import EdxmlDocument, EdxmlStatus, SignatureState
from axis.edxml.package import Package, open_package
from axis.edxml.rules import Breach, breaches, unroutable
from axis.edxml.status import is_status, read_status
from axis.edxml.tree import Report as Notes
from axis.edxml.tree import parse_tree
from axis.errors import Refused
from schemas.envelope import Action
from schemas.reasons import REASONS

_MAX_FINDINGS = 500
# Ids and a time to try with whether an envelope or status can be made of the package; they go nowhere.
_ID = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"
_CONCERNED = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e12"
_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Profile(StrEnum):
    """How much is asked of a partner's packages."""

    LENIENT = "lenient"  # an error is what cannot be routed, no more
    STRICT = "strict"  # also whatever departs from the format in a way that a strict reader refuses


class Severity(StrEnum):
    """Whether the package is refused for it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a stable code, where (path, 1-based line and column), in words, and what exactly."""

    code: str
    path: str | None
    line: int | None
    column: int | None
    severity: Severity
    message: str
    message_vi: str
    detail: str

    def as_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "code": self.code,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "severity": self.severity.value,
            "message": {"vi": self.message_vi, "en": self.message},
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one package, in the order of its lines; `left_out` counts those over the first 500.

    `package`: `document`, `status`, or None where it is neither.
    """

    profile: Profile
    package: str | None
    findings: tuple[Finding, ...] = ()
    left_out: int = 0

    @property
    def ok(self) -> bool:
        """Whether the package is taken under this profile."""
        return self.left_out == 0 and all(each.severity is not Severity.ERROR for each in self.findings)

    def as_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "ok": self.ok,
            "profile": self.profile.value,
            "package": self.package,
            "findings": [each.as_json() for each in self.findings],
            "left_out": self.left_out,
        }


class Verified(Protocol):
    """What became of a package's XML signature (`axis.signatures.xml.XmlSignature`)."""

    @property
    def reason(self) -> str | None:
        """A code of DEVIATIONS for anything but a valid one."""
        ...

    @property
    def detail(self) -> str:
        """What exactly."""
        ...


def check(
    source: bytes | BinaryIO,
    profile: Profile = Profile.LENIENT,
    *,
    limits: Limits = DEFAULT_LIMITS,
    verify: Callable[[bytes | BinaryIO], Verified] | None = None,
) -> Report:
    """Check a document or status package; never raises for what is in it.

    `verify` verifies its XML signature where it has a real one (`axis.signatures.xml`); a file is then read twice.

    Raises:
        OSError: when the file itself cannot be read.
    """
    notes = Notes()
    try:
        package = open_package(parse_tree(source, limits, notes), notes)
    except EdxmlError as error:
        return _report(profile, None, [_of_error(error), *_of_notes(notes, profile)])
    kind = "status" if is_status(package) else "document"
    findings = [_of_breach(breach) for breach in unroutable(package, kind)]
    if profile is Profile.STRICT:
        findings += map(_of_breach, breaches(package, kind))
    routable = not any(each.severity is Severity.ERROR and "/" in each.code for each in findings)
    said = _read(package, kind, limits)
    findings += _of_reading(said, routable=routable)
    if isinstance(said, EdxmlDocument) and said.signature is SignatureState.PRESENT:
        findings += _of_signature(package, None if verify is None else verify(source), profile)
    findings += _of_notes(notes, profile)
    return _report(profile, kind, findings)


def _read(package: Package, kind: str, limits: Limits) -> EdxmlDocument | EdxmlStatus | EdxmlError:
    try:
        return read_status(package) if kind == "status" else read_document(package, limits)
    except EdxmlError as error:
        return error


def _of_signature(package: Package, verified: Verified | None, profile: Profile) -> Iterator[Finding]:
    node = package.take_signatures()[0]
    reason = "signature-not-verified" if verified is None else verified.reason
    if reason is not None:
        told = "" if verified is None else verified.detail
        yield _of_deviation(Deviation(reason, told, node.line, node.column, node.path), profile)


def _of_reading(said: EdxmlDocument | EdxmlStatus | EdxmlError, *, routable: bool) -> Iterator[Finding]:
    if isinstance(said, EdxmlError):
        if routable or said.code != "edxml/missing-field":
            yield _of_error(said)
        return
    try:
        refuse_declared((extra.path.rpartition("/")[2], extra.text) for extra in said.extras)
        if routable:
            _try(said)
    except EdxmlError as error:
        yield _of_error(error)
    except Refused as refusal:
        reason = refusal.reason
        yield Finding(refusal.code, None, None, None, Severity.ERROR, reason.title, reason.title_vi, refusal.detail)


def _try(package: EdxmlDocument | EdxmlStatus) -> None:
    """Make of the package what is made of it on its way; raise what would be raised then."""
    to_canonical = partial(canonical, tolerant=True)
    if isinstance(package, EdxmlDocument):
        concerns = None if package.action is Action.NEW else _CONCERNED
        refuse_marked(to_envelope(package, id=_ID, sent_at=_AT, to_canonical=to_canonical, concerns=concerns))
    elif package.meaning is not None:  # others are kept and shown as unknown
        to_status(package, id=_ID, envelope=_CONCERNED, to_canonical=to_canonical, at=_AT)


def _report(profile: Profile, kind: str | None, findings: list[Finding]) -> Report:
    errors_first = sorted(findings, key=lambda each: each.severity is not Severity.ERROR)
    kept = dict.fromkeys(errors_first[:_MAX_FINDINGS])
    by_place = sorted(kept, key=lambda each: (each.line or 0, each.column or 0))
    return Report(profile, kind, tuple(by_place), len(findings) - len(errors_first[:_MAX_FINDINGS]))


def _of_error(error: EdxmlError) -> Finding:
    reason = error.reason
    return Finding(
        error.code, error.path, error.line, error.column, Severity.ERROR, reason.title, reason.title_vi, error.detail
    )


def _of_breach(breach: Breach) -> Finding:
    node = breach.node
    path = f"{node.path}/{breach.below}" if breach.below else node.path
    if breach.code in REASONS:
        title, title_vi = REASONS[breach.code].title, REASONS[breach.code].title_vi
    else:
        title, title_vi = DEVIATIONS[breach.code].title, DEVIATIONS[breach.code].title_vi
    return Finding(breach.code, path, node.line, node.column, Severity.ERROR, title, title_vi, breach.detail)


def _of_notes(notes: Notes, profile: Profile) -> Iterator[Finding]:
    for note in notes.deviations:
        yield _of_deviation(note, profile)


def _of_deviation(note: Deviation, profile: Profile) -> Finding:
    kind = DEVIATIONS[note.code]
    severity = Severity.ERROR if kind.strict and profile is Profile.STRICT else Severity.WARNING
    return Finding(note.code, note.path, note.line, note.column, severity, kind.title, kind.title_vi, note.message)
