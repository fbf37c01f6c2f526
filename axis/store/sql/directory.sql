-- name: organisations
SELECT code, name, valid_from, valid_to, successor, forwarding, unknown_below, code102
FROM organisation
WHERE $1::text[] IS NULL OR code = ANY ($1)
ORDER BY code, valid_from;

-- name: mailboxes
SELECT code, valid_from, valid_to, password_hash, quota
FROM mailbox
WHERE $1::text[] IS NULL OR code = ANY ($1)
ORDER BY code, valid_from;

-- name: shown_mailboxes
-- For the console, whose role may not read the hashes.
SELECT code, valid_from, valid_to, '' AS password_hash, quota
FROM mailbox
WHERE $1::text[] IS NULL OR code = ANY ($1)
ORDER BY code, valid_from;

-- name: certificates
SELECT thumbprint, organisation, role, subject, not_before, not_after, revoked_at, retired_at, invalid_since, revocation,
       evidence, trusted_until, anchor, matched, predecessor, der
FROM certificate
WHERE $1::text[] IS NULL OR organisation = ANY ($1)
ORDER BY organisation, not_before, thumbprint;

-- name: put_organisations
-- Sorted, so that two imports at once wait for each other instead of deadlocking. Rows that say the same already are
-- not touched: they cost nothing and nobody is notified. `xmax = 0` holds for rows this statement inserted.
INSERT INTO organisation AS old
    (code, name, valid_from, valid_to, successor, forwarding, unknown_below, code102)
SELECT code, name, valid_from, valid_to, successor, forwarding, unknown_below, code102
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::boolean[], $7::text[], $8::text[])
    AS new (code, name, valid_from, valid_to, successor, forwarding, unknown_below, code102)
ORDER BY code, valid_from
ON CONFLICT (code, valid_from) DO UPDATE
SET name = excluded.name,
    valid_to = excluded.valid_to,
    successor = excluded.successor,
    forwarding = excluded.forwarding,
    unknown_below = excluded.unknown_below,
    code102 = excluded.code102
WHERE (old.name, old.valid_to, old.successor, old.forwarding, old.unknown_below, old.code102)
    IS DISTINCT FROM
    (excluded.name, excluded.valid_to, excluded.successor, excluded.forwarding, excluded.unknown_below, excluded.code102)
RETURNING xmax = 0 AS inserted;

-- name: put_mailbox
INSERT INTO mailbox AS old (code, valid_from, valid_to, password_hash, quota)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (code, valid_from) DO UPDATE
SET valid_to = excluded.valid_to, password_hash = excluded.password_hash, quota = excluded.quota
WHERE (old.valid_to, old.password_hash, old.quota)
    IS DISTINCT FROM
    (excluded.valid_to, excluded.password_hash, excluded.quota);

-- name: put_certificate
-- A revocation is never taken back by enrolling the same certificate again; evidence is not either. A retirement is:
-- enrolling it anew says that its owner signs with it again.
INSERT INTO certificate AS old
    (thumbprint, organisation, role, subject, not_before, not_after, revoked_at, retired_at, invalid_since, revocation,
     trusted_until, anchor, matched, predecessor, der)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (thumbprint) DO UPDATE
SET organisation = excluded.organisation,
    role = excluded.role,
    subject = excluded.subject,
    revoked_at = least(old.revoked_at, excluded.revoked_at),
    retired_at = excluded.retired_at,
    invalid_since = least(old.invalid_since, excluded.invalid_since),
    revocation = coalesce(old.revocation, excluded.revocation),
    trusted_until = coalesce(old.trusted_until, excluded.trusted_until),
    anchor = coalesce(excluded.anchor, old.anchor),
    matched = coalesce(excluded.matched, old.matched),
    predecessor = coalesce(excluded.predecessor, old.predecessor)
WHERE (old.organisation, old.role, old.subject, old.revoked_at, old.retired_at, old.invalid_since, old.revocation,
       old.trusted_until, old.anchor, old.matched, old.predecessor)
    IS DISTINCT FROM
    (excluded.organisation, excluded.role, excluded.subject, least(old.revoked_at, excluded.revoked_at),
     excluded.retired_at, least(old.invalid_since, excluded.invalid_since),
     coalesce(old.revocation, excluded.revocation), coalesce(old.trusted_until, excluded.trusted_until),
     coalesce(excluded.anchor, old.anchor), coalesce(excluded.matched, old.matched),
     coalesce(excluded.predecessor, old.predecessor));

-- name: revoke
-- The earliest revocation counts, and so does the earliest time that is in doubt; the first word on why stays. A row
-- that says the same already is not touched: workers are told of every change.
WITH known AS (SELECT FROM certificate WHERE thumbprint = $1),
changed AS (
    UPDATE certificate AS old
    SET revoked_at = least(old.revoked_at, $2::timestamptz),
        invalid_since = least(old.invalid_since, $3::timestamptz),
        revocation = coalesce(old.revocation, $4)
    WHERE thumbprint = $1
      AND (old.revoked_at, old.invalid_since, old.revocation) IS DISTINCT FROM
          (least(old.revoked_at, $2), least(old.invalid_since, $3), coalesce(old.revocation, $4))
)
SELECT count(*) FROM known;

-- name: retire
WITH known AS (SELECT FROM certificate WHERE thumbprint = $1),
changed AS (
    UPDATE certificate SET retired_at = $2 WHERE thumbprint = $1 AND retired_at IS DISTINCT FROM $2::timestamptz
)
SELECT count(*) FROM known;
