"""The ledger as one SQLite file in the agency's state folder."""

import asyncio
import datetime as dt
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from axis.client.ledger import Entry, KeptNotice, Suspicious, Taken
from axis.client.papers import Paper, spelled
from axis.errors import Misconfigured, Unavailable
from schemas import Action

_BUSY_SECONDS = 10.0
_SCHEMA = """
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
_PAPERS = """
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
# What each version added to the one before; the first makes all of it.
_STEPS = (_SCHEMA, "ALTER TABLE entry ADD COLUMN not_before TEXT", _PAPERS)
_VERSION = len(_STEPS)
_ENTRY = "id, key, kind, about, exchange, routing_key, media_type, body, signature, confirmed_at, not_before"
_NOTICE = "id, kind, about, body, signature, done, number"
_PAPER = "envelope_id, document_id, sender, recipients, action, concerns, received"
_SUSPICIOUS = "sha256, source, message_id, reason, detail, at, body, signature"

_Result = TypeVar("_Result")


class SqliteLedger:
    """Keep the ledger in a file. WAL lets several processes share it; synchronous=FULL makes each commit an fsync."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        # A cancelled call's thread runs on to its end: the lock keeps the next call out of its transaction.
        self._lock = threading.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or make the file, readable by its owner only."""
        return await asyncio.to_thread(cls._open, path)

    @classmethod
    def _open(cls, path: Path) -> Self:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise Misconfigured(f"the ledger {path} cannot be opened: {error}") from error
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            _bring_up(connection, path)
        except sqlite3.Error as error:
            connection.close()
            raise Misconfigured(f"{path} is not a ledger that can be used: {error}") from error
        except BaseException:
            connection.close()
            raise
        return cls(connection, path)

    async def write(
        self,
        *,
        taken: Sequence[Taken] = (),
        entries: Sequence[Entry] = (),
        notices: Sequence[KeptNotice] = (),
        suspicious: Sequence[Suspicious] = (),
        papers: Sequence[Paper] = (),
    ) -> list[Entry]:
        """See `Ledger`."""

        def work(db: sqlite3.Connection) -> list[Entry]:
            db.executemany(
                "INSERT OR IGNORE INTO taken VALUES (?, ?, ?)",
                [(each.envelope_id, each.sha256, each.at.isoformat()) for each in taken],
            )
            db.executemany(
                f"INSERT OR IGNORE INTO entry ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own columns
                [_entry_row(entry) for entry in entries],
            )
            db.executemany(
                "INSERT OR IGNORE INTO notice (id, kind, about, body, signature, done) VALUES (?, ?, ?, ?, ?, ?)",
                [(each.id, each.kind, each.about, each.body, each.signature, each.done) for each in notices],
            )
            db.executemany(
                f"INSERT OR IGNORE INTO suspicious ({_SUSPICIOUS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own columns
                [
                    (s.sha256, s.source, s.message_id, s.reason, s.detail, s.at.isoformat(), s.body, s.signature)
                    for s in suspicious
                ],
            )
            db.executemany(
                f"INSERT OR IGNORE INTO paper ({_PAPER}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own columns
                [_paper_row(each) for each in papers],
            )
            by_key = f"SELECT {_ENTRY} FROM entry WHERE key = ?"  # noqa: S608 - our own columns
            return [_entry(db.execute(by_key, (entry.key,)).fetchone()) for entry in entries]

        return await self._run(work)

    async def confirm(self, entries: Sequence[Entry], at: dt.datetime) -> None:
        """See `Ledger`."""
        statement = (
            "UPDATE entry SET confirmed_at = :at WHERE id = :id AND confirmed_at IS NULL AND not_before IS :published"
        )
        rows = [
            {"at": _text(at), "id": each.id, "published": each.not_before and _text(each.not_before)}
            for each in entries
        ]
        await self._run(lambda db: db.executemany(statement, rows))

    async def postpone(self, entry_id: str, until: dt.datetime) -> bool:
        """See `Ledger`."""
        statement = "UPDATE entry SET confirmed_at = NULL, not_before = ? WHERE id = ?"
        return await self._run(lambda db: db.execute(statement, (_text(until), entry_id)).rowcount > 0)

    async def next_due(self) -> dt.datetime | None:
        """See `Ledger`."""
        query = "SELECT min(not_before) AS due FROM entry WHERE confirmed_at IS NULL"
        row = await self._run(lambda db: db.execute(query).fetchone())
        return dt.datetime.fromisoformat(row["due"]) if row["due"] else None

    async def entries(
        self,
        *,
        about: str | None = None,
        unconfirmed: bool = True,
        limit: int = 1000,
        due: dt.datetime | None = None,
    ) -> list[Entry]:
        """See `Ledger`."""
        conditions = ["confirmed_at IS NULL"] if unconfirmed else []
        if due is not None:
            conditions.append("(not_before IS NULL OR not_before <= :due)")
        if about is not None:
            conditions.append("about = :about")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {_ENTRY} FROM entry {where} ORDER BY number LIMIT :limit"  # noqa: S608 - our own columns
        named = {"about": about, "limit": limit, "due": due and _text(due)}
        rows = await self._run(lambda db: db.execute(query, named).fetchall())
        return [_entry(row) for row in rows]

    async def reopen(self, entry_id: str) -> Entry | None:
        """See `Ledger`."""

        def work(db: sqlite3.Connection) -> Entry | None:
            db.execute("UPDATE entry SET confirmed_at = NULL, not_before = NULL WHERE id = ?", (entry_id,))
            row = db.execute(f"SELECT {_ENTRY} FROM entry WHERE id = ?", (entry_id,)).fetchone()  # noqa: S608 - our own columns
            return _entry(row) if row else None

        return await self._run(work)

    async def taken(self, envelope_id: str) -> Taken | None:
        """See `Ledger`."""
        query = "SELECT envelope_id, sha256, at FROM taken WHERE envelope_id = ?"
        row = await self._run(lambda db: db.execute(query, (envelope_id,)).fetchone())
        return Taken(**{**dict(row), "at": dt.datetime.fromisoformat(row["at"])}) if row else None

    async def papers(self, *, document_id: str | None = None, envelope_id: str | None = None) -> list[Paper]:
        """See `Ledger`."""
        wanted = {"document_id": document_id and spelled(document_id), "envelope_id": envelope_id}
        conditions = [f"{name} = :{name}" for name, value in wanted.items() if value is not None]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {_PAPER} FROM paper {where} ORDER BY number DESC"  # noqa: S608 - our own columns
        rows = await self._run(lambda db: db.execute(query, wanted).fetchall())
        return [_paper(row) for row in rows]

    async def next_notice(self, after: int) -> KeptNotice | None:
        """See `Ledger`."""
        query = f"SELECT {_NOTICE} FROM notice WHERE NOT done AND number > ? ORDER BY number LIMIT 1"  # noqa: S608 - our own columns
        return _notice(await self._run(lambda db: db.execute(query, (after,)).fetchone()))

    async def finish_notice(self, notice_id: str) -> None:
        """See `Ledger`."""
        await self._run(lambda db: db.execute("UPDATE notice SET done = 1 WHERE id = ?", (notice_id,)))

    async def receipt_for(self, message_id: str) -> KeptNotice | None:
        """See `Ledger`."""
        query = f"SELECT {_NOTICE} FROM notice WHERE about = ? AND kind = 'receipt' ORDER BY number DESC LIMIT 1"  # noqa: S608 - our own columns
        return _notice(await self._run(lambda db: db.execute(query, (message_id,)).fetchone()))

    async def suspicious(self) -> list[Suspicious]:
        """See `Ledger`."""
        query = f"SELECT {_SUSPICIOUS} FROM suspicious ORDER BY number"  # noqa: S608 - our own columns
        rows = await self._run(lambda db: db.execute(query).fetchall())
        return [Suspicious(**{**dict(row), "at": dt.datetime.fromisoformat(row["at"])}) for row in rows]

    async def prune(self, before: str) -> None:
        """See `Ledger`."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM entry WHERE confirmed_at IS NOT NULL AND id < ?", (before,))
            db.execute("DELETE FROM notice WHERE done AND id < ?", (before,))

        await self._run(work)

    async def close(self) -> None:
        """See `Ledger`."""

        def work() -> None:
            with self._lock:
                self._connection.close()

        await asyncio.to_thread(work)

    async def _run(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        def locked() -> _Result:
            with self._lock:
                return _transaction(self._connection, work)

        try:
            return await asyncio.to_thread(locked)
        except sqlite3.Error as error:
            raise Unavailable(f"the ledger {self._path} cannot be used: {error}") from error


def _transaction(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
    db.execute("BEGIN IMMEDIATE")
    try:
        result = work(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result


def _bring_up(db: sqlite3.Connection, path: Path) -> None:
    def work(db: sqlite3.Connection) -> None:
        db.create_function("spelled", 1, spelled, deterministic=True)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise Misconfigured(f"{path} was written by a newer version of the axis")
        for step in _STEPS[version:]:
            for statement in step.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")

    _transaction(db, work)


def _entry_row(entry: Entry) -> tuple[object, ...]:
    confirmed, not_before = (each and _text(each) for each in (entry.confirmed_at, entry.not_before))
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
    )


def _entry(row: sqlite3.Row) -> Entry:
    times = {name: row[name] and dt.datetime.fromisoformat(row[name]) for name in ("confirmed_at", "not_before")}
    return Entry(**{**dict(row), **times})


def _paper_row(paper: Paper) -> tuple[object, ...]:
    return (
        paper.envelope_id,
        paper.document_id,
        paper.sender,
        json.dumps(paper.recipients),
        paper.action.value,
        paper.concerns,
        paper.received,
    )


def _paper(row: sqlite3.Row) -> Paper:
    said = {
        "recipients": tuple(json.loads(row["recipients"])),
        "action": Action(row["action"]),
        "received": bool(row["received"]),
    }
    return Paper(**{**dict(row), **said})


def _notice(row: sqlite3.Row | None) -> KeptNotice | None:
    return None if row is None else KeptNotice(**{**dict(row), "done": bool(row["done"])})


def _text(at: dt.datetime) -> str:
    """Write a time so that of two the text of the later one is greater."""
    return at.astimezone(dt.UTC).isoformat()
