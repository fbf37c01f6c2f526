-- name: mark
-- Does not wait for the disk: a mark that is lost with the server costs a second publish, which recipients drop. The
-- setting is for this one statement's transaction. Rows are locked in order first, because two routers that were given
-- the same messages mark the same envelopes.
WITH lazily AS (SELECT set_config('synchronous_commit', 'off', true)),
envelopes AS (
    UPDATE envelope SET published_at = now()
    FROM (SELECT id FROM envelope
          WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3 AND published_at IS NULL
          ORDER BY id FOR NO KEY UPDATE) AS wanted
    WHERE envelope.id = wanted.id AND envelope.id BETWEEN $2 AND $3
),
notices AS (
    UPDATE notice SET published_at = now()
    FROM (SELECT id, kind FROM notice
          WHERE id = ANY ($4::uuid[]) AND id BETWEEN $5 AND $6 AND published_at IS NULL
          ORDER BY id, kind FOR NO KEY UPDATE) AS wanted
    WHERE notice.id = wanted.id AND notice.kind = wanted.kind AND notice.id BETWEEN $5 AND $6
)
SELECT count(*) FROM lazily;

-- name: unmarked_envelopes
WITH due AS (
    SELECT id FROM envelope
    WHERE published_at IS NULL AND attempted_at <= now() - $1::interval
    ORDER BY attempted_at LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE envelope SET attempted_at = now() FROM due WHERE envelope.id = due.id RETURNING envelope.*;

-- name: unmarked_notices
WITH due AS (
    SELECT id, kind FROM notice
    WHERE published_at IS NULL AND attempted_at <= now() - $1::interval
    ORDER BY attempted_at LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE notice SET attempted_at = now() FROM due WHERE notice.id = due.id AND notice.kind = due.kind RETURNING notice.*;

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
