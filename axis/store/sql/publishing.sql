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
-- Each time it is handed out the wait until the next doubles, five times over.
UPDATE envelope SET attempted_at = now(), attempts = least(attempts + 1, 100)
WHERE id = ANY (ARRAY (SELECT id FROM envelope
                       WHERE published_at IS NULL
                         AND attempted_at <= now() - $1::interval * (1 << least(attempts, 5))
                       ORDER BY attempted_at LIMIT $2
                       FOR NO KEY UPDATE SKIP LOCKED))
RETURNING id, sender, account, thumbprint, lane, action, concerns, document_id, subject, sent_at, accepted_at, body,
          signature, sha256, evidence;

-- name: unmarked_notices
-- A receipt and a status may have the same id, where somebody made it so; which of them is meant says the mark. A receipt
-- whose envelope is unmarked and not handed out with it ($3) waits: its sender would go on before the document is there.
UPDATE notice SET attempted_at = now(), attempts = least(attempts + 1, 100)
WHERE published_at IS NULL
  AND id = ANY (ARRAY (SELECT id FROM notice
                       WHERE published_at IS NULL
                         AND attempted_at <= now() - $1::interval * (1 << least(attempts, 5))
                         AND NOT EXISTS (SELECT FROM envelope
                                         WHERE envelope.id = notice.about AND envelope.published_at IS NULL
                                           AND envelope.id <> ALL ($3::uuid[]))
                       ORDER BY attempted_at LIMIT $2
                       FOR NO KEY UPDATE SKIP LOCKED))
RETURNING id, mailbox, kind, about, body, signature;

-- name: held_queues
-- One probe of the index for each queue, not a walk over all that is held.
WITH RECURSIVE queue AS (
    (SELECT held_for FROM delivery WHERE state = 'held' ORDER BY held_for LIMIT 1)
    UNION ALL
    SELECT (SELECT held_for FROM delivery WHERE state = 'held' AND held_for > queue.held_for ORDER BY held_for LIMIT 1)
    FROM queue WHERE queue.held_for IS NOT NULL
)
SELECT held_for FROM queue WHERE held_for IS NOT NULL;

-- name: behind
SELECT queue
FROM unnest($1::text[]) AS queue
WHERE EXISTS (SELECT FROM delivery WHERE state = 'held')
  AND EXISTS (SELECT FROM delivery WHERE state = 'held' AND held_for = queue);

-- name: held
-- The envelopes of the first rows, each with all its deliveries for the queue: they are published together.
SELECT envelope_id, recipient, resolved, mailbox, state, reason, detail, via
FROM delivery
WHERE state = 'held' AND held_for = $1
  AND envelope_id = ANY (ARRAY (SELECT envelope_id FROM delivery
                                WHERE state = 'held' AND held_for = $1
                                ORDER BY placed_at, envelope_id LIMIT $2))
ORDER BY placed_at, envelope_id, position;

-- name: claim
-- What is tried now may get there, so from here on it cannot be withdrawn. What was withdrawn meanwhile is left out.
-- Also what was tried before, in the same statement and under the same locks: another relay's claim that ends while this
-- one waits must not hide its rows. Locked in the order in which everybody locks deliveries.
WITH wanted AS (
    SELECT envelope_id, recipient FROM delivery
    WHERE state = 'held' AND held_for = $1 AND envelope_id = ANY ($2::uuid[])
    ORDER BY envelope_id, recipient
    FOR NO KEY UPDATE
)
UPDATE delivery SET tried = true
FROM wanted
WHERE delivery.envelope_id = wanted.envelope_id AND delivery.recipient = wanted.recipient
RETURNING delivery.envelope_id, delivery.recipient;

-- name: envelopes
SELECT id, sender, account, thumbprint, lane, action, concerns, document_id, subject, sent_at, accepted_at, body,
       signature, sha256, evidence
FROM envelope
WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3;

-- name: hold
UPDATE delivery
SET state = 'held', held_for = wanted.queue, placed_at = clock_timestamp(), reason = wanted.reason,
    detail = wanted.detail, tried = true
FROM (SELECT delivery.envelope_id, delivery.recipient, hold.queue, hold.reason, hold.detail
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
           AS hold (envelope_id, mailbox, queue, reason, detail)
      JOIN delivery ON delivery.envelope_id = hold.envelope_id AND delivery.mailbox = hold.mailbox
      WHERE delivery.state = 'routed'
      ORDER BY delivery.envelope_id, delivery.recipient FOR NO KEY UPDATE OF delivery) AS wanted
WHERE delivery.envelope_id = wanted.envelope_id AND delivery.recipient = wanted.recipient;

-- name: release
UPDATE delivery SET state = 'routed', held_for = NULL, published_at = now(), reason = NULL, detail = NULL, tried = true
FROM (SELECT envelope_id, recipient FROM delivery
      WHERE envelope_id = ANY ($2::uuid[]) AND held_for = $1 AND state = 'held'
      ORDER BY envelope_id, recipient FOR NO KEY UPDATE) AS wanted
WHERE delivery.envelope_id = wanted.envelope_id AND delivery.recipient = wanted.recipient;
