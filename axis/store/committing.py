"""The end of a transaction, which must never be half an end."""

import asyncio
from typing import Any

from axis.errors import Unavailable
from axis.store import reaching

# Longer than anybody waits: past it asyncpg would cancel the COMMIT.
_NEVER_SECONDS = 86_400.0


async def commit(link: Any) -> None:
    """Commit, or raise with the outcome unknown; the connection is then gone.

    A COMMIT that waits for a standby is not undone by being cancelled: it becomes visible here without being there, and
    who finds it on the next try takes for safe what a failover loses. So none is cancelled: past the deadline the
    connection is dropped, and the server goes on waiting, with the transaction invisible and its locks held.
    """
    committing = asyncio.ensure_future(link.execute("COMMIT", timeout=_NEVER_SECONDS))
    try:
        async with asyncio.timeout(reaching.COMMAND_SECONDS):
            outcome = await asyncio.shield(committing)
    except BaseException:
        if not committing.done():
            link.terminate()
            await asyncio.gather(committing, return_exceptions=True)
        raise
    if outcome != "COMMIT":
        raise Unavailable(f"the database answered {outcome} to a COMMIT")
