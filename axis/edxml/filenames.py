"""Names and media types under which a package's files can be kept anywhere."""

import re

from axis.edxml.model import EdxmlDocument
from axis.edxml.packing import ZIP_TYPE, suffix_of

_LONGEST = 200
_LONGEST_SUFFIX = 20
_FORBIDDEN = re.compile(r"[\u0000-\u001f\u007f/\\:]")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[A-Za-z0-9.+_-]+")
_OCTETS = "application/octet-stream"
_OFFICE = "application/vnd.openxmlformats-officedocument"
# A table of our own: the system's differs between machines, and the format's types (application/doc) are home-made.
_BY_SUFFIX = {
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "rtf": "application/rtf",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "txt": "text/plain",
    "csv": "text/csv",
    "xml": "application/xml",
    "edxml": "application/xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "zip": ZIP_TYPE,
    "rar": "application/vnd.rar",
    "7z": "application/x-7z-compressed",
}


def file_names(document: EdxmlDocument) -> tuple[str, ...]:
    """Return a plain, distinct file name for each attachment, in order: no path, not hidden, at most 200 characters.

    `1896/QĐ-TTg.doc` becomes `1896_QĐ-TTg.doc`; the second of two equal names gets ` (2)`.
    """
    taken: set[str] = set()
    names = []
    for attachment in document.attachments:
        plain = _plain(attachment.name)
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = _numbered(plain, number)
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)


def package_name(document: EdxmlDocument) -> str:
    """Return a file name for the package itself, made of its document identifier and distinct from its files'."""
    taken = {name.casefold() for name in file_names(document)}
    plain = _shorten(f"{_plain(document.document_id.text)}.edxml", "")
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = _numbered(plain, number)
    return name


def media_type(name: str, content_type: str | None, *, unpacked: bool) -> str:
    """Return the media type of a file by its name, else by what the package said of it."""
    known = _BY_SUFFIX.get(suffix_of(name))
    if known:
        return known
    said = (content_type or "").strip()
    # ContentType describes what travelled: of an unpacked file it says nothing.
    usable = not unpacked and len(said) <= 100 and _MEDIA_TYPE.fullmatch(said)  # noqa: PLR2004 - the schema's limit
    return said if usable else _OCTETS


def _plain(name: str) -> str:
    # Leading dots hide a file or climb out of a folder, trailing dots and spaces vanish on Windows.
    plain = _FORBIDDEN.sub("_", name).lstrip(". ").rstrip(". ")
    return _shorten(plain or "attachment", "")


def _numbered(name: str, number: int) -> str:
    return _shorten(name, f" ({number})")


def _shorten(name: str, addition: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or len(suffix) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = _LONGEST - len(addition) - len(dot) - len(suffix)
    kept = stem if len(stem) <= room else stem[:room].rstrip(". ") or "_"
    return f"{kept}{addition}{dot}{suffix}"
