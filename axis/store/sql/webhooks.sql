-- name: one_at_a_time
-- Two that add for one account side by side would not see each other's, and pass the limit.
SELECT pg_advisory_xact_lock(hashtextextended('axis webhook ' || $1::text, 0));

-- name: put
INSERT INTO webhook (id, account, url, events, cursor, added_at, added_by)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE (SELECT count(*) FROM webhook WHERE account = $2 AND url <> $3) < $8
ON CONFLICT (account, url) DO UPDATE SET events = excluded.events
RETURNING id, account, url, events, cursor, added_at, added_by;

-- name: webhooks
SELECT id, account, url, events, cursor, added_at, added_by FROM webhook
WHERE $1::text IS NULL OR account = $1
ORDER BY account, added_at, id;

-- name: remove
DELETE FROM webhook WHERE id = $1 RETURNING id;

-- name: counts
SELECT webhook, count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'dead') AS dead
FROM webhook_call WHERE webhook = ANY ($1::uuid[]) GROUP BY webhook;

-- name: count
SELECT state, count(*) AS count FROM webhook_call GROUP BY state;

-- name: latest
SELECT id, webhook, since, due_at, tried_at, attempts, missed, state, told, events::text AS events
FROM webhook_call WHERE webhook = $1 ORDER BY id DESC LIMIT $2;

-- name: requeue
UPDATE webhook_call
SET state = 'waiting', due_at = $2, since = CASE state WHEN 'dead' THEN $2 ELSE since END,
    attempts = CASE state WHEN 'dead' THEN 0 ELSE attempts END
WHERE webhook = $1 RETURNING id;

-- name: claim
UPDATE webhook SET claimed_until = $2
WHERE id IN (
    SELECT id FROM webhook AS ready
    WHERE claimed_until <= $1 AND CASE
        WHEN $4 THEN EXISTS (SELECT FROM webhook_call AS call
                             WHERE call.webhook = ready.id AND call.state = 'waiting' AND call.due_at <= $1
                               AND call.attempts > 0)
        ELSE EXISTS (SELECT FROM webhook_call AS call
                     WHERE call.webhook = ready.id AND call.state = 'waiting' AND call.due_at <= $1
                       AND call.attempts = 0)
             OR (NOT EXISTS (SELECT FROM webhook_call AS call WHERE call.webhook = ready.id AND call.state = 'waiting')
                 AND EXISTS (SELECT FROM feed WHERE feed.account = ready.account AND feed.seq > ready.cursor)) END
    ORDER BY claimed_until LIMIT $3
    FOR UPDATE SKIP LOCKED)
RETURNING id, account, url, events, cursor, added_at, added_by;

-- name: give_back
UPDATE webhook SET claimed_until = $2 WHERE id = $1;

-- name: next_call
SELECT id, webhook, since, due_at, tried_at, attempts, missed, state, told, events::text AS events
FROM webhook_call WHERE webhook = $1 AND state = 'waiting' ORDER BY id LIMIT 1;

-- name: advance
UPDATE webhook SET cursor = greatest(cursor, $2) WHERE id = $1 RETURNING id;

-- name: keep_call
INSERT INTO webhook_call (id, webhook, since, due_at, missed, events) VALUES ($1, $2, $3, $4, $5, $6::jsonb);

-- name: settle
UPDATE webhook_call SET due_at = $2, tried_at = $3, attempts = $4, state = $5, told = $6 WHERE id = $1;

-- name: forget
DELETE FROM webhook_call WHERE id = $1;

-- name: prune
DELETE FROM webhook_call WHERE state = 'dead' AND tried_at < $1 RETURNING id;
