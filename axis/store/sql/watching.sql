-- name: watches
SELECT mailbox_watch.queue, mailbox_watch.mailbox, mailbox_look.at AS seen_at, ready, unacked, consumers,
       no_consumer_since, oldest_at, still_since, moved_at, taken
FROM mailbox_watch CROSS JOIN mailbox_look
WHERE $1::text[] IS NULL OR mailbox = ANY ($1)
ORDER BY mailbox_watch.queue;

-- name: look
INSERT INTO mailbox_look (at) VALUES ($1) ON CONFLICT (single) DO UPDATE SET at = excluded.at;

-- name: change
INSERT INTO mailbox_watch (queue, mailbox, ready, unacked, consumers, no_consumer_since, oldest_at, still_since,
                           moved_at, taken)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::integer[], $6::timestamptz[],
                     $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::bigint[])
ON CONFLICT (queue) DO UPDATE
SET ready = excluded.ready, unacked = excluded.unacked, consumers = excluded.consumers,
    no_consumer_since = excluded.no_consumer_since, oldest_at = excluded.oldest_at,
    still_since = excluded.still_since, moved_at = excluded.moved_at, taken = excluded.taken;

-- name: gone
DELETE FROM mailbox_watch WHERE queue = ANY ($1::text[]);

-- name: mailboxes
SELECT DISTINCT code FROM mailbox WHERE valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1) ORDER BY code;

-- name: held
-- One probe of the index for each queue, as in `held_queues`, and then no further than is counted.
WITH RECURSIVE queue AS (
    (SELECT held_for FROM delivery WHERE state = 'held' ORDER BY held_for LIMIT 1)
    UNION ALL
    SELECT (SELECT held_for FROM delivery WHERE state = 'held' AND held_for > queue.held_for ORDER BY held_for LIMIT 1)
    FROM queue WHERE queue.held_for IS NOT NULL
)
SELECT queue.held_for AS queue, found.count, found.since
FROM queue CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(placed_at) AS since
    FROM (SELECT placed_at FROM delivery WHERE state = 'held' AND held_for = queue.held_for
          ORDER BY placed_at LIMIT $2) AS first
) AS found
WHERE queue.held_for IS NOT NULL AND found.since < $1
ORDER BY queue.held_for;

-- name: unmarked
-- The time of a notice is that of its id. A receipt's is made by the axis; a status brings its reporter's, which may be
-- older than it is here: so only what the relay has tried is counted.
SELECT (SELECT count(*) FROM (SELECT FROM envelope WHERE published_at IS NULL AND accepted_at >= $1 LIMIT $2) AS few)
           AS young,
       envelopes.count AS envelopes, envelopes.since AS envelopes_since,
       notices.count AS notices, notices.since AS notices_since
FROM (SELECT count(*) AS count, min(accepted_at) AS since
      FROM (SELECT accepted_at FROM envelope WHERE published_at IS NULL AND accepted_at < $1 LIMIT $2) AS few)
         AS envelopes,
     (SELECT count(*) AS count, min(axis_id_time(id)) AS since
      FROM (SELECT id FROM notice WHERE published_at IS NULL AND attempts >= 2 AND id < axis_id_floor($1) LIMIT $2)
               AS few) AS notices;

-- name: hasten_envelopes
UPDATE envelope SET attempts = 0, attempted_at = attempted_at - interval '1 day'
WHERE id = ANY (ARRAY (SELECT id FROM envelope WHERE published_at IS NULL AND accepted_at < $1
                       ORDER BY attempted_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))
RETURNING 1;

-- name: hasten_notices
UPDATE notice SET attempts = 0, attempted_at = attempted_at - interval '1 day'
WHERE published_at IS NULL
  AND id = ANY (ARRAY (SELECT id FROM notice
                       WHERE published_at IS NULL AND attempts >= 2 AND id < axis_id_floor($1)
                       ORDER BY attempted_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))
RETURNING 1;

-- name: page
SELECT id FROM envelope WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2;

-- name: copies
-- What stands in braces is a query of comparing.sql: the audit and the auditor mean the same by it.
SELECT 'mailbox.' || lane || '.' || mailbox AS queue, count(*) AS count,
       count(*) FILTER (WHERE delivered_at < $6) AS old,
       min(delivered_at) AS oldest_at,
       (array_agg(envelope_id ORDER BY delivered_at, envelope_id))[1] AS oldest_id
FROM ({unanswered}) AS copy
GROUP BY lane, mailbox;

-- name: report
INSERT INTO finding (cause, subject, mailbox, since, count, about, found_at)
SELECT *, $7 FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::uuid[])
ON CONFLICT (cause, subject) WHERE healed_at IS NULL DO UPDATE
SET since = excluded.since, count = excluded.count, about = excluded.about
RETURNING cause, subject, xmax = 0 AS new;

-- name: healed_by_themselves
UPDATE finding SET healed_at = $3, healed = 'itself'
WHERE healed_at IS NULL AND NOT EXISTS (
    SELECT FROM unnest($1::text[], $2::text[]) AS still (cause, subject)
    WHERE still.cause = finding.cause AND still.subject = finding.subject)
RETURNING cause, subject, mailbox, since, count, about, healed_at, healed;

-- name: heal
UPDATE finding SET healed_at = $3, healed = 'auditor'
FROM unnest($1::text[], $2::text[]) AS done (cause, subject)
WHERE finding.healed_at IS NULL AND finding.cause = done.cause AND finding.subject = done.subject;

-- name: open_findings
SELECT cause, subject, mailbox, since, count, about, healed_at, healed FROM finding
WHERE healed_at IS NULL ORDER BY found_at DESC, id DESC LIMIT $1;

-- name: healed_findings
SELECT cause, subject, mailbox, since, count, about, healed_at, healed FROM finding
WHERE healed_at IS NOT NULL ORDER BY healed_at DESC, id DESC LIMIT $1;
