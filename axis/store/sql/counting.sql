-- What reports are made of: the tallies, and the same counts from the rows themselves. The rows behind a number: register.sql.

-- name: tallies
SELECT code, lane, transport, business, reason, arrival, acceptance, finishing, sum(deliveries)::bigint AS deliveries,
       sum(documents)::bigint AS documents, sum(documents_late)::bigint AS documents_late,
       sum(arrived)::bigint AS arrived, sum(arrived_seconds)::bigint AS arrived_seconds,
       sum(accepted)::bigint AS accepted, sum(accepted_seconds)::bigint AS accepted_seconds,
       sum(finished)::bigint AS finished, sum(finished_seconds)::bigint AS finished_seconds
FROM tally
WHERE side = $1 AND day BETWEEN $2 AND $3
  AND ($4::text IS NULL OR code = $4 OR starts_with(code, $4 || '.'))
GROUP BY code, lane, transport, business, reason, arrival, acceptance, finishing
HAVING sum(deliveries) <> 0 OR sum(documents) <> 0 OR sum(documents_late) <> 0
ORDER BY code, lane, transport, business, reason, arrival, acceptance, finishing;

-- name: recount
SELECT code, lane, transport, business, reason, arrival, acceptance, finishing, count(*)::bigint AS deliveries,
       0::bigint AS documents, 0::bigint AS documents_late,
       count(arrived_at) AS arrived, coalesce(sum(arrived_seconds), 0)::bigint AS arrived_seconds,
       count(accepted_at) AS accepted, coalesce(sum(accepted_seconds), 0)::bigint AS accepted_seconds,
       count(finished_at) AS finished, coalesce(sum(finished_seconds), 0)::bigint AS finished_seconds
FROM (SELECT CASE $1::text WHEN 'sent' THEN document.sender ELSE delivery.recipient END AS code, document.lane,
             delivery.arrived_at, delivery.accepted_at, delivery.finished_at,
             greatest(0, floor(extract(epoch FROM delivery.arrived_at - document.accepted_at))) AS arrived_seconds,
             greatest(0, floor(extract(epoch FROM delivery.accepted_at - document.accepted_at))) AS accepted_seconds,
             greatest(0, floor(extract(epoch FROM delivery.finished_at - document.accepted_at))) AS finished_seconds,
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
       (count(*) FILTER (WHERE sent_late))::bigint AS documents_late, 0::bigint AS arrived,
       0::bigint AS arrived_seconds, 0::bigint AS accepted, 0::bigint AS accepted_seconds, 0::bigint AS finished,
       0::bigint AS finished_seconds
FROM register_document
WHERE accepted_at >= $1 AND accepted_at < $2
  AND ($3::text IS NULL OR sender = $3 OR starts_with(sender, $3 || '.'))
GROUP BY sender, lane
ORDER BY sender, lane;
