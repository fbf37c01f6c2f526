"""Fill a database with envelopes as if they had been sent: by SQL, so that a million take minutes, not hours."""

import datetime as dt

import asyncpg

_CHUNK = 50_000
_FILL_SECONDS = 900

# Ids are UUIDv7 with times spread evenly over the past days; everything is marked as published, and a body has 2 KiB.
_FILL = """
WITH made AS (
    SELECT number, moment,
           (substr(replace(axis_id_floor(moment)::text, '-', ''), 1, 12) || '7' || substr(noise, 1, 3)
            || '8' || substr(noise, 4, 15))::uuid AS id,
           (substr(replace(axis_id_floor(moment)::text, '-', ''), 1, 12) || '7' || substr(noise, 19, 3)
            || '9' || substr(noise, 4, 15))::uuid AS receipt
    FROM (SELECT number, now() - $3::interval * ((number + 0.5) / $4) AS moment, md5(number::text || $6) AS noise
          FROM generate_series($1::bigint, $2::bigint) AS number) AS numbers
), envelopes AS (
    INSERT INTO envelope (id, receipt, sent_at, accepted_at, published_at, lane, action, sender, account, thumbprint,
                          document_id, subject, sha256, signature, body)
    SELECT id, receipt, moment, moment, moment, 'normal', 'new', 'G22', 'G22', repeat('t', 43),
           'G22,' || $6 || ',' || number, 'V/v kết nối, liên thông', sha256(id::text::bytea), repeat('s', 160),
           convert_to(repeat(md5(id::text), 64), 'UTF8')
    FROM made
), deliveries AS (
    INSERT INTO delivery (envelope_id, position, state, recipient, resolved, mailbox)
    SELECT id, 0, 'routed', $5, $5, $5 FROM made
)
INSERT INTO notice (id, about, published_at, kind, mailbox, signature, body)
SELECT receipt, id, moment, 'receipt', 'G22', repeat('s', 160), convert_to(repeat(md5(id::text), 16), 'UTF8') FROM made
"""


async def fill(database: str, count: int, *, recipient: str = "H37", days: float = 20.0, seed: str = "") -> None:
    """Add `count` envelopes to one recipient, their deliveries and receipts, and let the server tidy up after it."""
    connection = await asyncpg.connect(database, command_timeout=_FILL_SECONDS)
    try:
        for first in range(0, count, _CHUNK):
            last = min(first + _CHUNK, count) - 1
            await connection.execute(_FILL, first, last, dt.timedelta(days=days), count, recipient, seed)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def stored_ids(database: str, limit: int, *, seed: str = "") -> list[str]:
    """Read ids that `fill` made with this seed."""
    statement = "SELECT id FROM envelope WHERE starts_with(document_id, $1) LIMIT $2"
    connection = await asyncpg.connect(database, command_timeout=_FILL_SECONDS)
    try:
        return [str(row[0]) for row in await connection.fetch(statement, f"G22,{seed},", limit)]
    finally:
        await connection.close()
