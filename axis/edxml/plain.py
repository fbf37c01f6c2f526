"""A package as plain values for JSON: everything but the attachments' bytes."""

import datetime as dt
from dataclasses import fields
from enum import Enum

from axis.edxml.model import Attachment, EdxmlDocument, EdxmlStatus


def as_plain(package: EdxmlDocument | EdxmlStatus) -> dict[str, object]:
    """Return `{"package": "document" | "status", …}` with every field under its own name; dates are ISO 8601 text."""
    kind = "document" if isinstance(package, EdxmlDocument) else "status"
    return {"package": kind, **_fields(package)}


def _fields(value: object) -> dict[str, object]:
    names = [one.name for one in fields(value)]  # type: ignore[arg-type] # checked by _plain
    if isinstance(value, Attachment):
        names.remove("content")
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dt.date):  # a datetime is a date, too
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return _fields(value)
    return value
