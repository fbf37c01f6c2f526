-- name: own
SELECT envelope_id, recipient, resolved, mailbox, transport, business, since, reason, detail, arrive_by, accept_by,
       finish_by, arrived_at, accepted_at, finished_at, ended
FROM register_delivery
WHERE envelope_id = ANY ($2::uuid[]) AND mailbox = $1
ORDER BY envelope_id, recipient;

-- name: said
SELECT wanted.seq, status.id, status.reporter, status.at, status.reason
FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
         AS wanted (seq, envelope_id, recipient, code, at)
     CROSS JOIN LATERAL (
         SELECT id, reporter, status_event.at, reason FROM status_event
         WHERE status_event.envelope_id = wanted.envelope_id AND status_event.code = wanted.code
           AND status_event.received_at = wanted.at AND wanted.recipient = ANY (status_event.recipients)
         LIMIT 1) AS status;
