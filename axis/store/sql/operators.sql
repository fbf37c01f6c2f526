-- Accounts of the console, their sessions, and the audit to be read (axis.store.operators).

-- name: add
INSERT INTO operator (login, name, role, code, created_at, temporary, issuer, subject, password)
VALUES ($1, $2, $3, $4, coalesce($5, now()), $6, $7, $8, $9)
ON CONFLICT DO NOTHING
RETURNING login;

-- name: all
SELECT login, name, role, code, created_at, closed_at, temporary, issuer, subject FROM operator ORDER BY login;

-- name: find
SELECT login, name, role, code, created_at, closed_at, temporary, issuer, subject, password
FROM operator WHERE login = $1;

-- name: find_subject
SELECT login, name, role, code, created_at, closed_at, temporary, issuer, subject
FROM operator WHERE issuer = $1 AND subject = $2;

-- name: lock
SELECT login, name, role, code, created_at, closed_at, temporary, issuer, subject
FROM operator WHERE login = $1 FOR UPDATE;

-- name: change
UPDATE operator SET name = $2, role = $3, code = $4, closed_at = $5 WHERE login = $1;

-- name: set_password
UPDATE operator SET password = $2, temporary = $3 WHERE login = $1;

-- name: begin
-- The lock keeps a closing, or a new password, from passing between the look and the row.
WITH who AS (
    SELECT login FROM operator
    WHERE login = $2 AND closed_at IS NULL AND password IS NOT DISTINCT FROM $7::text FOR SHARE
)
INSERT INTO operator_session (token, login, begun_at, seen_at, address, means)
SELECT $1, login, $3, $4, $5, $6 FROM who
RETURNING login;

-- name: session
SELECT login, name, role, code, created_at, closed_at, temporary, issuer, subject,
       token, begun_at, seen_at, address, means
FROM operator_session JOIN operator USING (login)
WHERE token = $1 AND closed_at IS NULL;

-- name: seen
UPDATE operator_session SET seen_at = $2 WHERE token = $1 AND seen_at < $2;

-- name: end
DELETE FROM operator_session WHERE token = $1;

-- name: end_all
DELETE FROM operator_session WHERE login = $1;

-- name: attempts_so_far
SELECT key, failures, at FROM login_attempt WHERE key = ANY ($1::text[]) ORDER BY key;

-- name: first_attempts
INSERT INTO login_attempt (key, failures, at) SELECT key, 0, $2 FROM unnest($1::text[]) AS key
ON CONFLICT DO NOTHING;

-- name: attempts
SELECT key, failures, at FROM login_attempt WHERE key = ANY ($1::text[]) ORDER BY key FOR UPDATE;

-- name: attempted
UPDATE login_attempt SET failures = new.failures, at = new.at
FROM unnest($1::text[], $2::integer[], $3::timestamptz[]) AS new (key, failures, at)
WHERE login_attempt.key = new.key;

-- name: forgive
UPDATE login_attempt SET failures = CASE key WHEN $1 THEN 0 ELSE greatest(0, failures - 1) END
WHERE key IN ($1, $2);

-- name: unlock
DELETE FROM login_attempt WHERE key = $1;

-- name: forget_sessions
DELETE FROM operator_session WHERE seen_at <= $1 OR begun_at <= $2 RETURNING 1;

-- name: forget_attempts
DELETE FROM login_attempt WHERE at <= $1;

-- name: acts
SELECT id, at, actor, action, subject, detail::text, nonce::text
FROM audit
WHERE ($1::text IS NULL OR actor = $1)
  AND ($2::text IS NULL OR starts_with(action, $2))
  AND ($3::text IS NULL OR subject = $3)
  AND ($4::timestamptz IS NULL OR at >= $4)
  AND ($5::timestamptz IS NULL OR at < $5)
  AND ($6::bigint IS NULL OR id < $6)
ORDER BY id DESC
LIMIT $7;
