"""What leaves quarantine by hand, in PostgreSQL."""

from collections.abc import Collection
from typing import Any

from axis.core.concerning import Waiting
from axis.core.ids import is_id
from axis.store import hostile
from axis.store.pool import Pool
from axis.store.quarantine_seam import Departure, QuarantineStore
from axis.store.queries import load

_SQL = load("quarantine")
_AUDIT = load("evidence")["audit"]


class PostgresQuarantine(QuarantineStore):
    """The tables of quarantine."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def drop(self, ids: Collection[str], *, by: str, why: str) -> frozenset[str]:
        """Take messages out for good."""
        named = sorted(filter(is_id, ids))
        async with self._pool.link("drop from quarantine") as link, link.transaction():
            left = await link.fetch(_SQL["leave"], named)
            for record in left:
                await _depart(link, record, "dropped", by, why)
        return frozenset(str(record["id"]) for record in left)

    async def requeue(self, identifier: str, waiting: Waiting, *, by: str, why: str) -> bool:
        """Take a message out and hand it to the routers."""
        if not is_id(identifier):
            return False
        async with self._pool.link("requeue from quarantine") as link, link.transaction():
            if await link.fetchval(_SQL["lock"], identifier) is None:
                return False
            handed = await link.fetchval(
                _SQL["wait"],
                waiting.id,
                waiting.concerns,
                waiting.received_at,
                waiting.until,
                waiting.queue,
                waiting.account,
                waiting.routing_key,
                waiting.content_type,
                hostile.headers_as_json(waiting.headers),
                bytes.fromhex(waiting.sha256),
                waiting.body,
            )
            if handed is None:
                return False
            for record in await link.fetch(_SQL["leave"], [identifier]):
                await _depart(link, record, "requeued", by, why)
        return True

    async def departures(self, identifier: str) -> tuple[Departure, ...]:
        """Return what was done with a message by hand."""
        async with self._pool.link("read what left quarantine") as link:
            return tuple(Departure(**record) for record in await link.fetch(_SQL["departures"], identifier))


async def _depart(link: Any, record: Any, how: str, by: str, why: str) -> None:
    actor, said = hostile.text(by, hostile.MAX_NAME), hostile.text(why, hostile.MAX_TEXT)
    await link.execute(_SQL["depart"], record["id"], how, actor, said)
    detail = {"why": said, **{name: record[name] for name in ("reason", "account", "message_id")}}
    await link.execute(_AUDIT, actor, f"quarantine.{how}", str(record["id"]), hostile.as_json(detail))
