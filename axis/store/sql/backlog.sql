-- Each by its partial index, and never further than $1 rows: what has piled up must not make the look slow that tells.

-- name: envelopes
SELECT count(*) AS count, min(accepted_at) AS oldest
FROM (SELECT accepted_at FROM envelope WHERE published_at IS NULL LIMIT $1) AS unmarked;

-- name: notices
-- Its id tells when it was made; PostgreSQL before 18 does not read it, and the first try was a moment later.
SELECT count(*) AS count, min(attempted_at) AS oldest
FROM (SELECT attempted_at FROM notice WHERE published_at IS NULL LIMIT $1) AS unmarked;

-- name: held
SELECT coalesce(reason, '') AS reason, count(*) AS count, min(placed_at) AS oldest
FROM (SELECT reason, placed_at FROM delivery WHERE state = 'held' LIMIT $1) AS held
GROUP BY reason;

-- name: quarantine
SELECT reason, count(*) AS count, min(last_seen_at) AS oldest
FROM (SELECT reason, last_seen_at FROM quarantine WHERE left_at IS NULL OR left_at < last_seen_at LIMIT $1) AS kept
GROUP BY reason;

-- name: waiting
SELECT queue, count(*) AS count, min(received_at) AS oldest
FROM (SELECT queue, received_at FROM waiting LIMIT $1) AS waiting
GROUP BY queue;
