-- name: concerned
-- Locked: two envelopes about one document are decided one after the other.
SELECT sender, account FROM envelope WHERE id = $1 FOR NO KEY UPDATE;

-- name: concerned_deliveries
-- Locked, so that the relay does not take up what is withdrawn here; in the order of the key.
SELECT recipient, resolved, mailbox, state, held_for, tried
FROM delivery WHERE envelope_id = $1 ORDER BY recipient FOR NO KEY UPDATE;

-- name: conversations_about
SELECT request, about, recipient, original, kind, state, requested_at, requested_by, reason, answered_at, answered_by,
       answer, destroyed_at
FROM conversation
WHERE about = ANY ($1::uuid[]) OR request = ANY ($1::uuid[])
ORDER BY requested_at, request, recipient;

-- name: conversations_of
SELECT request, about, recipient, original, kind, state, requested_at, requested_by, reason, answered_at, answered_by,
       answer, destroyed_at
FROM unnest($1::uuid[], $2::text[]) AS wanted (request, recipient) JOIN conversation USING (request, recipient);

-- name: begin
INSERT INTO conversation
    (request, about, recipient, original, kind, state, requested_at, requested_by, reason, answered_at, answered_by,
     answer, destroyed_at)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
            $9::text[], $10::timestamptz[], $11::text[], $12::text[], $13::timestamptz[])
ON CONFLICT (request, recipient) DO NOTHING;

-- name: move
INSERT INTO conversation AS old
    (request, about, recipient, original, kind, state, requested_at, requested_by, reason, answered_at, answered_by,
     answer, destroyed_at)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
            $9::text[], $10::timestamptz[], $11::text[], $12::text[], $13::timestamptz[])
ON CONFLICT (request, recipient) DO UPDATE
SET state = excluded.state, answered_at = excluded.answered_at, answered_by = excluded.answered_by,
    answer = excluded.answer, destroyed_at = excluded.destroyed_at;

-- name: withdraw
UPDATE delivery SET state = 'withdrawn', held_for = NULL, reason = 'concerns/withdrawn', detail = gone.detail
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS gone (envelope_id, recipient, detail)
WHERE delivery.envelope_id = gone.envelope_id AND delivery.recipient = gone.recipient
  AND delivery.state = 'held' AND NOT delivery.tried;

-- name: wait
INSERT INTO waiting
    (id, concerns, received_at, until, queue, account, routing_key, content_type, headers, sha256, body)
SELECT $1::uuid, $2::uuid, $3::timestamptz, $4::timestamptz, $5::text, $6::text, $7::text, $8::text,
       $9::text::jsonb, $10::bytea, $11::bytea
WHERE (SELECT count(*) FROM waiting WHERE account = $6::text) < $12::bigint
ON CONFLICT (id) DO NOTHING;

-- name: waiting_one
SELECT id, concerns, received_at, until, queue, account, routing_key, content_type, headers, sha256, body
FROM waiting WHERE id = $1;

-- name: waiting
-- Those first whose document is there: any number that nothing came for may wait to be refused.
SELECT id, concerns, received_at, until, queue, account, routing_key, content_type, headers, sha256, body
FROM (
    SELECT *, EXISTS (SELECT FROM envelope WHERE envelope.id = waiting.concerns) AS there
    FROM waiting
    WHERE queue = $1
) AS kept
WHERE there OR until <= $2
ORDER BY there DESC, received_at, id LIMIT $3;

-- name: waiting_for
SELECT id, concerns, received_at, until, queue, account, routing_key, content_type, headers, sha256, body
FROM waiting WHERE id = ANY ($1::uuid[]) OR concerns = ANY ($1::uuid[])
ORDER BY received_at, id LIMIT 100;

-- name: waited
DELETE FROM waiting WHERE id = $1 AND sha256 = $2 RETURNING id;
