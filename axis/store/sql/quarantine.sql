-- name: leave
-- Only what is in: one that came again since it left is in again.
UPDATE quarantine SET left_at = greatest(now(), last_seen_at)
WHERE id = ANY ($1::uuid[]) AND (left_at IS NULL OR left_at < last_seen_at)
RETURNING id, reason, account, message_id;

-- name: lock
SELECT id FROM quarantine WHERE id = $1 AND (left_at IS NULL OR left_at < last_seen_at) FOR UPDATE;

-- name: depart
INSERT INTO quarantine_departure (message, how, actor, why) VALUES ($1, $2, $3, $4);

-- name: departures
SELECT at, how, actor, why FROM quarantine_departure WHERE message = $1 ORDER BY id DESC LIMIT 100;

-- name: wait
INSERT INTO waiting
    (id, concerns, received_at, until, queue, account, routing_key, content_type, headers, sha256, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10, $11)
ON CONFLICT (id) DO NOTHING RETURNING id;
