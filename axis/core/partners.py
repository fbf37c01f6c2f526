"""Existing document systems that are served over HTTP as they are: who they are, and how far each package is.

A partner (a system, `00.37.W00`) fetches and sends for the codes it serves. Each of these stands at or below an agency,
the mailbox that the desk of the gateway reads and signs for.

The transport plane of one package, as the partner sees it; `MOVES` is the whole of it:

    initial ──▶ processing ──▶ done        done: the document system has it; only now is 01 reported to its sender
       │ └────────────────────▶ ▲
       └─▶ fail ◀── processing  │          fail: it leaves the list, operators see it, and it may be asked for again
             └──────────────────┘

It is apart from the business statuses (01 to 06, 13, 15, 16): those are packages of their own (domain: “two planes”).
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from axis.core.codes import lineage

SYSTEM_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # 00.37.W00, vxp.saas.03; also a file's name


class Profile(StrEnum):
    """Which HTTP interface a partner speaks."""

    VXP = "vxp"  # the adapter of the national axis
    LGSP = "lgsp"  # the REST interface of a provincial integration platform


class CodeForm(StrEnum):
    """In which form codes are written for a partner; both are read."""

    QCVN102 = "qcvn102"  # 000.00.05.H37
    QD20 = "qd20"  # H37.05


class Kind(StrEnum):
    """What a package is (`messagetype`)."""

    EDOC = "edoc"
    STATUS = "status"


class Plane(StrEnum):
    """How far the transport of a package is."""

    INITIAL = "initial"
    PROCESSING = "processing"
    DONE = "done"
    FAIL = "fail"


# What a partner may say of a package next, besides what it said last.
MOVES: Mapping[Plane, frozenset[Plane]] = MappingProxyType(
    {
        Plane.INITIAL: frozenset({Plane.PROCESSING, Plane.DONE, Plane.FAIL}),
        Plane.PROCESSING: frozenset({Plane.DONE, Plane.FAIL}),
        Plane.FAIL: frozenset({Plane.PROCESSING, Plane.DONE}),
        Plane.DONE: frozenset(),
    }
)
# What is listed when no state is asked for.
WAITING = frozenset({Plane.INITIAL, Plane.PROCESSING})


def before(state: Plane) -> frozenset[Plane]:
    """Return the states in which `state` may be said: again what was said is always right."""
    return frozenset({state, *(each for each, following in MOVES.items() if state in following)})


@dataclass(frozen=True, slots=True)
class Partner:
    """One system. `codes`: what it serves -> the agency whose mailbox that is; `clock_minutes` None: not looked at."""

    system_id: str
    profile: Profile
    codes: Mapping[str, str]
    added_at: dt.datetime
    strict: bool = False
    code_form: CodeForm = CodeForm.QCVN102
    clock_minutes: int | None = None
    ended_at: dt.datetime | None = None

    @property
    def agencies(self) -> frozenset[str]:
        """The mailboxes that are read for it."""
        return frozenset(self.codes.values())

    def agency_of(self, code: str) -> str | None:
        """Return through which agency it speaks for a code; None when it does not serve the code."""
        return next((self.codes[above] for above in lineage(code) if above in self.codes), None)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A package that lies ready for a partner.

    `message_id` is the envelope or the status it is of. The bytes of a status are `content`; those of a document are
    the blob `sha256`. Withdrawn: its sender had it back before the partner took it; it is not handed out any more.
    """

    doc_id: str
    system_id: str
    agency: str
    message_id: str
    kind: Kind
    sender: str
    recipients: tuple[str, ...]
    document_id: str
    subject: str
    notation: str
    sha256: str
    size: int
    created_at: dt.datetime
    updated_at: dt.datetime
    content: bytes | None = field(default=None, repr=False)
    state: Plane = Plane.INITIAL
    description: str = ""
    withdrawn_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document for one recipient, as last heard: `text` is for people, `code` a status or a reason."""

    state: Plane
    code: str
    text: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A package that a partner has sent. `key` says that two are the same; `message_id` is what the axis knows it as.

    initial: not handed over yet; processing: handed over, without the axis's receipt; done, fail: what that says.
    """

    doc_id: str
    key: bytes
    system_id: str
    agency: str
    kind: Kind
    sender: str
    recipients: tuple[str, ...]
    document_id: str
    subject: str
    notation: str
    message_id: str
    created_at: dt.datetime
    state: Plane = Plane.INITIAL
    description: str = ""
    submitted_at: dt.datetime | None = None
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Application:
    """A partner's wish to have a code added or removed, kept for an operator. `fingerprint`: of the request itself."""

    id: str
    system_id: str
    wish: str  # register or delete
    code: str
    detail: Mapping[str, str]
    fingerprint: bytes
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which packages are listed: a page of at most `size`, from the `page`th on (0 first), the oldest first."""

    kind: Kind
    states: frozenset[Plane] = WAITING
    recipient: str | None = None
    since: dt.datetime | None = None  # received then or later
    until: dt.datetime | None = None  # and before then
    page: int = 0
    size: int = 200


@dataclass(frozen=True, slots=True)
class Found:
    """An envelope that the store knows, found by its document."""

    id: str
    action: str
    sender: str
    recipients: tuple[str, ...] = ()  # those of them that were asked about


@dataclass(frozen=True, slots=True)
class Recalled:
    """A recall of a document from one recipient, as addressed in the recall and (`original`) in the document.

    `answered`: its sender has been told that the copy is gone.
    """

    recall: str
    recipient: str
    original: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The package of a document that was withdrawn; `alone`: no other partner's mailbox got that envelope."""

    sha256: str
    alone: bool


def key_of(*, system_id: str, sender: str, document_id: str, business: str, sha256: str) -> bytes:
    """Return what makes a package the same as one sent before: sender, document, business type and content."""
    parts = (system_id, sender, unicodedata.normalize("NFC", document_id), business, sha256)
    return hashlib.sha256("\x00".join(parts).encode()).digest()
