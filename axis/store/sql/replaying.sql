-- name: begin
INSERT INTO replay (id, mailbox, queue, since, until, by, begun_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (queue) WHERE ended_at IS NULL DO NOTHING;

-- name: open
SELECT id, mailbox, queue, since, until, by, begun_at, after_at, after_id, put, left_out, filled_at, ended_at
FROM replay WHERE queue = $1 AND ended_at IS NULL;

-- name: listed
SELECT id, mailbox, queue, since, until, by, begun_at, after_at, after_id, put, left_out, filled_at, ended_at
FROM replay ORDER BY ended_at IS NOT NULL, begun_at DESC, id LIMIT $1;

-- name: places
SELECT id, accepted_at FROM envelope
WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3 AND accepted_at >= $5 AND accepted_at < $6
  AND EXISTS (SELECT FROM delivery
              WHERE delivery.envelope_id = envelope.id AND delivery.mailbox = $4
                AND delivery.envelope_id BETWEEN $2 AND $3)
ORDER BY id;

-- name: talks
SELECT request, about, original, recipient FROM conversation
WHERE (about = ANY ($1::uuid[]) OR request = ANY ($1::uuid[])) AND state IN ('withdrawn', 'destroyed');

-- name: advance
UPDATE replay SET after_at = $3, after_id = $4, put = put + $5, left_out = left_out + $6
WHERE id = $1 AND ended_at IS NULL AND after_id IS NOT DISTINCT FROM $2
RETURNING id, mailbox, queue, since, until, by, begun_at, after_at, after_id, put, left_out, filled_at, ended_at;

-- name: fill
UPDATE replay SET filled_at = coalesce(filled_at, $2) WHERE id = $1;

-- name: end
UPDATE replay SET ended_at = coalesce(ended_at, $2) WHERE id = $1;
