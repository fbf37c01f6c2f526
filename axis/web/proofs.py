"""Proofs that receipts are in the log."""

from axis.errors import NotFound
from axis.proving import LogProof, LogReader
from axis.store import LogStore


async def prove(log: LogStore, reader: LogReader, receipt_id: str) -> tuple[LogProof, bytes | None]:
    """Return the proof for a receipt and the timestamp of its checkpoint, where there is one.

    Raises NotFound log/not-logged while the notary has not come to it, Unavailable, and NotFound log/not-found when the
    log's files are not all there.
    """
    position = await log.position_of(receipt_id)
    signed = None if position is None else await log.covering(position)
    if position is None or signed is None:
        raise NotFound(f"{receipt_id} is not in the log yet", code="log/not-logged")
    hashes = await reader.inclusion(position, signed.size)
    return LogProof(position, tuple(hashes), signed.note), signed.timestamp
