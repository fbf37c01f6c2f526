-- Statements here find their rows by `= ANY (ARRAY (…))`, not by a join: it leaves the planner nothing but the key's
-- index, with whatever statistics it was planned.

-- name: mark
-- Does not wait for the disk: a mark that is lost with the server costs a second publish, which recipients drop. The
-- setting is for this one statement's transaction. Rows are locked in order first, because two routers that were given
-- the same messages mark the same envelopes. The bounds are the least and greatest id: by them other months are skipped.
WITH lazily AS (SELECT set_config('synchronous_commit', 'off', true)),
envelopes AS (
    UPDATE envelope SET published_at = now()
    WHERE id BETWEEN $2 AND $3
      AND id = ANY (ARRAY (SELECT id FROM envelope
                           WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3 AND published_at IS NULL
                           ORDER BY id FOR NO KEY UPDATE))
),
notices AS (
    UPDATE notice SET published_at = now()
    WHERE id BETWEEN $5 AND $6
      AND id = ANY (ARRAY (SELECT id FROM notice
                           WHERE id = ANY ($4::uuid[]) AND id BETWEEN $5 AND $6 AND published_at IS NULL
                           ORDER BY id, kind FOR NO KEY UPDATE))
)
SELECT count(*) FROM lazily;

-- name: unmarked_envelopes
UPDATE envelope SET attempted_at = now()
WHERE id = ANY (ARRAY (SELECT id FROM envelope
                       WHERE published_at IS NULL AND attempted_at <= now() - $1::interval
                       ORDER BY attempted_at LIMIT $2
                       FOR NO KEY UPDATE SKIP LOCKED))
RETURNING *;

-- name: unmarked_notices
-- A receipt and a status may have the same id, where somebody made it so; which of them is meant says the mark.
UPDATE notice SET attempted_at = now()
WHERE published_at IS NULL
  AND id = ANY (ARRAY (SELECT id FROM notice
                       WHERE published_at IS NULL AND attempted_at <= now() - $1::interval
                       ORDER BY attempted_at LIMIT $2
                       FOR NO KEY UPDATE SKIP LOCKED))
RETURNING *;

-- name: held_mailboxes
SELECT DISTINCT mailbox FROM delivery WHERE state = 'held';

-- name: held
WITH oldest AS (
    SELECT DISTINCT envelope_id FROM delivery
    WHERE state = 'held' AND ($2::text[] IS NULL OR mailbox = ANY ($2))
    ORDER BY envelope_id LIMIT $1
)
SELECT envelope_id, recipient, resolved, mailbox, state, reason, detail, via
FROM delivery JOIN oldest USING (envelope_id)
WHERE state = 'held' AND ($2::text[] IS NULL OR mailbox = ANY ($2))
ORDER BY envelope_id, position;

-- name: envelopes
SELECT * FROM envelope WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3;

-- name: hold
UPDATE delivery SET state = 'held', reason = $3, detail = $4
FROM (SELECT envelope_id, recipient FROM delivery
      WHERE envelope_id = $1 AND mailbox = ANY ($2::text[]) AND state = 'routed'
      ORDER BY recipient FOR NO KEY UPDATE) AS wanted
WHERE delivery.envelope_id = $1 AND delivery.recipient = wanted.recipient;

-- name: release
UPDATE delivery SET state = 'routed', published_at = now(), reason = NULL, detail = NULL
FROM (SELECT envelope_id, recipient FROM delivery
      WHERE envelope_id = $1 AND mailbox = $2 AND state = 'held'
      ORDER BY recipient FOR NO KEY UPDATE) AS wanted
WHERE delivery.envelope_id = $1 AND delivery.recipient = wanted.recipient;
