"""Replays in PostgreSQL."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from axis.core.replaying import Candidate, Place, Replay
from axis.store import hostile, rows
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.replay_seam import ReplayStore

_SQL = load("replaying")
_COMPARING = load("comparing")
_PUBLISHING = load("publishing")
_ACCEPTING = load("accepting")


class PostgresReplays(ReplayStore):
    """Replays in a table of their own; what they are made of is read by pages of ids."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, replay: Replay) -> Replay:
        """Keep a new replay, or return the open one."""
        by = hostile.text(replay.by, hostile.MAX_TEXT)
        values = (replay.id, replay.mailbox, replay.queue, replay.since, replay.until, by, replay.begun_at)
        async with self._pool.link("begin a replay") as link, link.transaction():
            await link.execute(_SQL["begin"], *values)
            return _replay(await link.fetchrow(_SQL["open"], replay.queue))

    async def open(self, queue: str) -> Replay | None:
        """Return the open replay of a queue."""
        async with self._pool.link("look for a replay") as link:
            record = await link.fetchrow(_SQL["open"], queue)
        return None if record is None else _replay(record)

    async def listed(self, limit: int = 100) -> tuple[Replay, ...]:
        """List replays."""
        async with self._pool.link("list replays") as link:
            return tuple(map(_replay, await link.fetch(_SQL["listed"], limit)))

    async def places(
        self,
        mailbox: str,
        since: dt.datetime,
        until: dt.datetime,
        *,
        made_since: dt.datetime,
        after: str | None,
        page: int = 1000,
    ) -> tuple[str | None, Sequence[Place]]:
        """Name the next envelopes for a mailbox."""
        async with self._pool.link("list what a mailbox got") as link:
            looked = await link.fetch(_COMPARING["envelope_page"], made_since, after, page)
            ids = [str(record["id"]) for record in looked]
            if not ids:
                return None, ()
            found = await link.fetch(_SQL["places"], ids, *rows.span(ids), mailbox, since, until)
        return ids[-1], [Place(record["accepted_at"], str(record["id"])) for record in found]

    async def candidates(self, mailbox: str, ids: Collection[str]) -> list[Candidate]:
        """Return envelopes with their deliveries for a mailbox."""
        if not ids:
            return []
        wanted = sorted(ids)
        async with self._pool.link("read what a mailbox got") as link:
            envelopes = await link.fetch(_PUBLISHING["envelopes"], wanted, *rows.span(wanted))
            deliveries = await link.fetch(_ACCEPTING["deliveries"], wanted, *rows.span(wanted))
            talks = await link.fetch(_SQL["talks"], wanted)
        own = rows.grouped(each for each in map(rows.delivery, deliveries) if each.mailbox == mailbox)
        gone: dict[str, set[str]] = {}
        done: dict[str, set[str]] = {}
        for talk in talks:
            gone.setdefault(str(talk["about"]), set()).add(talk["original"])
            if talk["request"] != talk["about"]:
                done.setdefault(str(talk["request"]), set()).add(talk["recipient"])
        found = [
            Candidate(
                envelope,
                tuple(own[envelope.id]),
                frozenset(gone.get(envelope.id, ())),
                {each.recipient for each in own[envelope.id]} <= done.get(envelope.id, set()),
            )
            for envelope in map(rows.envelope, envelopes)
            if envelope.id in own
        ]
        return sorted(found, key=lambda each: each.place)

    async def advance(self, replay: Replay, after: Place, put: int, left_out: int) -> Replay | None:
        """Note how far a replay is."""
        before = None if replay.after is None else replay.after.id
        async with self._pool.link("note how far a replay is") as link:
            record = await link.fetchrow(_SQL["advance"], replay.id, before, *after, put, left_out)
        return None if record is None else _replay(record)

    async def fill(self, replay: Replay, at: dt.datetime) -> None:
        """Note that a replay is in its queue."""
        async with self._pool.link("note that a replay is filled") as link:
            await link.execute(_SQL["fill"], replay.id, at)

    async def end(self, replay: Replay, at: dt.datetime) -> None:
        """Note that a replay has ended."""
        async with self._pool.link("end a replay") as link:
            await link.execute(_SQL["end"], replay.id, at)


def _replay(record: Any) -> Replay:
    values = dict(record)
    at, identifier = values.pop("after_at"), values.pop("after_id")
    after = None if at is None else Place(at, str(identifier))
    return Replay(**{**values, "id": str(values["id"]), "after": after})
