-- name: partners
SELECT partner.system_id, profile, strict, code_form, clock_minutes, added_at, ended_at,
       coalesce(array_agg(code ORDER BY code) FILTER (WHERE code IS NOT NULL), '{}') AS codes,
       coalesce(array_agg(agency ORDER BY code) FILTER (WHERE code IS NOT NULL), '{}') AS agencies
FROM partner LEFT JOIN partner_code ON partner_code.system_id = partner.system_id
GROUP BY partner.system_id ORDER BY partner.system_id;

-- name: put_partner
INSERT INTO partner (system_id, profile, strict, code_form, clock_minutes, added_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (system_id) DO UPDATE
SET profile = excluded.profile, strict = excluded.strict, code_form = excluded.code_form,
    clock_minutes = excluded.clock_minutes, ended_at = excluded.ended_at;

-- name: take_over
-- What waits for an agency is its new system's to fetch.
UPDATE partner_incoming SET system_id = $1
WHERE agency = ANY ($2::text[]) AND system_id <> $1 AND state <> 'done' AND withdrawn_at IS NULL;

-- name: clear_codes
DELETE FROM partner_code WHERE system_id = $1;

-- name: put_codes
-- A code of another partner's is left alone: the caller counts.
INSERT INTO partner_code (code, system_id, agency)
SELECT code, $1, agency FROM unnest($2::text[], $3::text[]) AS new (code, agency)
ON CONFLICT (code) DO NOTHING
RETURNING code;

-- name: sharing
SELECT agency FROM partner_code WHERE system_id <> $1 AND agency = ANY ($2::text[]);

-- name: receive
INSERT INTO partner_incoming
    (doc_id, message_id, created_at, updated_at, size, system_id, agency, kind, state, sender, recipients, document_id,
     subject, notation, description, sha256, content, withdrawn_at)
-- Whose it is when it is kept: another system may have taken the agency over since it was looked up.
VALUES ($1, $2, $3, $4, $5, coalesce((SELECT system_id FROM partner_code WHERE agency = $7 LIMIT 1), $6), $7, $8, $9,
        $10, $11, $12, $13, $14, $15, $16, $17, $18)
-- Whichever constraint says that it is there: a package that is kept twice at once, as when a try is made again before
-- the first has ended, may meet itself by its own identifier before it does by its message.
ON CONFLICT DO NOTHING
RETURNING doc_id;

-- name: listed_waiting
SELECT doc_id, message_id, created_at, updated_at, withdrawn_at, size, system_id, agency, kind, state, sender,
       recipients[1:50] AS recipients, document_id, subject, notation, description, sha256, NULL::bytea AS content
FROM partner_incoming
WHERE system_id = $1 AND kind = $2 AND state IN ('initial', 'processing') AND withdrawn_at IS NULL
  AND ($3::text IS NULL OR $3 = ANY (recipients))
  AND ($4::timestamptz IS NULL OR created_at >= $4) AND ($5::timestamptz IS NULL OR created_at < $5)
ORDER BY doc_id LIMIT $6 OFFSET $7;

-- name: listed
SELECT doc_id, message_id, created_at, updated_at, withdrawn_at, size, system_id, agency, kind, state, sender,
       recipients[1:50] AS recipients, document_id, subject, notation, description, sha256, NULL::bytea AS content
FROM partner_incoming
WHERE system_id = $1 AND kind = $2 AND state = $8
  AND ($3::text IS NULL OR $3 = ANY (recipients))
  AND ($4::timestamptz IS NULL OR created_at >= $4) AND ($5::timestamptz IS NULL OR created_at < $5)
  AND withdrawn_at IS NULL
ORDER BY doc_id LIMIT $6 OFFSET $7;

-- name: counted
-- Never more than a thousand are counted: a list that long is read to its end first.
SELECT count(*) FROM (
    SELECT FROM partner_incoming
    WHERE system_id = $1 AND kind = $2 AND state IN ('initial', 'processing') AND withdrawn_at IS NULL
    LIMIT 1000
) AS waiting;

-- name: incoming
SELECT doc_id, message_id, created_at, updated_at, withdrawn_at, size, system_id, agency, kind, state, sender,
       recipients, document_id, subject, notation, description, sha256, content
FROM partner_incoming WHERE doc_id = $2 AND system_id = $1;

-- name: move
UPDATE partner_incoming SET state = $3, description = $4, updated_at = $5
WHERE doc_id = $2 AND system_id = $1 AND state = ANY ($6::text[]) AND withdrawn_at IS NULL
RETURNING doc_id;

-- name: unreported
SELECT doc_id, message_id, created_at, updated_at, withdrawn_at, size, system_id, agency, kind, state, sender,
       recipients, document_id, subject, notation, description, sha256, NULL::bytea AS content
FROM partner_incoming
WHERE state = 'done' AND kind = 'edoc' AND reported_at IS NULL AND agency = ANY ($2::text[])
ORDER BY doc_id LIMIT $1;

-- name: reported
UPDATE partner_incoming SET reported_at = $2 WHERE doc_id = $1 AND reported_at IS NULL;

-- name: fetch
UPDATE partner_incoming SET fetched_at = coalesce(fetched_at, $2) WHERE doc_id = $1 AND withdrawn_at IS NULL
RETURNING doc_id;

-- name: recalled
SELECT request, recipient, original, state NOT IN ('requested', 'agreed') AS answered FROM conversation
WHERE about = $1 AND kind = 'recall' AND state <> 'declined' AND original = ANY ($2::text[])
ORDER BY request, recipient;

-- name: is_listed
SELECT doc_id FROM partner_incoming
WHERE message_id = $2 AND agency = $1 AND kind = 'edoc' AND withdrawn_at IS NULL;

-- name: withdraw
-- What the partner has begun with, or may have a copy of, stays its own to answer for.
UPDATE partner_incoming SET withdrawn_at = coalesce(withdrawn_at, $4), updated_at = coalesce(withdrawn_at, $4)
WHERE message_id = $2 AND agency = $1 AND kind = 'edoc' AND state IN ('initial', 'fail') AND fetched_at IS NULL
  AND recipients <@ $3::text[]
RETURNING sha256, NOT EXISTS (SELECT FROM delivery JOIN partner_code ON partner_code.agency = delivery.mailbox
                              WHERE delivery.envelope_id = $2 AND delivery.mailbox <> $1) AS alone;

-- name: forget_incoming
-- A document whose 01 is still due is not finished, and what failed at the partner may be asked for again.
DELETE FROM partner_incoming
WHERE doc_id IN (SELECT doc_id FROM partner_incoming
                 WHERE (state = 'done' OR withdrawn_at IS NOT NULL) AND updated_at < $1
                   AND (withdrawn_at IS NOT NULL OR kind = 'status' OR reported_at < $1)
                 ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED);

-- name: forget_outgoing
-- Handed over and not answered yet is the only thing that is not finished.
DELETE FROM partner_outgoing
WHERE doc_id IN (SELECT doc_id FROM partner_outgoing
                 WHERE created_at < $1 AND coalesce(submitted_at, created_at) < $1
                   AND (state <> 'processing' OR submitted_at IS NULL)
                 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED);

-- name: needed
SELECT DISTINCT sha256 FROM partner_incoming WHERE sha256 = ANY ($1::bytea[]);

-- name: begin
-- The first request of a key chooses the ids. One that never got as far as being handed over, and is so old that the
-- axis would not take its id any more, begins anew; so does a document that the axis's receipt refused: what it was
-- refused for may be mended by now.
INSERT INTO partner_outgoing AS old
    (doc_id, message_id, created_at, system_id, agency, kind, state, sender, recipients, document_id, subject, notation,
     description, key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (key) DO UPDATE
SET doc_id = excluded.doc_id, message_id = excluded.message_id, created_at = excluded.created_at,
    agency = excluded.agency, recipients = excluded.recipients, state = excluded.state,
    description = excluded.description, outcomes = '{}', submitted_at = NULL
WHERE CASE WHEN old.submitted_at IS NULL THEN old.created_at < excluded.created_at - interval '25 days'
           ELSE old.state = 'fail' AND old.kind = 'edoc' END
RETURNING doc_id;

-- name: outgoing_by_key
SELECT doc_id, message_id, created_at, submitted_at, system_id, agency, kind, state, sender, recipients, document_id,
       subject, notation, description, outcomes, key
FROM partner_outgoing WHERE key = $1;

-- name: submitted
-- The receipt may have been faster.
UPDATE partner_outgoing
SET submitted_at = coalesce(submitted_at, $3), message_id = $2,
    description = CASE WHEN submitted_at IS NULL THEN '' ELSE description END,
    state = CASE WHEN submitted_at IS NULL THEN $4 ELSE state END
WHERE doc_id = $1;

-- name: refused
UPDATE partner_outgoing SET state = 'fail', description = $2 WHERE doc_id = $1 AND submitted_at IS NULL;

-- name: answered
-- What was heard of recipients before the receipt came stays.
UPDATE partner_outgoing
SET state = $2, description = $3, outcomes = $4::jsonb || outcomes, submitted_at = coalesce(submitted_at, $5)
WHERE message_id = $1
RETURNING doc_id;

-- name: heard
UPDATE partner_outgoing SET outcomes = outcomes || jsonb_build_object($2::text, $3::jsonb)
WHERE message_id = $1 AND kind = 'edoc'
  -- What the receipt said is by another clock, and any word of the recipient's own comes after it.
  AND (coalesce(outcomes -> $2::text ->> 'state', 'initial') = 'initial'
       OR (outcomes -> $2::text ->> 'at')::timestamptz <= $4::timestamptz)
RETURNING doc_id;

-- name: sent
-- A package has up to 5,000 recipients, each a row of the answer: a page ends where there are too many.
SELECT doc_id, message_id, created_at, submitted_at, system_id, agency, kind, state, sender, recipients, document_id,
       subject, notation, description, outcomes, key
FROM (SELECT page.*, sum(cardinality(recipients)) OVER (ORDER BY doc_id DESC) - cardinality(recipients) AS before
      FROM (SELECT * FROM partner_outgoing WHERE system_id = $1 AND kind = $2
            ORDER BY doc_id DESC LIMIT $3 OFFSET $4) AS page) AS counted
WHERE before < $5
ORDER BY doc_id DESC;

-- name: outgoing
SELECT doc_id, message_id, created_at, submitted_at, system_id, agency, kind, state, sender, recipients, document_id,
       subject, notation, description, outcomes, key
FROM partner_outgoing WHERE doc_id = $2 AND system_id = $1;

-- name: found_received
SELECT envelope.id, envelope.action, envelope.sender, got.recipients
FROM envelope
JOIN LATERAL (SELECT array_agg(recipient ORDER BY position) AS recipients FROM delivery
              WHERE delivery.envelope_id = envelope.id AND delivery.mailbox = $3 AND delivery.state <> 'refused') AS got
     ON got.recipients IS NOT NULL
WHERE document_id = ANY ($1::text[]) AND envelope.sender = $2
ORDER BY envelope.id DESC LIMIT 20;

-- name: found_sent
SELECT envelope.id, envelope.action, envelope.sender, coalesce(got.recipients, '{}') AS recipients
FROM envelope
CROSS JOIN LATERAL (
    SELECT array_agg(recipient ORDER BY position) AS recipients FROM delivery
    WHERE delivery.envelope_id = envelope.id AND recipient = ANY ($3::text[]) AND delivery.state <> 'refused') AS got
WHERE document_id = ANY ($1::text[]) AND envelope.sender = $2 AND envelope.action <> 'recall'
ORDER BY coalesce(cardinality(got.recipients), 0) DESC, envelope.id DESC LIMIT 20;

-- name: envelope
SELECT body FROM envelope WHERE id = $1;

-- name: apply
INSERT INTO partner_application (id, system_id, wish, code, detail, fingerprint, at)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE (SELECT count(*) FROM (SELECT FROM partner_application
                             WHERE system_id = $2 AND closed_at IS NULL LIMIT 1000) AS open) < 1000
ON CONFLICT DO NOTHING
RETURNING id;

-- name: seen
SELECT EXISTS (SELECT FROM partner_application WHERE fingerprint = $1 AND closed_at IS NOT NULL);

-- name: applications
SELECT id, system_id, wish, code, detail, fingerprint, at FROM partner_application
WHERE closed_at IS NULL AND ($1::text IS NULL OR system_id = $1) ORDER BY id LIMIT $2;

-- name: close_application
UPDATE partner_application SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL RETURNING id;
