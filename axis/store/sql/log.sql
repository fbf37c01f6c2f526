-- name: lock
-- Held by whoever gives out places or publishes, until its transaction ends; another notary waits.
SELECT pg_advisory_xact_lock(hashtext('axis_log'));

-- name: head
SELECT (SELECT position + 1 FROM log_entry ORDER BY position DESC LIMIT 1) AS assigned,
       size, root, note, signed_at, "timestamp"
FROM (VALUES (1)) AS one LEFT JOIN (SELECT * FROM log_checkpoint ORDER BY size DESC LIMIT 1) AS latest ON true;

-- name: fresh_receipts
-- From where the log ends, less a while ($1), because ids are made before their transactions commit; from no later than a
-- while ago, because a clock that is ahead must not hide what the others make. What is older still, the walk finds.
SELECT id, sha256(body) AS sha256, sha256(convert_to(signature, 'UTF8')) AS signature_sha256
FROM notice
WHERE kind = 'receipt'
  AND id >= least(coalesce((SELECT receipt FROM log_entry WHERE receipt IS NOT NULL ORDER BY receipt DESC LIMIT 1),
                           '00000000-0000-0000-0000-000000000000'::uuid),
                  axis_id_floor(now() - $1::interval))
  AND NOT EXISTS (SELECT FROM log_entry WHERE receipt = notice.id)
ORDER BY id LIMIT $2;

-- name: page
-- What a walk over receipts sees at once: the last of a page, and those of it that are not in the log.
-- Of the last weeks: no worker's clock is further behind. $1 is where the page before ended.
WITH page AS MATERIALIZED (
    SELECT id FROM notice
    WHERE kind = 'receipt'
      AND id > coalesce($1::uuid, axis_id_floor(now() - $2::interval)) AND id < axis_id_floor(now())
    ORDER BY id LIMIT $3
)
SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
       ARRAY (SELECT id FROM page WHERE NOT EXISTS (SELECT FROM log_entry WHERE receipt = page.id)) AS missing;

-- name: unlogged
-- A thousand are as bad as more.
SELECT count(*) FROM (
    SELECT FROM notice
    WHERE kind = 'receipt' AND id >= axis_id_floor(now() - $1::interval) AND id < axis_id_floor(now() - $2::interval)
      AND NOT EXISTS (SELECT FROM log_entry WHERE receipt = notice.id)
    LIMIT 1000) AS found;

-- name: receipts_by_id
SELECT id, sha256(body) AS sha256, sha256(convert_to(signature, 'UTF8')) AS signature_sha256
FROM notice
WHERE kind = 'receipt' AND id = ANY ($1::uuid[]) AND id BETWEEN $2 AND $3
  AND NOT EXISTS (SELECT FROM log_entry WHERE receipt = notice.id)
ORDER BY id;

-- name: fresh_acts
-- Numbers are given out before their transactions commit, so a look goes back a thousand: no command lives as long as
-- it takes others to commit so many.
SELECT id, at, actor, action, subject, detail::text AS detail, nonce
FROM audit
WHERE id > coalesce((SELECT act FROM log_entry WHERE act IS NOT NULL ORDER BY act DESC LIMIT 1), 0) - 1000
  AND NOT EXISTS (SELECT FROM log_entry WHERE act = audit.id)
ORDER BY id LIMIT $1;

-- name: assign
INSERT INTO log_entry (position, receipt, act, leaf_hash)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bytea[]);

-- name: entries
-- With the rows they are about: of what is not in the tiles yet nothing has been dropped.
SELECT position, leaf_hash, log_entry.receipt, log_entry.act, sha256(notice.body) AS sha256,
       sha256(convert_to(notice.signature, 'UTF8')) AS signature_sha256, at, actor, action, subject,
       detail::text AS detail, nonce
FROM log_entry
LEFT JOIN notice ON notice.id = log_entry.receipt AND notice.kind = 'receipt'
LEFT JOIN audit ON audit.id = log_entry.act
WHERE position >= $1 AND position < $2
ORDER BY position;

-- name: record
INSERT INTO log_checkpoint (size, root, note) VALUES ($1, $2, $3)
ON CONFLICT (size) DO NOTHING;

-- name: checkpoint
SELECT size, root, note, signed_at, "timestamp" FROM log_checkpoint WHERE size = $1;

-- name: renew
-- The same text under other signatures: a key was added or taken away.
UPDATE log_checkpoint SET note = $3 WHERE size = $1 AND root = $2;

-- name: stamp
UPDATE log_checkpoint SET "timestamp" = $2 WHERE size = $1 AND "timestamp" IS NULL;

-- name: forget
-- Places that nobody was ever shown.
DELETE FROM log_entry WHERE position >= $1;

-- name: position_of_receipt
SELECT position FROM log_entry WHERE receipt = $1;

-- name: covering
-- The earliest that an authority has stamped, for its time is the nearest; else the newest.
SELECT size, root, note, signed_at, "timestamp"
FROM ((SELECT size, root, note, signed_at, "timestamp" FROM log_checkpoint
       WHERE "timestamp" IS NOT NULL AND size > $1 ORDER BY size LIMIT 1)
      UNION ALL
      (SELECT size, root, note, signed_at, "timestamp" FROM log_checkpoint WHERE size > $1 ORDER BY size DESC LIMIT 1))
     AS found
ORDER BY "timestamp" IS NULL, size LIMIT 1;

-- name: receipt
SELECT id, mailbox, kind, about, body, signature FROM notice WHERE id = $1 AND kind = 'receipt';

-- name: receipt_about
SELECT id, mailbox, kind, about, body, signature
FROM notice
WHERE id = (SELECT receipt FROM envelope WHERE envelope.id = $1) AND kind = 'receipt';
