"""What the store holds about revocation, in PostgreSQL."""

import datetime as dt
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any
from uuid import UUID

from axis.core.evidence import Answer, Evidence, Proof
from axis.store import rows
from axis.store.pool import Pool
from axis.store.proving import ProofStore, Signed, Stamp
from axis.store.queries import load

_SQL = load("proofs")


class PostgresProofs(ProofStore):
    """Evidence in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def newest(self, sources: Collection[str]) -> dict[str, Stamp]:
        """Return how new the newest answer of each source is."""
        if not sources:
            return {}
        async with self._pool.link("look up revocation answers") as link:
            found = await link.fetch(_SQL["newest"], sorted(sources))
        return {record["source"]: Stamp(record["this_update"], _number(record["number"])) for record in found}

    async def keep(self, evidence: Evidence, trusted_until: dt.datetime) -> None:
        """Store evidence and rely on it."""
        answers = sorted({answer.sha256: answer for answer in evidence.answers}.values(), key=lambda each: each.sha256)
        digests = [bytes.fromhex(answer.sha256) for answer in answers]
        columns = rows.columns(map(_answer, answers), 7)
        async with self._pool.link("store revocation evidence") as link, link.transaction():
            await link.execute(_SQL["put_answers"], *columns)
            await link.execute(_SQL["put_evidence"], evidence.thumbprint, evidence.as_of, evidence.good_until, digests)
            await link.execute(_SQL["use_evidence"], evidence.thumbprint, digests, trusted_until)

    async def trust(self, thumbprint: str, until: dt.datetime | None) -> None:
        """Have a certificate rely until then on what it has; None: as long as it lasts."""
        async with self._pool.link("store how long evidence suffices") as link:
            await link.execute(_SQL["trust"], thumbprint, until)

    async def proofs(self, ids: Collection[int]) -> dict[int, Proof]:
        """Return evidence by id."""
        async with self._pool.link("look up evidence") as link:
            return {record["id"]: Proof(**record) for record in await link.fetch(_SQL["proofs"], sorted(ids))}

    async def answers(self, evidence: int) -> list[Answer]:
        """Return the answers that make up evidence."""
        async with self._pool.link("look up revocation answers") as link:
            found = await link.fetch(_SQL["answers"], evidence)
        return [
            Answer(**{**record, "sha256": record["sha256"].hex(), "number": _number(record["number"])})
            for record in found
        ]

    async def warned(self) -> dict[str, dict[int, dt.datetime]]:
        """Return what was warned of."""
        async with self._pool.link("list warnings") as link:
            found: dict[str, dict[int, dt.datetime]] = {}
            for record in await link.fetch(_SQL["warned"]):
                found.setdefault(record["thumbprint"], {})[record["days"]] = record["warned_at"]
        return found

    async def warn(self, thumbprint: str, days: int) -> bool:
        """Note a warning; say whether it is the first."""
        async with self._pool.link("note a warning") as link:
            return await link.fetchval(_SQL["warn"], thumbprint, days) is not None

    async def signed(
        self, thumbprint: str, *, made_since: dt.datetime, page: int = 5000
    ) -> AsyncGenerator[Sequence[Signed], None]:
        """Yield what was taken under a certificate, page by page."""
        for query, convert in (
            (_SQL["envelope_page"], _signed_envelope),
            (_SQL["status_page"], _signed_status),
        ):
            # Not NULL for the first page: “NULL or greater” is no condition that an index can begin at.
            after: Any = UUID(int=0)
            while True:
                async with self._pool.link("list what was signed") as link:
                    looked_at = await link.fetch(query, made_since, after, page)
                if found := [convert(record) for record in looked_at if record["thumbprint"] == thumbprint]:
                    yield found
                if len(looked_at) < page:
                    break
                after = looked_at[-1]["id"]


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _answer(answer: Answer) -> tuple[Any, ...]:
    return (
        bytes.fromhex(answer.sha256),
        answer.kind,
        answer.source,
        answer.this_update,
        answer.next_update,
        answer.number,
        answer.body,
    )


def _signed_envelope(record: Any) -> Signed:
    return Signed(
        kind="envelope",
        id=str(record["id"]),
        at=record["at"],
        said_by=record["said_by"],
        account=record["account"],
        about=record["document_id"],
        proof=rows.proof(record),
    )


def _signed_status(record: Any) -> Signed:
    return Signed(
        kind="status",
        id=str(record["id"]),
        at=record["at"],
        said_by=record["said_by"],
        account=record["account"],
        about=str(record["envelope_id"]),
        proof=rows.proof(record),
    )
