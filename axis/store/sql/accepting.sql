-- name: envelopes
-- ON CONFLICT waits for a transaction in flight that inserted the same id. Should that one commit, nothing is inserted
-- or returned here, and the next statement sees its row: READ COMMITTED takes a new snapshot for each. The caller sorts
-- by id, so transactions with several ids in common wait for each other in one order and never deadlock.
INSERT INTO envelope
    (id, receipt, concerns, sent_at, accepted_at, lane, action, sender, account, thumbprint, document_id, subject,
     sha256, signature, evidence, body)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bytea[], $14::text[], $15::bigint[],
            $16::bytea[])
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: existing
-- Columns are named in every statement, here and elsewhere: with `*` a migration that adds one would invalidate what
-- running programs have prepared.
-- The bounds are the least and greatest of $1: a plan made once for all calls can skip the other months by them, not by
-- the array.
SELECT envelope.id, receipt, concerns, sent_at, accepted_at, envelope.published_at, lane, action, sender, account,
       thumbprint, document_id, subject, sha256, evidence, envelope.signature, envelope.body,
       notice.mailbox AS receipt_mailbox, notice.about AS receipt_about, notice.body AS receipt_body, notice.signature AS receipt_signature
FROM envelope JOIN notice ON notice.id = envelope.receipt AND notice.kind = 'receipt'
WHERE envelope.id = ANY ($1::uuid[]) AND envelope.id BETWEEN $2 AND $3;

-- name: deliveries
SELECT envelope_id, recipient, resolved, mailbox, state, reason, detail, via
FROM delivery
WHERE envelope_id = ANY ($1::uuid[]) AND envelope_id BETWEEN $2 AND $3
ORDER BY envelope_id, position;

-- name: notices
INSERT INTO notice (id, about, kind, mailbox, signature, body)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[])
ON CONFLICT (id, kind) DO NOTHING;

-- name: quarantine
-- One that was taken out is in again, also when the clock of who set it aside lags behind the database's.
INSERT INTO quarantine AS old
    (id, received_at, last_seen_at, count, size, source, reason, detail, account, message_id, sha256, headers, body,
     properties)
SELECT id, received_at, last_seen_at, count, size, source, reason, detail, account, message_id, sha256,
       headers::jsonb, body, properties::jsonb
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::bytea[], $14::text[])
    AS new (id, received_at, last_seen_at, count, size, source, reason, detail, account, message_id, sha256, headers, body,
            properties)
ON CONFLICT (sha256, account, reason) DO UPDATE
SET count = old.count + excluded.count,
    last_seen_at = greatest(old.last_seen_at, excluded.last_seen_at, old.left_at + interval '1 microsecond');

-- name: unwanted
-- The caller names each once, sorted: the order of the locks.
INSERT INTO blob_unwanted (sha256, account, at)
SELECT sha256, account, clock_timestamp()
FROM unnest($1::bytea[], $2::text[]) AS named (sha256, account) JOIN blob_upload USING (sha256, account)
ORDER BY sha256, account
ON CONFLICT (sha256, account) DO UPDATE SET at = excluded.at;
