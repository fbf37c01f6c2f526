"""File names that every system takes: Linux, Windows and its shares, whatever a document calls itself."""

import hashlib
import re
import unicodedata

from schemas import Envelope, Status

SUFFIX = ".edxml"
# A name with what is put beside it (`.receipt.json`) has to fit: file systems end at 255 bytes, Windows at 255 letters.
_LONGEST = 200  # bytes
_PART = 60  # bytes: room for number and notation, sender and two identifiers
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_UNTOUCHED = (".tmp", ".part", "~")


def is_package(name: str) -> bool:
    """Say whether a name is one of a finished package: others in the folder are left alone."""
    return not is_unfinished(name) and name.lower().endswith(SUFFIX)


def is_unfinished(name: str) -> bool:
    """Say whether a name is one that writers use until they are done."""
    return name.startswith(".") or name.lower().endswith(_UNTOUCHED)


def kept_name(name: str) -> str:
    """Return the name under which a file of the agency's is kept: its own wherever it can be."""
    try:
        if len(name.encode()) <= _LONGEST:
            return name
    except UnicodeEncodeError:  # bytes that are no text: nobody could name it in a report
        name = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    stem, _, _ = name.rpartition(".")
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]  # keeps apart what cutting made equal
    return f"{_cut(stem, _LONGEST - len(SUFFIX) - 9)}~{digest}{SUFFIX}"


def distinct(name: str, token: str) -> str:
    """Return another name for a file whose own is taken; some systems give every file the same."""
    stem, dot, suffix = name.rpartition(".")
    return f"{_cut(stem, _LONGEST - len(suffix) - len(token) - 2)}~{token}{dot}{suffix}"


def document_name(envelope: Envelope, *, withdrawn: bool = False) -> str:
    """Name an incoming document: number and notation, sender, envelope. The same envelope has the same name always.

    `withdrawn`: it recalls a document that was not handed over, and says so.
    """
    document = envelope.document
    title = "-".join(part for part in (document.number, document.notation) if part) or document.document_id
    mark = "_withdrawn" if withdrawn else ""
    return f"{_safe(title)}_{envelope.sender}_{envelope.id}{mark}{SUFFIX}"


def status_name(status: Status, about: Envelope) -> str:
    """Name an incoming status: the document's number and notation, who reports what, the status."""
    document = about.document
    title = "-".join(part for part in (document.number, document.notation) if part) or document.document_id
    return f"{_safe(title)}_{status.recipient or status.reporter}_{status.code.value}_{status.id}{SUFFIX}"


def _safe(text: str) -> str:
    """Write text so that it may begin a file name anywhere, in NFC."""
    # Control, format (right-to-left overrides among them), private, unassigned, separators other than the space.
    plain = "".join(
        "_" if unicodedata.category(each)[0] == "C" or unicodedata.category(each) in {"Zl", "Zp"} else each
        for each in unicodedata.normalize("NFC", text)
    )
    plain = _cut(_FORBIDDEN.sub("_", plain).strip(". "), _PART).strip(". ") or "_"
    return f"_{plain}" if _RESERVED.match(plain) else plain


def _cut(text: str, room: int) -> str:
    return text.encode()[:room].decode(errors="ignore")
