-- name: waiting
SELECT DISTINCT encode(attachment.sha256, 'hex') AS sha256, blob.size, blob.recorded_at
FROM attachment JOIN blob USING (sha256)
WHERE attachment.envelope_id >= $1 AND lower(attachment.name) LIKE '%.pdf'
  AND NOT EXISTS (
    SELECT FROM paper_signature AS known
    WHERE known.sha256 = attachment.sha256 AND CASE known.verdict ->> 'standing'
      WHEN 'not-looked-at' THEN known.tries >= $4 OR known.checked_at > now() - known.tries * interval '1 hour'
      WHEN 'not-trusted' THEN known.trust IS NOT DISTINCT FROM $3
      ELSE true
    END
  )
ORDER BY blob.recorded_at
LIMIT $2;

-- name: keep
INSERT INTO paper_signature AS known (sha256, verdict, trust) VALUES (decode($1, 'hex'), $2::jsonb, $3)
ON CONFLICT (sha256) DO UPDATE SET
  verdict = excluded.verdict,
  trust = excluded.trust,
  checked_at = now(),
  tries = CASE known.verdict ->> 'standing' WHEN 'not-looked-at' THEN known.tries + 1 ELSE 1 END
WHERE known.verdict ->> 'standing' IN ('not-looked-at', 'not-trusted');

-- name: of
SELECT attachment.name, encode(attachment.sha256, 'hex') AS sha256, paper_signature.verdict::text AS verdict
FROM attachment LEFT JOIN paper_signature USING (sha256)
WHERE attachment.envelope_id = $1
ORDER BY attachment.name;
