"""The ledger as one SQLite file in the agency's state folder."""

import asyncio
import contextlib
import datetime as dt
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from axis.client.ledger import Deferred, Entry, KeptNotice, KeptRecall, Suspicious, Taken
from axis.client.papers import Paper, spelled
from axis.client.tables import (
    DEFERRED,
    PAPERS,
    RECALLS,
    RECALLS_SHARED,
    SCHEMA,
    deferred_of,
    deferred_row,
    entry_of,
    entry_row,
    notice_of,
    paper_of,
    paper_row,
    recall_of,
    recall_row,
    text,
)
from axis.errors import Misconfigured, Unavailable

_BUSY_SECONDS = 10.0
# What each version added to the one before; the first makes all of it.
_STEPS = (SCHEMA, "ALTER TABLE entry ADD COLUMN not_before TEXT", PAPERS, RECALLS, RECALLS_SHARED, DEFERRED)
_VERSION = len(_STEPS)
_ENTRY = "id, key, kind, about, exchange, routing_key, media_type, body, signature, confirmed_at, not_before, waits_for"
_NOTICE = "id, kind, about, body, signature, done, number"
_PAPER = "envelope_id, document_id, sender, recipients, action, concerns, received, files"
_RECALL = "envelope_id, concerns, body, signature, recipients, organisation, thumbprint, role, withdrawn, done"
_DEFERRED = "envelope_id, body, signature, recipients, organisation, thumbprint, role, code, detail, at"
_SUSPICIOUS = "sha256, source, message_id, reason, detail, at, body, signature"

_Result = TypeVar("_Result")


class SqliteLedger:
    """Keep the ledger in a file. WAL lets several processes share it; synchronous=FULL makes each commit an fsync."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._holder = secrets.token_hex(8)  # tells this process from others that share the file
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
        recalls: Sequence[KeptRecall] = (),
        deferred: Sequence[Deferred] = (),
    ) -> list[Entry]:
        """See `Ledger`."""

        def work(db: sqlite3.Connection) -> list[Entry]:
            db.executemany(
                "INSERT OR IGNORE INTO taken VALUES (?, ?, ?)",
                [(each.envelope_id, each.sha256, each.at.isoformat()) for each in taken],
            )
            db.executemany(
                f"INSERT OR IGNORE INTO entry ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own columns
                [entry_row(entry) for entry in entries],
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
                f"INSERT OR IGNORE INTO paper ({_PAPER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own columns
                [paper_row(each) for each in papers],
            )
            db.executemany(
                f"INSERT INTO recall ({_RECALL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own columns
                " ON CONFLICT (envelope_id) DO UPDATE SET withdrawn = max(withdrawn, excluded.withdrawn)",
                [recall_row(each) for each in recalls],
            )
            db.executemany(
                f"INSERT OR IGNORE INTO deferred ({_DEFERRED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own columns
                [deferred_row(each) for each in deferred],
            )
            by_key = f"SELECT {_ENTRY} FROM entry WHERE key = ?"  # noqa: S608 - our own columns
            return [entry_of(db.execute(by_key, (entry.key,)).fetchone()) for entry in entries]

        return await self._run(work)

    async def confirm(self, entries: Sequence[Entry], at: dt.datetime) -> None:
        """See `Ledger`."""
        statement = (
            "UPDATE entry SET confirmed_at = :at WHERE id = :id AND confirmed_at IS NULL AND not_before IS :published"
        )
        rows = [
            {"at": text(at), "id": each.id, "published": each.not_before and text(each.not_before)} for each in entries
        ]
        await self._run(lambda db: db.executemany(statement, rows))

    async def postpone(self, entry_id: str, until: dt.datetime) -> bool:
        """See `Ledger`."""
        statement = "UPDATE entry SET confirmed_at = NULL, not_before = ? WHERE id = ?"
        return await self._run(lambda db: db.execute(statement, (text(until), entry_id)).rowcount > 0)

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
            conditions.append("(not_before IS NULL OR not_before <= :due) AND waits_for IS NULL")
        if about is not None:
            conditions.append("about = :about")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {_ENTRY} FROM entry {where} ORDER BY number LIMIT :limit"  # noqa: S608 - our own columns
        named = {"about": about, "limit": limit, "due": due and text(due)}
        rows = await self._run(lambda db: db.execute(query, named).fetchall())
        return [entry_of(row) for row in rows]

    async def reopen(self, entry_id: str) -> Entry | None:
        """See `Ledger`."""

        def work(db: sqlite3.Connection) -> Entry | None:
            db.execute("UPDATE entry SET confirmed_at = NULL, not_before = NULL WHERE id = ?", (entry_id,))
            row = db.execute(f"SELECT {_ENTRY} FROM entry WHERE id = ?", (entry_id,)).fetchone()  # noqa: S608 - our own columns
            return entry_of(row) if row else None

        return await self._run(work)

    async def taken(self, envelope_id: str) -> Taken | None:
        """See `Ledger`."""
        query = "SELECT envelope_id, sha256, at FROM taken WHERE envelope_id = ?"
        row = await self._run(lambda db: db.execute(query, (envelope_id,)).fetchone())
        return Taken(**{**dict(row), "at": dt.datetime.fromisoformat(row["at"])}) if row else None

    async def papers(
        self, *, document_id: str | None = None, envelope_id: str | None = None, concerns: str | None = None
    ) -> list[Paper]:
        """See `Ledger`."""
        wanted = {
            "document_id": document_id and spelled(document_id),
            "envelope_id": envelope_id,
            "concerns": concerns,
        }
        conditions = [f"{name} = :{name}" for name, value in wanted.items() if value is not None]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {_PAPER} FROM paper {where} ORDER BY number DESC"  # noqa: S608 - our own columns
        rows = await self._run(lambda db: db.execute(query, wanted).fetchall())
        return [paper_of(row) for row in rows]

    async def forget(self, envelope_id: str) -> None:
        """See `Ledger`."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM paper WHERE envelope_id = ? AND received", (envelope_id,))
            db.execute("DELETE FROM suspicious WHERE message_id = ?", (envelope_id,))

        await self._run(work)

    async def unblock(self, envelope_id: str | None, *, confirmed_before: dt.datetime | None = None) -> None:
        """See `Ledger`."""
        statement = (
            "UPDATE entry SET waits_for = NULL WHERE confirmed_at IS NULL AND waits_for IS NOT NULL"
            " AND (waits_for = :id OR waits_for IN (SELECT id FROM entry AS first WHERE first.confirmed_at < :before))"
        )
        named = {"id": envelope_id, "before": confirmed_before and text(confirmed_before)}
        await self._run(lambda db: db.execute(statement, named))

    async def give_up(self, envelope_id: str, at: dt.datetime) -> None:
        """See `Ledger`."""
        statement = "UPDATE entry SET confirmed_at = ? WHERE waits_for = ? AND confirmed_at IS NULL"
        await self._run(lambda db: db.execute(statement, (text(at), envelope_id)))

    async def recalls(self, concerns: str) -> list[KeptRecall]:
        """See `Ledger`."""
        query = f"SELECT {_RECALL} FROM recall WHERE concerns = ? ORDER BY number"  # noqa: S608 - our own columns
        rows = await self._run(lambda db: db.execute(query, (concerns,)).fetchall())
        return [recall_of(row) for row in rows]

    async def open_recalls(self) -> list[KeptRecall]:
        """See `Ledger`."""
        query = f"SELECT {_RECALL} FROM recall WHERE NOT done ORDER BY withdrawn DESC, number"  # noqa: S608 - our own columns
        return [recall_of(row) for row in await self._run(lambda db: db.execute(query).fetchall())]

    async def hand_out(self, envelope_id: str, at: dt.datetime, until: dt.datetime) -> bool:
        """See `Ledger`."""
        statement = (
            "UPDATE recall SET holder = :holder, held_until = :until WHERE envelope_id = :id AND NOT done"
            " AND (holder IS NULL OR holder = :holder OR held_until <= :at)"
        )
        named = {"id": envelope_id, "holder": self._holder, "at": text(at), "until": text(until)}
        return await self._run(lambda db: db.execute(statement, named).rowcount > 0)

    async def finish_recall(self, envelope_id: str) -> None:
        """See `Ledger`."""
        await self._run(lambda db: db.execute("UPDATE recall SET done = 1 WHERE envelope_id = ?", (envelope_id,)))

    async def deferred(self, envelope_id: str | None = None) -> list[Deferred]:
        """See `Ledger`."""
        where, wanted = ("", ()) if envelope_id is None else ("WHERE envelope_id = ?", (envelope_id,))
        query = f"SELECT {_DEFERRED} FROM deferred {where} ORDER BY number"  # noqa: S608 - our own columns
        return [deferred_of(row) for row in await self._run(lambda db: db.execute(query, wanted).fetchall())]

    async def finish_deferred(self, envelope_id: str) -> None:
        """See `Ledger`."""
        await self._run(lambda db: db.execute("DELETE FROM deferred WHERE envelope_id = ?", (envelope_id,)))

    async def next_notice(self, after: int) -> KeptNotice | None:
        """See `Ledger`."""
        query = f"SELECT {_NOTICE} FROM notice WHERE NOT done AND number > ? ORDER BY number LIMIT 1"  # noqa: S608 - our own columns
        return notice_of(await self._run(lambda db: db.execute(query, (after,)).fetchone()))

    async def finish_notice(self, notice_id: str) -> None:
        """See `Ledger`."""
        await self._run(lambda db: db.execute("UPDATE notice SET done = 1 WHERE id = ?", (notice_id,)))

    async def receipt_for(self, message_id: str) -> KeptNotice | None:
        """See `Ledger`."""
        query = f"SELECT {_NOTICE} FROM notice WHERE about = ? AND kind = 'receipt' ORDER BY number DESC LIMIT 1"  # noqa: S608 - our own columns
        return notice_of(await self._run(lambda db: db.execute(query, (message_id,)).fetchone()))

    async def suspicious(self) -> list[Suspicious]:
        """See `Ledger`."""
        query = f"SELECT {_SUSPICIOUS} FROM suspicious ORDER BY number"  # noqa: S608 - our own columns
        rows = await self._run(lambda db: db.execute(query).fetchall())
        return [Suspicious(**{**dict(row), "at": dt.datetime.fromisoformat(row["at"])}) for row in rows]

    async def prune(self, before: str) -> None:
        """See `Ledger`."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "DELETE FROM entry WHERE confirmed_at IS NOT NULL AND id < ?"
                " AND about NOT IN (SELECT envelope_id FROM recall)",
                (before,),
            )
            db.execute("DELETE FROM notice WHERE done AND id < ?", (before,))

        await self._run(work)

    async def close(self) -> None:
        """See `Ledger`."""

        def work() -> None:
            with self._lock:
                # Best effort, as after a crash: else another process has it when its time is over.
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("UPDATE recall SET holder = NULL WHERE holder = ?", (self._holder,))
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
