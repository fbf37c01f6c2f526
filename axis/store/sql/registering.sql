-- Keeping the register: one transaction for a batch, under a lock that only one registrar holds.

-- name: lock
SELECT pg_try_advisory_xact_lock($1::bigint);

-- name: touched
SELECT id, envelope_id, at, news, recipient, event, code FROM touched ORDER BY id LIMIT $1;

-- name: sizes
SELECT envelope_id, count(*) AS deliveries FROM delivery
WHERE envelope_id = ANY ($1::uuid[]) AND envelope_id BETWEEN $2 AND $3
GROUP BY envelope_id;

-- name: forget
DELETE FROM touched WHERE id = ANY ($1::bigint[]);

-- name: envelopes
SELECT envelope.id, receipt, sender, account, envelope.thumbprint, lane, action, concerns, document_id, subject, sent_at,
       accepted_at, published_at, sha256, NULL AS evidence, body
FROM envelope
WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3;

-- name: named_deliveries
SELECT delivery.envelope_id, delivery.recipient, resolved, mailbox, delivery.state, delivered_at, reason, detail, via,
       last_status, last_status_at, held_since, released_at, fetched_at
FROM unnest($1::uuid[], $2::text[]) AS named (envelope_id, recipient)
     JOIN delivery_state AS delivery
       ON delivery.envelope_id = named.envelope_id AND delivery.recipient = named.recipient
     LEFT JOIN partner_incoming ON message_id = delivery.envelope_id AND agency = mailbox AND kind = 'edoc';

-- name: statuses
-- All of the first, and of the others those about the deliveries that are named.
SELECT id, envelope_id, reporter, recipients, code, effect, at, received_at, reason, NULL AS evidence
FROM status_event
WHERE envelope_id = ANY ($1::uuid[])
UNION ALL
SELECT id, envelope_id, reporter, status_event.recipients, code, effect, at, received_at, reason, NULL
FROM (SELECT envelope_id, array_agg(recipient) AS recipients
      FROM unnest($2::uuid[], $3::text[]) AS pair (envelope_id, recipient) GROUP BY envelope_id) AS named
     JOIN status_event USING (envelope_id)
WHERE status_event.recipients && named.recipients
ORDER BY received_at, id;

-- name: documents
SELECT envelope_id, sender, account, lane, action, concerns, number, notation, issued_on, kind, subject, document_id,
       priority, due_on, sent_at, accepted_at, sent_late, recipients, open, signed_by
FROM register_document WHERE envelope_id = ANY ($1::uuid[]);

-- name: records
-- All of the first, and of the others those that are named.
SELECT envelope_id, recipient, resolved, mailbox, transport, business, since, reason, detail, arrive_by, accept_by,
       finish_by, arrived_at, accepted_at, finished_at, ended
FROM register_delivery WHERE envelope_id = ANY ($1::uuid[])
UNION ALL
SELECT delivery.envelope_id, delivery.recipient, resolved, mailbox, transport, business, since, reason, detail,
       arrive_by, accept_by, finish_by, arrived_at, accepted_at, finished_at, ended
FROM unnest($2::uuid[], $3::text[]) AS named (envelope_id, recipient)
     JOIN register_delivery AS delivery
       ON delivery.envelope_id = named.envelope_id AND delivery.recipient = named.recipient;

-- name: put_documents
-- What a sender wrote never changes. Words are written again only when what they say of lateness does.
INSERT INTO register_document AS old
    (envelope_id, sender, account, lane, action, concerns, number, notation, issued_on, kind, subject, document_id,
     priority, due_on, sent_at, accepted_at, sent_late, recipients, open, signed_by, words)
SELECT envelope_id, sender, account, lane, action, concerns, number, notation, issued_on, kind, subject, document_id,
       priority, due_on, sent_at, accepted_at, sent_late, recipients, open, signed_by,
       array_to_tsvector(string_to_array(words, E'\n'))
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::date[],
            $10::text[], $11::text[], $12::text[], $13::text[], $14::date[], $15::timestamptz[], $16::timestamptz[],
            $17::boolean[], $18::integer[], $19::integer[], $20::text[], $21::text[])
    AS new (envelope_id, sender, account, lane, action, concerns, number, notation, issued_on, kind, subject,
            document_id, priority, due_on, sent_at, accepted_at, sent_late, recipients, open, signed_by, words)
ON CONFLICT (envelope_id) DO UPDATE
SET open = excluded.open, sent_late = excluded.sent_late, issued_on = excluded.issued_on, due_on = excluded.due_on,
    number = excluded.number, notation = excluded.notation, kind = excluded.kind, priority = excluded.priority,
    words = excluded.words;

-- name: move_documents
UPDATE register_document AS document SET open = new.open
FROM unnest($1::uuid[], $2::integer[]) AS new (envelope_id, open)
WHERE document.envelope_id = new.envelope_id;

-- name: put_deliveries
INSERT INTO register_delivery AS old
    (envelope_id, recipient, resolved, mailbox, transport, business, since, reason, detail, arrive_by, accept_by,
     finish_by, arrived_at, accepted_at, finished_at, ended)
SELECT *
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
            $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
            $14::timestamptz[], $15::timestamptz[], $16::boolean[])
ON CONFLICT (envelope_id, recipient) DO UPDATE
SET resolved = excluded.resolved, mailbox = excluded.mailbox, transport = excluded.transport,
    business = excluded.business, since = excluded.since, reason = excluded.reason, detail = excluded.detail,
    arrive_by = excluded.arrive_by, accept_by = excluded.accept_by, finish_by = excluded.finish_by,
    arrived_at = excluded.arrived_at, accepted_at = excluded.accepted_at, finished_at = excluded.finished_at,
    ended = excluded.ended;

-- name: add_tallies
INSERT INTO tally AS old
    (side, day, code, lane, transport, business, reason, arrival, acceptance, finishing, deliveries, documents,
     documents_late, arrived, arrived_seconds, accepted, accepted_seconds, finished, finished_seconds)
SELECT *
FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
            $17::bigint[], $18::bigint[], $19::bigint[])
ON CONFLICT (side, day, code, lane, transport, business, reason, arrival, acceptance, finishing) DO UPDATE
SET deliveries = old.deliveries + excluded.deliveries, documents = old.documents + excluded.documents,
    documents_late = old.documents_late + excluded.documents_late, arrived = old.arrived + excluded.arrived,
    arrived_seconds = old.arrived_seconds + excluded.arrived_seconds, accepted = old.accepted + excluded.accepted,
    accepted_seconds = old.accepted_seconds + excluded.accepted_seconds, finished = old.finished + excluded.finished,
    finished_seconds = old.finished_seconds + excluded.finished_seconds;

-- name: drop_tallies
DELETE FROM tally
USING unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
             $10::text[])
      AS spent (side, day, code, lane, transport, business, reason, arrival, acceptance, finishing)
WHERE tally.side = spent.side AND tally.day = spent.day AND tally.code = spent.code AND tally.lane = spent.lane
  AND tally.transport = spent.transport AND tally.business = spent.business AND tally.reason = spent.reason
  AND tally.arrival = spent.arrival AND tally.acceptance = spent.acceptance AND tally.finishing = spent.finishing
  AND tally.deliveries = 0 AND tally.documents = 0 AND tally.documents_late = 0;

-- name: add_due
INSERT INTO register_due AS old (clock, mailbox, day, open)
SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[])
ON CONFLICT (clock, mailbox, day) DO UPDATE SET open = old.open + excluded.open;

-- name: drop_due
DELETE FROM register_due AS due
USING unnest($1::text[], $2::text[], $3::date[]) AS spent (clock, mailbox, day)
WHERE due.clock = spent.clock AND due.mailbox = spent.mailbox AND due.day = spent.day AND due.open = 0;

-- name: add_flow
INSERT INTO register_flow AS old (minute, documents, deliveries, statuses)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::bigint[])
ON CONFLICT (minute) DO UPDATE
SET documents = old.documents + excluded.documents, deliveries = old.deliveries + excluded.deliveries,
    statuses = old.statuses + excluded.statuses;

-- name: tell
WITH numbered AS (UPDATE register_state SET seq = seq + cardinality($1::uuid[]) RETURNING seq)
INSERT INTO feed (seq, envelope_id, account, kind, recipient, code, at)
SELECT numbered.seq - cardinality($1::uuid[]) + told.number, envelope_id, account, kind, recipient, code, at
FROM numbered, unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    WITH ORDINALITY AS told (envelope_id, account, kind, recipient, code, at, number);

-- name: late_from
-- And to when everything is registered; null: to now. What is late is not known beyond that.
SELECT late_from, (SELECT at FROM touched ORDER BY id LIMIT 1) AS registered_to FROM register_state;

-- name: passed
-- Agency by agency, each found in the indexes of what is still waited for; whose deadline is the register's to say.
SELECT envelope_id, recipient, document.account, passed.mailbox, clock, by
FROM (SELECT DISTINCT mailbox FROM register_due WHERE day BETWEEN $3::date AND $4::date) AS agency
     CROSS JOIN LATERAL (
        SELECT envelope_id, recipient, mailbox, 'arrival' AS clock, arrive_by AS by FROM register_delivery
        WHERE mailbox = agency.mailbox AND NOT ended AND arrived_at IS NULL AND arrive_by >= $1 AND arrive_by < $2
        UNION ALL
        SELECT envelope_id, recipient, mailbox, 'acceptance', accept_by FROM register_delivery
        WHERE mailbox = agency.mailbox AND NOT ended AND accepted_at IS NULL AND accept_by >= $1 AND accept_by < $2
        UNION ALL
        SELECT envelope_id, recipient, mailbox, 'finishing', finish_by FROM register_delivery
        WHERE mailbox = agency.mailbox AND NOT ended AND finished_at IS NULL AND finish_by >= $1 AND finish_by < $2
     ) AS passed
     JOIN register_document AS document USING (envelope_id)
WHERE by >= document.accepted_at -- what was due before was told when it was registered
ORDER BY by, envelope_id, recipient;

-- name: late_until
UPDATE register_state SET late_from = $1;

-- name: prune_feed
DELETE FROM feed
WHERE seq = ANY (ARRAY (SELECT seq FROM (SELECT seq, noted_at FROM feed ORDER BY seq LIMIT 10000) AS first
                        WHERE noted_at < $1));

-- name: prune_flow
DELETE FROM register_flow WHERE minute < $1;

-- name: empty
TRUNCATE register_document, register_delivery, tally, register_due;

-- name: fill
INSERT INTO touched (envelope_id, news) SELECT id, false FROM envelope ORDER BY id DESC;
