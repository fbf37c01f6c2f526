-- name: newest
SELECT DISTINCT ON (source) source, this_update, number
FROM revocation_answer
WHERE source = ANY ($1::text[])
ORDER BY source, this_update DESC, number DESC NULLS LAST;

-- name: put_answers
INSERT INTO revocation_answer (sha256, kind, source, this_update, next_update, number, body)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::numeric[], $7::bytea[])
ON CONFLICT (sha256) DO NOTHING;

-- name: put_evidence
INSERT INTO certificate_evidence (thumbprint, as_of, good_until, answers)
VALUES ($1, $2, $3, $4)
ON CONFLICT (thumbprint, answers) DO NOTHING;

-- name: use_evidence
-- A row that says the same already is not touched: workers are told of every change.
UPDATE certificate SET evidence = found.id, trusted_until = $3
FROM (SELECT id FROM certificate_evidence WHERE thumbprint = $1 AND answers = $2) AS found
WHERE certificate.thumbprint = $1 AND (certificate.evidence, certificate.trusted_until) IS DISTINCT FROM (found.id, $3);

-- name: trust
UPDATE certificate SET trusted_until = $2 WHERE thumbprint = $1 AND trusted_until IS DISTINCT FROM $2::timestamptz;

-- name: proofs
SELECT id, as_of, good_until FROM certificate_evidence WHERE id = ANY ($1::bigint[]);

-- name: answers
SELECT kind, source, revocation_answer.sha256, this_update, next_update, number, body
FROM certificate_evidence JOIN revocation_answer ON revocation_answer.sha256 = ANY (certificate_evidence.answers)
WHERE certificate_evidence.id = $1
ORDER BY source;

-- name: warned
SELECT thumbprint, days, warned_at FROM certificate_warning ORDER BY thumbprint, days;

-- name: warn
INSERT INTO certificate_warning (thumbprint, days) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING thumbprint;

-- name: envelope_page
-- Looks at so many rows, whatever it finds among them: an index by signer would cost every envelope a write for a
-- question that is hardly ever asked.
SELECT page.id, page.thumbprint, page.accepted_at AS at, page.sender AS said_by, page.account, page.document_id,
       proof.id AS evidence, proof.as_of, proof.good_until
FROM (SELECT id, thumbprint, accepted_at, sender, account, document_id, evidence
      FROM envelope
      WHERE id >= axis_id_floor($1) AND id > $2
      ORDER BY id LIMIT $3) AS page
     LEFT JOIN certificate_evidence AS proof ON proof.id = page.evidence
ORDER BY page.id;

-- name: status_page
SELECT page.id, page.thumbprint, page.received_at AS at, page.reporter AS said_by, page.account, page.envelope_id,
       proof.id AS evidence, proof.as_of, proof.good_until
FROM (SELECT id, thumbprint, received_at, reporter, account, envelope_id, evidence
      FROM status_event
      WHERE id >= axis_id_floor($1) AND id > $2
      ORDER BY id LIMIT $3) AS page
     LEFT JOIN certificate_evidence AS proof ON proof.id = page.evidence
ORDER BY page.id;
