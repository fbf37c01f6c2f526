-- name: times
SELECT key, times FROM suspect WHERE key = ANY ($1::bytea[]);

-- name: note
-- What was noted long ago and never came again is nobody's any more.
WITH forgotten AS (DELETE FROM suspect WHERE noted_at < now() - interval '30 days' AND NOT key = ANY ($1::bytea[]))
INSERT INTO suspect (key, times) SELECT key, 1 FROM unnest($1::bytea[]) AS key
ON CONFLICT (key) DO UPDATE SET times = suspect.times + 1, noted_at = now();

-- name: clear
DELETE FROM suspect WHERE key = ANY (ARRAY (SELECT key FROM suspect WHERE key = ANY ($1::bytea[]) ORDER BY key FOR UPDATE));
