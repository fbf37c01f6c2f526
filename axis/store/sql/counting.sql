-- What reports are made of: the tallies, and the same counts from the rows themselves. The rows behind a number: register.sql.

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
