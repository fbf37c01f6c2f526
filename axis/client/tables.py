"""What the ledger's file holds: its tables as they grew, and its rows as values."""

import datetime as dt
import json
import sqlite3

from axis.client.ledger import Deferred, Entry, KeptNotice, KeptRecall
from axis.client.papers import Paper
from schemas import Action

SCHEMA = """
CREATE TABLE taken (envelope_id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    exchange TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    media_type TEXT NOT NULL,
    body BLOB NOT NULL,
    signature TEXT NOT NULL,
    confirmed_at TEXT
);
CREATE INDEX entry_about ON entry (about);
CREATE INDEX entry_unconfirmed ON entry (number) WHERE confirmed_at IS NULL;
CREATE TABLE notice (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    about TEXT,
    body BLOB NOT NULL,
    signature TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX notice_about ON notice (about);
CREATE INDEX notice_open ON notice (number) WHERE NOT done;
CREATE TABLE suspicious (
    number INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    message_id TEXT,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TEXT NOT NULL,
    body BLOB NOT NULL,
    signature TEXT NOT NULL
);
"""
# What was taken before is known by its id alone, so it is not found by its DocumentId.
PAPERS = """
CREATE TABLE paper (
    number INTEGER PRIMARY KEY,
    envelope_id TEXT NOT NULL,
    document_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    action TEXT NOT NULL,
    concerns TEXT,
    received INTEGER NOT NULL,
    UNIQUE (envelope_id, received)
);
CREATE INDEX paper_document ON paper (document_id);
INSERT INTO paper (envelope_id, document_id, sender, recipients, action, concerns, received)
SELECT id, spelled(json_extract(said, '$.document.document_id')), json_extract(said, '$.sender'),
       json_extract(said, '$.recipients'), coalesce(json_extract(said, '$.action'), 'new'),
       json_extract(said, '$.concerns'), 0
FROM (SELECT number, id, CAST(body AS TEXT) AS said FROM entry WHERE kind = 'document') ORDER BY number
"""
RECALLS = """
ALTER TABLE paper ADD COLUMN files TEXT NOT NULL DEFAULT '[]';
CREATE INDEX paper_concerns ON paper (concerns) WHERE concerns IS NOT NULL;
ALTER TABLE entry ADD COLUMN waits_for TEXT;
CREATE INDEX entry_waiting ON entry (waits_for) WHERE waits_for IS NOT NULL;
CREATE TABLE recall (
    number INTEGER PRIMARY KEY,
    envelope_id TEXT NOT NULL UNIQUE,
    concerns TEXT NOT NULL,
    body BLOB NOT NULL,
    signature TEXT NOT NULL,
    recipients TEXT NOT NULL,
    organisation TEXT NOT NULL,
    thumbprint TEXT NOT NULL,
    role TEXT NOT NULL,
    withdrawn INTEGER NOT NULL,
    done INTEGER NOT NULL
);
CREATE INDEX recall_concerns ON recall (concerns);
CREATE INDEX recall_open ON recall (number) WHERE NOT done
"""

# Which process hands a recall out, and until when.
RECALLS_SHARED = """
ALTER TABLE recall ADD COLUMN holder TEXT;
ALTER TABLE recall ADD COLUMN held_until TEXT
"""
DEFERRED = """
CREATE TABLE deferred (
    number INTEGER PRIMARY KEY,
    envelope_id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    signature TEXT NOT NULL,
    recipients TEXT NOT NULL,
    organisation TEXT NOT NULL,
    thumbprint TEXT NOT NULL,
    role TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TEXT NOT NULL
)
"""


def entry_row(entry: Entry) -> tuple[object, ...]:
    """Write an entry as its columns."""
    confirmed, not_before = (each and text(each) for each in (entry.confirmed_at, entry.not_before))
    return (
        entry.id,
        entry.key,
        entry.kind,
        entry.about,
        entry.exchange,
        entry.routing_key,
        entry.media_type,
        entry.body,
        entry.signature,
        confirmed,
        not_before,
        entry.waits_for,
    )


def entry_of(row: sqlite3.Row) -> Entry:
    """Read an entry."""
    times = {name: row[name] and dt.datetime.fromisoformat(row[name]) for name in ("confirmed_at", "not_before")}
    return Entry(**{**dict(row), **times})


def paper_row(paper: Paper) -> tuple[object, ...]:
    """Write what is remembered of a document as its columns."""
    return (
        paper.envelope_id,
        paper.document_id,
        paper.sender,
        json.dumps(paper.recipients),
        paper.action.value,
        paper.concerns,
        paper.received,
        json.dumps(paper.files),
    )


def recall_row(recall: KeptRecall) -> tuple[object, ...]:
    """Write a kept recall as its columns."""
    return (
        recall.envelope_id,
        recall.concerns,
        recall.body,
        recall.signature,
        json.dumps(recall.recipients),
        recall.organisation,
        recall.thumbprint,
        recall.role,
        recall.withdrawn,
        recall.done,
    )


def recall_of(row: sqlite3.Row) -> KeptRecall:
    """Read a kept recall."""
    said = {name: bool(row[name]) for name in ("withdrawn", "done")}
    return KeptRecall(**{**dict(row), **said, "recipients": tuple(json.loads(row["recipients"]))})


def deferred_row(kept: Deferred) -> tuple[object, ...]:
    """Write what is set aside as its columns."""
    return (
        kept.envelope_id,
        kept.body,
        kept.signature,
        json.dumps(kept.recipients),
        kept.organisation,
        kept.thumbprint,
        kept.role,
        kept.code,
        kept.detail,
        text(kept.at),
    )


def deferred_of(row: sqlite3.Row) -> Deferred:
    """Read what is set aside."""
    said = {"recipients": tuple(json.loads(row["recipients"])), "at": dt.datetime.fromisoformat(row["at"])}
    return Deferred(**{**dict(row), **said})


def paper_of(row: sqlite3.Row) -> Paper:
    """Read what is remembered of a document."""
    said = {
        "recipients": tuple(json.loads(row["recipients"])),
        "action": Action(row["action"]),
        "received": bool(row["received"]),
        "files": tuple(json.loads(row["files"])),
    }
    return Paper(**{**dict(row), **said})


def notice_of(row: sqlite3.Row | None) -> KeptNotice | None:
    """Read a notice, if there is one."""
    return None if row is None else KeptNotice(**{**dict(row), "done": bool(row["done"])})


def text(at: dt.datetime) -> str:
    """Write a time so that of two the text of the later one is greater."""
    return at.astimezone(dt.UTC).isoformat()
