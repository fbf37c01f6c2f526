-- name: record_blob
INSERT INTO blob (sha256, size) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: record_upload
INSERT INTO blob_upload (sha256, account) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: known
-- Uploaded by the account, or named by an envelope that it sent or receives. Scalar subqueries with LIMIT 1, because for
-- EXISTS the planner may prefer to read a whole table once.
SELECT blob.sha256, blob.size
FROM blob
WHERE blob.sha256 = ANY ($2::bytea[])
  AND coalesce(
      (SELECT true FROM blob_upload WHERE blob_upload.sha256 = blob.sha256 AND blob_upload.account = $1),
      (SELECT true
       FROM attachment
       WHERE attachment.sha256 = blob.sha256
         AND coalesce(
             (SELECT true FROM envelope WHERE envelope.id = attachment.envelope_id AND envelope.account = $1),
             (SELECT true FROM delivery
              WHERE delivery.envelope_id = attachment.envelope_id
                AND delivery.mailbox = $1 AND delivery.state <> 'refused'
              LIMIT 1))
       LIMIT 1));
