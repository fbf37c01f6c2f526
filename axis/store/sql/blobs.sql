-- name: record_blob
INSERT INTO blob (sha256, size) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: record_upload
-- The time is that of the last upload: a mark as unwanted is about those before.
INSERT INTO blob_upload (sha256, account, uploaded_at) VALUES ($1, $2, clock_timestamp())
ON CONFLICT (sha256, account) DO UPDATE SET uploaded_at = excluded.uploaded_at;

-- name: known
-- Uploaded by the account, or named by an envelope that it sent or receives. Scalar subqueries with LIMIT 1, because for
-- EXISTS the planner may prefer to read a whole table once.
SELECT blob.sha256, blob.size
FROM blob
WHERE blob.sha256 = ANY ($2::bytea[])
  AND coalesce(
      (SELECT true FROM blob_upload
       WHERE blob_upload.sha256 = blob.sha256 AND blob_upload.account = $1
         AND NOT EXISTS (SELECT FROM blob_unwanted
                         WHERE blob_unwanted.sha256 = blob_upload.sha256
                           AND blob_unwanted.account = blob_upload.account
                           AND blob_unwanted.at >= blob_upload.uploaded_at)),
      (SELECT true
       FROM attachment
       WHERE attachment.sha256 = blob.sha256
         AND coalesce(
             (SELECT true FROM envelope WHERE envelope.id = attachment.envelope_id AND envelope.account = $1),
             (SELECT true FROM delivery
              WHERE delivery.envelope_id = attachment.envelope_id
                AND delivery.mailbox = $1 AND delivery.state NOT IN ('refused', 'withdrawn')
              LIMIT 1))
       LIMIT 1));

-- name: unwanted
SELECT sha256 FROM blob_unwanted WHERE at <= now() - $1::interval GROUP BY sha256 ORDER BY min(at), sha256 LIMIT $2;

-- name: take_unwanted
-- Of two gateways one forgets a blob; the other waits, and finds nothing left to do.
DELETE FROM blob_unwanted WHERE sha256 = $1 RETURNING account, at;

-- name: forget_uploads
DELETE FROM blob_upload USING unnest($2::text[], $3::timestamptz[]) AS unwanted (account, at)
WHERE blob_upload.sha256 = $1 AND blob_upload.account = unwanted.account AND blob_upload.uploaded_at <= unwanted.at;

-- name: forget_blob
-- An upload that is being recorded holds the row by its foreign key: this waits for it, and then fails for it.
DELETE FROM blob
WHERE sha256 = $1
  AND NOT EXISTS (SELECT FROM blob_upload WHERE blob_upload.sha256 = $1)
  AND NOT EXISTS (SELECT FROM attachment WHERE attachment.sha256 = $1);

-- name: is_recorded
SELECT EXISTS (SELECT FROM blob WHERE sha256 = $1);
