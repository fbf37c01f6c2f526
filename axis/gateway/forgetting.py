"""Removing the files of state secrets: their envelopes were refused, and nothing of them may stay."""

import datetime as dt

import structlog

from axis.blobs import Blobs
from axis.store import BlobStore

# A router that decided before the refusal was committed has committed its envelope by then, or never will.
OLDER_THAN = dt.timedelta(minutes=1)
EVERY = dt.timedelta(seconds=20)
_AT_ONCE = 100


async def forget_unwanted(store: BlobStore, blobs: Blobs, older_than: dt.timedelta = OLDER_THAN) -> int:
    """Forget every blob that is unwanted for so long; return how many were removed.

    Raises Unavailable; it may be repeated at any time, by several gateways at once.
    """
    log = structlog.get_logger(part="forgetting")
    removed = 0
    while due := await store.unwanted(older_than, _AT_ONCE):
        for sha256 in due:
            gone = await store.forget(sha256, blobs.remove)
            removed += gone
            log.info("forgotten" if gone else "needed by others", blob=sha256)
    return removed
