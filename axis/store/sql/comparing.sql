-- name: now
SELECT now();

-- name: newest
-- Ids rise with time, so the newest rows are among the last ids; a sender whose clock is ahead may have put a few before
-- them, which is why it is not only the very last one. The id of a receipt is made by the axis itself.
SELECT greatest(
    (SELECT max(accepted_at) FROM (SELECT accepted_at FROM envelope ORDER BY id DESC LIMIT 1000) AS last_envelopes),
    (SELECT max(received_at) FROM (SELECT received_at FROM status_event ORDER BY id DESC LIMIT 1000) AS last_statuses)
);

-- name: known_envelopes
SELECT id, sha256 FROM envelope WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3;

-- name: known_notices
SELECT id, kind FROM notice WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3;

-- name: envelope_page
SELECT id FROM envelope
WHERE id >= axis_id_floor($1) AND ($2::uuid IS NULL OR id > $2)
ORDER BY id LIMIT $3;

-- name: unanswered
-- A copy in a mailbox is one, however many recipients it serves: a word of any of them says that it was taken. A status
-- that only notes something leaves `last_status` alone, so the statuses themselves are asked too; 13 is the sender's own.
SELECT delivery.envelope_id, envelope.lane, delivery.mailbox,
       min(coalesce(delivery.published_at, envelope.published_at)) AS delivered_at
FROM envelope JOIN delivery ON delivery.envelope_id = envelope.id
WHERE envelope.id = ANY ($1::uuid[]) AND envelope.id BETWEEN $2 AND $3
  AND delivery.envelope_id BETWEEN $2 AND $3
  AND delivery.state = 'routed'
  AND coalesce(delivery.published_at, envelope.published_at) >= $4
  AND coalesce(delivery.published_at, envelope.published_at) < $5
GROUP BY delivery.envelope_id, envelope.lane, delivery.mailbox
HAVING count(delivery.last_status) = 0
   AND NOT EXISTS (SELECT FROM status_event
                   WHERE status_event.envelope_id = delivery.envelope_id AND status_event.code <> '13'
                     AND status_event.recipients && array_agg(delivery.recipient))
   -- Nobody says anything of a document that was recalled before it was taken, but of the recall.
   AND NOT EXISTS (SELECT FROM conversation
                   WHERE conversation.about = delivery.envelope_id AND conversation.state IN ('withdrawn', 'destroyed')
                     AND conversation.original = ANY (array_agg(delivery.recipient)))
   -- Taken by the gateway for a document system that has not fetched it yet: 01 comes when it has.
   AND NOT EXISTS (SELECT FROM partner_incoming
                   WHERE partner_incoming.message_id = delivery.envelope_id
                     AND partner_incoming.agency = delivery.mailbox AND partner_incoming.kind = 'edoc')
ORDER BY delivery.envelope_id, delivery.mailbox;

-- name: told
SELECT id, kind, mailbox, published_at FROM notice
WHERE id >= axis_id_floor($1) AND ($2::uuid IS NULL OR (id, kind) > ($2, $3))
ORDER BY id, kind LIMIT $4;

-- name: notices
SELECT id, mailbox, kind, about, body, signature FROM notice WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3 ORDER BY id, kind;

-- name: put_deliveries
-- The mark of this delivery alone: what was put into a mailbox again is not lost with what was lost before.
UPDATE delivery SET published_at = now()
FROM (SELECT delivery.envelope_id, delivery.recipient
      FROM delivery JOIN unnest($1::uuid[], $2::text[]) AS put (envelope_id, mailbox)
        ON put.envelope_id = delivery.envelope_id AND put.mailbox = delivery.mailbox
      WHERE delivery.state = 'routed' AND delivery.envelope_id BETWEEN $3 AND $4
      ORDER BY delivery.envelope_id, delivery.recipient FOR NO KEY UPDATE OF delivery) AS wanted
WHERE delivery.envelope_id = wanted.envelope_id AND delivery.recipient = wanted.recipient
  AND delivery.envelope_id BETWEEN $3 AND $4;

-- name: put_notices
UPDATE notice SET published_at = now()
FROM (SELECT notice.id, notice.kind
      FROM notice JOIN unnest($1::uuid[], $2::text[]) AS put (id, kind) ON put.id = notice.id AND put.kind = notice.kind
      WHERE notice.id BETWEEN $3 AND $4
      ORDER BY notice.id, notice.kind FOR NO KEY UPDATE OF notice) AS wanted
WHERE notice.id = wanted.id AND notice.kind = wanted.kind AND notice.id BETWEEN $3 AND $4;
