-- name: quarantined
SELECT id, received_at, last_seen_at, count, size, source, reason, detail, account, message_id, sha256, headers, body,
       properties, left_at
FROM quarantine
WHERE ($2::text IS NULL OR reason = $2) AND ($3::timestamptz IS NULL OR last_seen_at < $3 OR (last_seen_at = $3 AND id < $4::uuid))
  AND (left_at IS NULL OR left_at < last_seen_at)
ORDER BY last_seen_at DESC, id DESC
LIMIT $1;

-- name: quarantined_one
SELECT id, received_at, last_seen_at, count, size, source, reason, detail, account, message_id, sha256, headers, body,
       properties, left_at
FROM quarantine
WHERE id = $1;

-- name: audit
INSERT INTO audit (actor, action, subject, detail) VALUES ($1, $2, $3, $4::jsonb);
