-- name: facts
SELECT id, sender, account FROM envelope WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3;

-- name: lock_deliveries
-- Locked in the order of the key, so two trackers wait for each other instead of deadlocking.
SELECT envelope_id, recipient, resolved, mailbox, last_status
FROM delivery
WHERE envelope_id = ANY ($1::uuid[]) AND envelope_id BETWEEN $2 AND $3
  AND ($4::text[] IS NULL OR recipient = ANY ($4) OR resolved = ANY ($4))
ORDER BY envelope_id, recipient
FOR NO KEY UPDATE;

-- name: known_statuses
SELECT id, sha256 FROM status_event WHERE id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3;

-- name: statuses
INSERT INTO status_event
    (id, envelope_id, at, received_at, reporter, code, effect, account, thumbprint, recipients, reason, sha256,
     signature, evidence, body)
SELECT id, envelope_id, at, received_at, reporter, code, effect, account, thumbprint,
       string_to_array(recipients, ' '), reason, sha256, signature, evidence, body
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::text[], $14::bigint[], $15::bytea[])
    AS new (id, envelope_id, at, received_at, reporter, code, effect, account, thumbprint, recipients, reason, sha256,
            signature, evidence, body)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: advance
UPDATE delivery
SET last_status = new.code, last_status_at = new.at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS new (envelope_id, recipient, code, at)
WHERE delivery.envelope_id = new.envelope_id AND delivery.recipient = new.recipient
  AND delivery.envelope_id BETWEEN $5 AND $6;

-- name: envelope_by_id
SELECT envelope.id, receipt, sender, account, envelope.thumbprint, lane, action, concerns, document_id, subject, sent_at,
       accepted_at, published_at, sha256, proof.id AS evidence, proof.as_of, proof.good_until
FROM envelope LEFT JOIN certificate_evidence AS proof ON proof.id = envelope.evidence
WHERE envelope.id = $1;

-- name: envelopes_by_document
SELECT envelope.id, receipt, sender, account, envelope.thumbprint, lane, action, concerns, document_id, subject, sent_at,
       accepted_at, published_at, sha256, proof.id AS evidence, proof.as_of, proof.good_until
FROM envelope LEFT JOIN certificate_evidence AS proof ON proof.id = envelope.evidence
WHERE document_id = $1 ORDER BY envelope.id DESC LIMIT 50;

-- name: sent
-- Walks the ids back from the newest: an index by sender would cost every envelope a write for a list that is rarely
-- looked at, and of a sender that sends at all a page is found soon.
SELECT envelope.id, receipt, sender, account, envelope.thumbprint, lane, action, concerns, document_id, subject, sent_at,
       accepted_at, published_at, sha256, proof.id AS evidence, proof.as_of, proof.good_until
FROM envelope LEFT JOIN certificate_evidence AS proof ON proof.id = envelope.evidence
WHERE sender = $1 AND ($2::uuid IS NULL OR envelope.id < $2) ORDER BY envelope.id DESC LIMIT $3;

-- name: delivery_states
SELECT envelope_id, recipient, resolved, mailbox, delivery_state.state, delivered_at, reason, detail, via, last_status,
       last_status_at, held_since, released_at, fetched_at
FROM delivery_state
LEFT JOIN partner_incoming ON message_id = envelope_id AND agency = mailbox AND kind = 'edoc'
WHERE envelope_id = ANY ($1::uuid[]) ORDER BY envelope_id, position;

-- name: status_events
SELECT status_event.id, envelope_id, reporter, recipients, code, effect, at, received_at, reason, proof.id AS evidence,
       proof.as_of, proof.good_until
FROM status_event LEFT JOIN certificate_evidence AS proof ON proof.id = status_event.evidence
WHERE envelope_id = ANY ($1::uuid[])
ORDER BY received_at, status_event.id;

-- name: notice_states
SELECT id, about, kind, mailbox, published_at
FROM notice
WHERE (kind = 'receipt' AND id = ANY ($1::uuid[])) OR (kind = 'status' AND id = ANY ($2::uuid[]))
ORDER BY id;
