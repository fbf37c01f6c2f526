-- name: waiting
SELECT DISTINCT encode(attachment.sha256, 'hex') AS sha256, blob.size, blob.recorded_at
FROM attachment JOIN blob USING (sha256)
WHERE attachment.envelope_id >= $1 AND lower(attachment.name) LIKE '%.pdf'
  AND NOT EXISTS (SELECT FROM paper_signature WHERE paper_signature.sha256 = attachment.sha256)
ORDER BY blob.recorded_at
LIMIT $2;

-- name: keep
INSERT INTO paper_signature (sha256, verdict) VALUES (decode($1, 'hex'), $2::jsonb) ON CONFLICT DO NOTHING;

-- name: of
SELECT attachment.name, encode(attachment.sha256, 'hex') AS sha256, paper_signature.verdict::text AS verdict
FROM attachment LEFT JOIN paper_signature USING (sha256)
WHERE attachment.envelope_id = $1
ORDER BY attachment.name;
