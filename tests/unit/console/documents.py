"""Documents for the pages: accepted in the store of a bench, and registered."""

import json
from typing import Any

from axis.core.ids import new_id
from axis.core.records import Accepted, DeliveryRow
from tests.unit.console.browser import NOON, Bench
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted, delivery_row


def written(number: int, recipients: list[str], *, at: Any = NOON, **said: Any) -> Accepted:
    """Build an accepted document whose body says what the schema has it say."""
    envelope = {
        name: said.pop(name)
        for name in ("sender", "account", "lane", "action", "subject", "document_id", "attachments", "concerns")
        if name in said
    }
    identifier = said.pop("id", None) or new_id(at)
    deliveries: list[DeliveryRow] = said.pop("deliveries", None) or [
        delivery_row(identifier, each) for each in recipients
    ]
    document = {"number": str(number), "notation": "VPCP-TTĐT", "issued_on": "2026-11-27", "kind": "Công văn", **said}
    return accepted(
        recipients,
        deliveries=deliveries,
        id=identifier,
        body=json.dumps({"id": identifier, "document": document}, ensure_ascii=False).encode(),
        sent_at=at,
        accepted_at=at,
        **envelope,
    )


async def put(bench: Bench, *documents: Accepted) -> list[str]:
    """Accept and register documents; return their ids."""
    async with bench.store.transaction() as tx:
        await tx.accept(documents)
    await keep(bench.store)
    return [each.envelope.id for each in documents]
