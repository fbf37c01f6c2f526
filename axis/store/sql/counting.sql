-- What reports are made of: the tallies, the same counts from the rows themselves, and the rows behind a number.

-- name: tallies
SELECT code, lane, transport, business, reason, arrival, acceptance, finishing, sum(deliveries)::bigint AS deliveries,
       sum(documents)::bigint AS documents, sum(documents_late)::bigint AS documents_late
FROM tally
WHERE side = $1 AND day BETWEEN $2 AND $3
  AND ($4::text IS NULL OR code = $4 OR starts_with(code, $4 || '.'))
GROUP BY code, lane, transport, business, reason, arrival, acceptance, finishing
HAVING sum(deliveries) <> 0 OR sum(documents) <> 0 OR sum(documents_late) <> 0
ORDER BY code, lane, transport, business, reason, arrival, acceptance, finishing;

-- name: recount
SELECT code, lane, transport, business, reason, arrival, acceptance, finishing, count(*)::bigint AS deliveries,
       0::bigint AS documents, 0::bigint AS documents_late
FROM (SELECT CASE $1::text WHEN 'sent' THEN document.sender ELSE delivery.recipient END AS code, document.lane,
             delivery.transport, coalesce(delivery.business, '') AS business, coalesce(delivery.reason, '') AS reason,
             CASE WHEN delivery.arrived_at <= delivery.arrive_by THEN 'on time'
                  WHEN delivery.arrived_at > delivery.arrive_by THEN 'late' ELSE 'none' END AS arrival,
             CASE WHEN delivery.accepted_at <= delivery.accept_by THEN 'on time'
                  WHEN delivery.accepted_at > delivery.accept_by THEN 'late' ELSE 'none' END AS acceptance,
             CASE WHEN delivery.finished_at <= delivery.finish_by THEN 'on time'
                  WHEN delivery.finished_at > delivery.finish_by THEN 'late' ELSE 'none' END AS finishing
      FROM register_document AS document JOIN register_delivery AS delivery USING (envelope_id)
      WHERE document.accepted_at >= $2 AND document.accepted_at < $3) AS each
WHERE $4::text IS NULL OR code = $4 OR starts_with(code, $4 || '.')
GROUP BY code, lane, transport, business, reason, arrival, acceptance, finishing
ORDER BY code, lane, transport, business, reason, arrival, acceptance, finishing;

-- name: recount_documents
SELECT sender AS code, lane, '' AS transport, '' AS business, '' AS reason, 'none' AS arrival, 'none' AS acceptance,
       'none' AS finishing, 0::bigint AS deliveries, count(*)::bigint AS documents,
       (count(*) FILTER (WHERE sent_late))::bigint AS documents_late
FROM register_document
WHERE accepted_at >= $1 AND accepted_at < $2
  AND ($3::text IS NULL OR sender = $3 OR starts_with(sender, $3 || '.'))
GROUP BY sender, lane
ORDER BY sender, lane;

-- name: counted
SELECT document.envelope_id, document.sender, document.account, document.lane, document.action, document.concerns,
       document.number, document.notation, document.issued_on, document.kind, document.subject, document.document_id,
       document.priority, document.due_on, document.sent_at, document.accepted_at, document.sent_late,
       document.recipients, document.open, document.signed_by,
       delivery.recipient, delivery.resolved, delivery.mailbox, delivery.transport, delivery.business, delivery.since,
       delivery.reason, delivery.detail, delivery.arrive_by, delivery.accept_by, delivery.finish_by,
       delivery.arrived_at, delivery.accepted_at AS accepted_by_recipient_at, delivery.finished_at, delivery.ended
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
SELECT envelope_id, sender, account, lane, action, concerns, number, notation, issued_on, kind, subject, document_id,
       priority, due_on, sent_at, accepted_at, sent_late, recipients, open, signed_by
FROM register_document AS document
WHERE accepted_at >= $1 AND accepted_at < $2
  AND ($3::text IS NULL OR sender = $3 OR ($4 AND starts_with(sender, $3 || '.')))
  AND ($5::text IS NULL OR account = $5)
  AND (NOT $6::boolean OR sent_late)
  AND envelope_id < $7::uuid
ORDER BY envelope_id DESC LIMIT $8;
