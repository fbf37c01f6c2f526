-- name: quarantined
-- Written for quarantine_in: an OR over what may be NULL would read every row before the place to go on from.
SELECT id, received_at, last_seen_at, count, size, source, reason, detail, account, message_id, sha256, headers, body,
       properties, left_at
FROM quarantine
WHERE (last_seen_at, id)
      < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, '00000000-0000-0000-0000-000000000000'))
  AND ($2::text IS NULL OR reason = $2)
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
