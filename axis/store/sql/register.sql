-- What is read of the register. Parameters, the same in all searches: $1 behind which id, $2 how far it walks, $3 the
-- page, $4 the question to the index of words, $5 and $6 accepted from and to, $7 to $14 what a delivery has to be like
-- (axis_register_fits), $15 whether any of that is asked for; $16 to $18 the states that an index finds it by. What is
-- null is not asked for. To who received a document it is open when an own delivery is: how others stand is not theirs.

-- part: entry
document.envelope_id, document.sender, document.account, document.lane, document.action, document.concerns,
       document.number, document.notation, document.issued_on, document.kind, document.subject, document.document_id,
       document.priority, document.due_on, document.sent_at, document.accepted_at, document.sent_late,
       document.recipients, document.open, document.signed_by

-- part: delivery
delivery.recipient, delivery.resolved, delivery.mailbox, delivery.transport, delivery.business, delivery.since,
       delivery.reason, delivery.detail, delivery.arrive_by, delivery.accept_by, delivery.finish_by,
       delivery.arrived_at, delivery.accepted_at AS accepted_by_recipient_at, delivery.finished_at, delivery.ended

-- part: asked
-- What is asked of the document.
  ($4::text IS NULL OR document.words @@ $4::text::tsquery)
  AND ($5::timestamptz IS NULL OR document.accepted_at >= $5)
  AND ($6::timestamptz IS NULL OR document.accepted_at < $6)

-- part: fits
-- What is asked of the delivery that is listed.
  ($15::boolean IS NOT NULL AND axis_register_fits(delivery, document.account, $7, $8, $9, $10, $11, $12, $13, $14))

-- part: some_fits
-- What is asked of some delivery of the document.
  (NOT $15::boolean OR EXISTS (
    SELECT FROM register_delivery AS delivery
    WHERE delivery.envelope_id = document.envelope_id
      AND axis_register_fits(delivery, document.account, $7, $8, $9, $10, $11, $12, $13, NULL)))

-- part: found_fits
-- The same of a delivery that an index found. Whose it is stands with the document, which is looked at for an agency
-- only: what is found is a lot.
  axis_register_fits(delivery, NULL, NULL, $8, $9, $10, $11, $12, $13, NULL)
  AND ($7::text IS NULL OR delivery.mailbox = $7 OR EXISTS (
        SELECT FROM register_document AS sent WHERE sent.envelope_id = delivery.envelope_id AND sent.account = $7))

-- part: still_open
  ($14::boolean IS NULL OR $14 = CASE
    WHEN $7::text IS NULL OR document.account = $7 THEN document.open > 0
    ELSE EXISTS (SELECT FROM register_delivery AS own
                 WHERE own.envelope_id = document.envelope_id AND own.mailbox = $7 AND NOT own.ended) END)
  AND $15::boolean IS NOT NULL

-- part: before
(delivery.envelope_id, delivery.recipient) < ($1::uuid, $19::text)
        ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $2

-- part: of_states
-- What the indexes of states find, so many of each state at most. How it ended is a business status: one that is asked
-- for is found of what is open too.
      SELECT walked.* FROM unnest($16::text[]) AS wanted CROSS JOIN LATERAL (
        SELECT * FROM register_delivery AS delivery
        WHERE delivery.transport = wanted AND NOT delivery.ended AND {before}) AS walked
      UNION ALL
      SELECT walked.* FROM unnest($17::text[]) AS wanted CROSS JOIN LATERAL (
        SELECT * FROM register_delivery AS delivery
        WHERE delivery.transport = wanted AND delivery.ended
          AND delivery.transport IN ('undeliverable', 'withdrawn') AND {before}) AS walked
      UNION ALL
      SELECT walked.* FROM unnest($18::text[]) AS wanted CROSS JOIN LATERAL (
        SELECT * FROM register_delivery AS delivery
        WHERE delivery.business = wanted AND (delivery.ended OR $10::text IS NOT NULL) AND {before}) AS walked

-- part: waiting
      (SELECT * FROM register_delivery
       WHERE NOT ended AND (envelope_id, recipient) < ($1::uuid, $16::text)
       ORDER BY envelope_id DESC, recipient DESC LIMIT $2) AS delivery

-- part: all_late
-- All that is late, agency by agency as `overdue` counts it: the oldest are late, and where much waits that is not,
-- no walk from the newest finds them all. Of one mailbox ("=H37") no other is gone through.
      (SELECT DISTINCT mailbox FROM register_due
       WHERE clock = $12 AND day <= ($13::timestamptz AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
         AND (coalesce(strpos($8::text, '='), 0) = 0 OR mailbox = split_part($8::text, '=', 2))) AS agency
      CROSS JOIN LATERAL (
        SELECT * FROM register_delivery
        WHERE $12 = 'arrival' AND mailbox = agency.mailbox AND NOT ended AND arrived_at IS NULL AND arrive_by < $13
        UNION ALL
        SELECT * FROM register_delivery
        WHERE $12 = 'acceptance' AND mailbox = agency.mailbox AND NOT ended AND accepted_at IS NULL AND accept_by < $13
        UNION ALL
        SELECT * FROM register_delivery
        WHERE $12 = 'finishing' AND mailbox = agency.mailbox AND NOT ended AND finished_at IS NULL AND finish_by < $13
      ) AS delivery

-- part: due
arrive_by

-- part: done
arrived_at

-- name: window
-- The id at which a walk over so many documents ends; none when there are fewer.
SELECT envelope_id FROM register_document
WHERE envelope_id < $1::uuid
ORDER BY envelope_id DESC OFFSET $2::bigint - 1 LIMIT 1;

-- name: newest
-- Walks back from the newest, and stops when the page is full.
SELECT {entry}
FROM (SELECT * FROM register_document
      WHERE envelope_id < $1::uuid
      ORDER BY envelope_id DESC LIMIT $2) AS document
WHERE {asked} AND {some_fits} AND {still_open}
ORDER BY document.envelope_id DESC LIMIT $3;

-- name: by_words
-- What the index of words finds, all of it: put in order here, since the planner would rather walk all documents.
WITH found AS MATERIALIZED (SELECT envelope_id FROM register_document AS document WHERE words @@ $4::text::tsquery)
SELECT {entry}
FROM (SELECT envelope_id FROM found WHERE envelope_id < $1::uuid ORDER BY envelope_id DESC LIMIT $2) AS found
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {some_fits} AND {still_open}
ORDER BY document.envelope_id DESC LIMIT $3;

-- name: by_day
-- Accepted in a time of which the walk found too little.
WITH found AS MATERIALIZED (
    SELECT envelope_id FROM register_document AS document
    WHERE accepted_at >= coalesce($5::timestamptz, '-infinity') AND accepted_at < coalesce($6::timestamptz, 'infinity'))
SELECT {entry}
FROM (SELECT envelope_id FROM found WHERE envelope_id < $1::uuid ORDER BY envelope_id DESC LIMIT $2) AS found
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {some_fits} AND {still_open}
ORDER BY document.envelope_id DESC LIMIT $3;

-- name: by_state
SELECT {entry}
FROM (SELECT DISTINCT delivery.envelope_id FROM (
{of_states}) AS delivery
      WHERE {found_fits}
      ORDER BY delivery.envelope_id DESC) AS found -- in order here: what no page shows is not read
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {still_open}
ORDER BY found.envelope_id DESC LIMIT $3;

-- name: more_of_state
-- The newest that a walk over so many of each state ($3, $4, $5) leaves behind; none: what it found is all there is.
SELECT envelope_id FROM (
    SELECT one.envelope_id FROM unnest($3::text[]) AS wanted CROSS JOIN LATERAL (
        SELECT delivery.envelope_id FROM register_delivery AS delivery
        WHERE delivery.transport = wanted AND NOT delivery.ended AND delivery.envelope_id <= $1::uuid
        ORDER BY delivery.envelope_id DESC, delivery.recipient DESC OFFSET $2 LIMIT 1) AS one
    UNION ALL
    SELECT one.envelope_id FROM unnest($4::text[]) AS wanted CROSS JOIN LATERAL (
        SELECT delivery.envelope_id FROM register_delivery AS delivery
        WHERE delivery.transport = wanted AND delivery.ended
          AND delivery.transport IN ('undeliverable', 'withdrawn') AND delivery.envelope_id <= $1::uuid
        ORDER BY delivery.envelope_id DESC, delivery.recipient DESC OFFSET $2 LIMIT 1) AS one
    UNION ALL
    SELECT one.envelope_id FROM unnest($5::text[]) AS wanted CROSS JOIN LATERAL (
        SELECT delivery.envelope_id FROM register_delivery AS delivery
        WHERE delivery.business = wanted AND delivery.envelope_id <= $1::uuid
        ORDER BY delivery.envelope_id DESC, delivery.recipient DESC OFFSET $2 LIMIT 1) AS one) AS behind
ORDER BY envelope_id DESC LIMIT 1;

-- name: delivery_window
SELECT envelope_id, recipient FROM register_delivery
WHERE (envelope_id, recipient) < ($1::uuid, $3::text)
ORDER BY envelope_id DESC, recipient DESC OFFSET $2::bigint - 1 LIMIT 1;

-- name: deliveries_newest
SELECT {entry}, {delivery}
FROM (SELECT * FROM register_delivery
      WHERE (envelope_id, recipient) < ($1::uuid, $16::text)
      ORDER BY envelope_id DESC, recipient DESC LIMIT $2) AS delivery
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {fits}
ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $3;

-- name: deliveries_by_words
WITH found AS MATERIALIZED (SELECT envelope_id FROM register_document AS document WHERE words @@ $4::text::tsquery)
SELECT {entry}, {delivery}
FROM (SELECT envelope_id FROM found WHERE envelope_id <= $1::uuid ORDER BY envelope_id DESC LIMIT $2) AS found
     JOIN register_document AS document USING (envelope_id)
     JOIN register_delivery AS delivery USING (envelope_id)
WHERE {asked}
  AND (delivery.envelope_id, delivery.recipient) < ($1::uuid, $16::text) AND {fits}
ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $3;

-- name: deliveries_by_day
WITH found AS MATERIALIZED (
    SELECT envelope_id FROM register_document AS document
    WHERE accepted_at >= coalesce($5::timestamptz, '-infinity') AND accepted_at < coalesce($6::timestamptz, 'infinity'))
SELECT {entry}, {delivery}
FROM (SELECT envelope_id FROM found WHERE envelope_id <= $1::uuid ORDER BY envelope_id DESC LIMIT $2) AS found
     JOIN register_document AS document USING (envelope_id)
     JOIN register_delivery AS delivery USING (envelope_id)
WHERE {asked}
  AND (delivery.envelope_id, delivery.recipient) < ($1::uuid, $16::text) AND {fits}
ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $3;

-- name: deliveries_by_state
SELECT {entry}, {delivery}
FROM (SELECT * FROM (
{of_states}) AS delivery
      ORDER BY delivery.envelope_id DESC, delivery.recipient DESC) AS delivery
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {fits}
ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $3;

-- name: waiting_window
SELECT envelope_id, recipient FROM register_delivery
WHERE NOT ended AND (envelope_id, recipient) < ($1::uuid, $3::text)
ORDER BY envelope_id DESC, recipient DESC OFFSET $2::bigint - 1 LIMIT 1;

-- name: late_newest
-- What is late among the newest that wait.
SELECT {entry}
FROM (SELECT DISTINCT delivery.envelope_id
      FROM {waiting}
      WHERE {found_fits}
      ORDER BY delivery.envelope_id DESC) AS found
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {still_open}
ORDER BY found.envelope_id DESC LIMIT $3;

-- name: deliveries_late_newest
SELECT {entry}, {delivery}
FROM {waiting}
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {fits}
ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $3;

-- name: late
SELECT {entry}
FROM (SELECT delivery.envelope_id
      FROM {all_late}
      WHERE delivery.envelope_id < $1::uuid AND {found_fits}
      GROUP BY delivery.envelope_id ORDER BY delivery.envelope_id DESC LIMIT $2) AS found
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {still_open}
ORDER BY found.envelope_id DESC LIMIT $3;

-- name: deliveries_late
SELECT {entry}, {delivery}
FROM (SELECT delivery.*
      FROM {all_late}
      WHERE (delivery.envelope_id, delivery.recipient) < ($1::uuid, $16::text)
      ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $2) AS delivery
     JOIN register_document AS document USING (envelope_id)
WHERE {asked} AND {fits}
ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $3;

-- name: flow
SELECT date_bin($2::interval, minute, $1::timestamptz) AS at, sum(documents)::bigint AS documents,
       sum(deliveries)::bigint AS deliveries, sum(statuses)::bigint AS statuses
FROM register_flow
WHERE minute >= $1
GROUP BY 1 ORDER BY 1;

-- name: overdue
-- Whole days are counted already; of the day itself ($3 to $2) what has passed is looked at. A probe finds the oldest.
SELECT mailbox, count, oldest
FROM (SELECT mailbox, coalesce(sum(open) FILTER (WHERE day < $1), 0)::bigint + (
               SELECT count(*) FROM register_delivery AS delivery
               WHERE delivery.mailbox = due.mailbox AND NOT delivery.ended AND delivery.{done} IS NULL
                 AND delivery.{due} >= $3 AND delivery.{due} < $2) AS count,
             (SELECT min(delivery.{due}) FROM register_delivery AS delivery
              WHERE delivery.mailbox = due.mailbox AND NOT delivery.ended AND delivery.{done} IS NULL
                AND delivery.{due} IS NOT NULL) AS oldest
      FROM register_due AS due
      WHERE clock = $4 AND day <= $1
      GROUP BY mailbox) AS agency
WHERE count > 0 AND oldest < $2
ORDER BY count DESC, mailbox LIMIT $5;

-- name: lag
SELECT count(*) AS waiting, (SELECT at FROM touched ORDER BY id LIMIT 1) AS since
FROM (SELECT FROM touched LIMIT 100000) AS touched;

-- name: feed
SELECT seq, account, kind, envelope_id, recipient, code, at FROM feed
WHERE account = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: feed_span
SELECT coalesce((SELECT min(seq) FROM feed), seq + 1) AS first, seq AS last FROM register_state;

-- name: counted
-- The rows behind a number of a report: its own parameters.
SELECT {entry}, {delivery}
FROM register_document AS document JOIN register_delivery AS delivery USING (envelope_id)
WHERE document.accepted_at >= $1 AND document.accepted_at < $2
  AND ($5::text IS NULL OR document.account = $5 OR delivery.mailbox = $5)
  AND ($3::text IS NULL OR CASE $6::text
       WHEN 'sent' THEN document.sender = $3 OR ($4 AND starts_with(document.sender, $3 || '.'))
       ELSE delivery.recipient = $3 OR ($4 AND starts_with(delivery.recipient, $3 || '.')) END)
  AND ($7::text[] IS NULL OR delivery.transport = ANY ($7))
  AND ($8::text[] IS NULL OR (coalesce(delivery.business, '') = ANY ($8)) <> $9::boolean)
  AND ($10::text IS NULL OR coalesce(delivery.reason, '') = $10)
  AND ($11::text IS NULL OR $11 = CASE WHEN delivery.arrived_at <= delivery.arrive_by THEN 'on time'
       WHEN delivery.arrived_at > delivery.arrive_by THEN 'late' ELSE 'none' END)
  AND ($12::text IS NULL OR $12 = CASE WHEN delivery.accepted_at <= delivery.accept_by THEN 'on time'
       WHEN delivery.accepted_at > delivery.accept_by THEN 'late' ELSE 'none' END)
  AND ($13::text IS NULL OR $13 = CASE WHEN delivery.finished_at <= delivery.finish_by THEN 'on time'
       WHEN delivery.finished_at > delivery.finish_by THEN 'late' ELSE 'none' END)
  AND (delivery.envelope_id, delivery.recipient) < ($14::uuid, $15::text)
ORDER BY delivery.envelope_id DESC, delivery.recipient DESC LIMIT $16;

-- name: counted_documents
SELECT {entry}
FROM register_document AS document
WHERE accepted_at >= $1 AND accepted_at < $2
  AND ($3::text IS NULL OR sender = $3 OR ($4 AND starts_with(sender, $3 || '.')))
  AND ($5::text IS NULL OR account = $5)
  AND (NOT $6::boolean OR sent_late)
  AND envelope_id < $7::uuid
ORDER BY envelope_id DESC LIMIT $8;
