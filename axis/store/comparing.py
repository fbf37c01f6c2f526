"""What the audit asks of the store in PostgreSQL."""

import datetime as dt
from collections.abc import AsyncGenerator, Collection, Sequence

from axis.core.audit import Mark, Marked, ToldMark
from axis.core.records import NoticeRow
from axis.store import rows
from axis.store.comparing_seam import ComparingStore, WithDeliveries
from axis.store.pool import Pool
from axis.store.queries import load

_SQL = load("comparing")
_PUBLISHING = load("publishing")
_ACCEPTING = load("accepting")


class PostgresComparing(ComparingStore):
    """Reads by pages of ids: a page is what one statement looks at, whatever it finds there."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def now(self) -> dt.datetime:
        """Return the time of the server's clock."""
        async with self._pool.link("tell the time") as link:
            now: dt.datetime = await link.fetchval(_SQL["now"])
        return now

    async def newest(self) -> dt.datetime | None:
        """Return when the newest thing was recorded."""
        async with self._pool.link("find the newest record") as link:
            newest: dt.datetime | None = await link.fetchval(_SQL["newest"])
        return newest

    async def known_envelopes(self, ids: Collection[str]) -> dict[str, str]:
        """Return id -> SHA-256 of those that are stored."""
        if not ids:
            return {}
        async with self._pool.link("look up envelopes") as link:
            found = await link.fetch(_SQL["known_envelopes"], sorted(ids), *rows.span(ids))
        return {str(record["id"]): record["sha256"].hex() for record in found}

    async def known_notices(self, ids: Collection[str]) -> set[tuple[str, str]]:
        """Return id and kind of those that are stored."""
        if not ids:
            return set()
        async with self._pool.link("look up notices") as link:
            found = await link.fetch(_SQL["known_notices"], sorted(ids), *rows.span(ids))
        return {(str(record["id"]), record["kind"]) for record in found}

    async def unanswered(
        self, since: dt.datetime, until: dt.datetime, *, made_since: dt.datetime, page: int = 1000
    ) -> AsyncGenerator[list[Marked], None]:
        """Yield the copies nobody has said anything about, page by page."""
        after: str | None = None
        while True:
            async with self._pool.link("list deliveries") as link:
                ids = [str(record["id"]) for record in await link.fetch(_SQL["envelope_page"], made_since, after, page)]
                if not ids:
                    return
                found = await link.fetch(_SQL["unanswered"], ids, *rows.span(ids), since, until)
            after = ids[-1]
            yield [Marked(str(each["envelope_id"]), each["mailbox"], each["lane"]) for each in found]

    async def told(
        self, since: dt.datetime, until: dt.datetime, *, made_since: dt.datetime, page: int = 1000
    ) -> AsyncGenerator[list[ToldMark], None]:
        """Yield the notices marked in a time, page by page."""
        after: tuple[str | None, str | None] = (None, None)
        while True:
            async with self._pool.link("list notices") as link:
                found = await link.fetch(_SQL["told"], made_since, *after, page)
            if not found:
                return
            after = (str(found[-1]["id"]), found[-1]["kind"])
            yield [
                ToldMark(str(each["id"]), each["kind"], each["mailbox"])
                for each in found
                if each["published_at"] is not None and since <= each["published_at"] < until
            ]

    async def envelopes(self, ids: Collection[str]) -> WithDeliveries:
        """Return envelopes with all their deliveries."""
        if not ids:
            return []
        async with self._pool.link("read envelopes") as link:
            envelopes = await link.fetch(_PUBLISHING["envelopes"], sorted(ids), *rows.span(ids))
            deliveries = await link.fetch(_ACCEPTING["deliveries"], sorted(ids), *rows.span(ids))
        by_envelope = rows.grouped(map(rows.delivery, deliveries))
        found = sorted(map(rows.envelope, envelopes), key=lambda envelope: envelope.id)
        return [(envelope, by_envelope.get(envelope.id, [])) for envelope in found]

    async def notices(self, keys: Collection[tuple[str, str]]) -> list[NoticeRow]:
        """Return notices by id and kind."""
        if not keys:
            return []
        ids = sorted({identifier for identifier, _ in keys})
        async with self._pool.link("read notices") as link:
            found = await link.fetch(_SQL["notices"], ids, *rows.span(ids))
        return [notice for notice in map(rows.notice, found) if (notice.id, notice.kind) in keys]

    async def put_again(self, copies: Sequence[Mark], notices: Sequence[Mark]) -> None:
        """Mark copies and notices as delivered now."""
        async with self._pool.link("mark what was put again") as link, link.transaction():
            for query, marks in ((_SQL["put_deliveries"], copies), (_SQL["put_notices"], notices)):
                if marks:
                    span = rows.span([identifier for identifier, _ in marks])
                    await link.execute(query, *rows.columns(sorted(marks), 2), *span)
