-- name: overrides
SELECT day, working, why FROM workday_override ORDER BY day;

-- name: put
INSERT INTO workday_override (day, working, why) VALUES ($1, $2, $3)
ON CONFLICT (day) DO UPDATE SET working = excluded.working, why = excluded.why;

-- name: remove
DELETE FROM workday_override WHERE day = $1 RETURNING day;
