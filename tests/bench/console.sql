-- The envelopes and deliveries behind a register that register.sql filled: as many, under the same ids. Bodies are of
-- 1 KiB, and nothing is noted as touched, for all of it is registered.

-- name: quiet
ALTER TABLE envelope DISABLE TRIGGER USER;

-- name: envelopes
INSERT INTO envelope (id, receipt, sent_at, accepted_at, attempted_at, published_at, lane, action, sender, account,
                      thumbprint, document_id, subject, sha256, signature, body)
SELECT envelope_id, envelope_id, sent_at, accepted_at, accepted_at, accepted_at, lane, 'new', sender, account,
       repeat('t', 43), document_id, subject, sha256(envelope_id::text::bytea), repeat('s', 160),
       convert_to(repeat(md5(number), 32), 'UTF8')
FROM register_document;

-- name: deliveries
INSERT INTO delivery (envelope_id, position, state, recipient, resolved, mailbox, held_for, reason,
                      last_status)
SELECT envelope_id, row_number() OVER (PARTITION BY envelope_id ORDER BY recipient) - 1,
       CASE transport WHEN 'undeliverable' THEN 'refused' WHEN 'held' THEN 'held' ELSE 'routed' END, recipient,
       resolved, mailbox, CASE transport WHEN 'held' THEN 'mailbox.normal.' || mailbox END,
       coalesce(reason, CASE transport WHEN 'held' THEN 'mailbox/full' END), business
FROM register_delivery;

-- name: loud
ALTER TABLE envelope ENABLE TRIGGER USER;
