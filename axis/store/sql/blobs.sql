-- name: record_blob
INSERT INTO blob (sha256, size) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: record_upload
INSERT INTO blob_upload (sha256, account) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: known
-- $2: digests. Uploaded by the account, or named by an envelope that it sent or receives.
SELECT blob.sha256, blob.size
FROM blob
WHERE blob.sha256 = ANY ($2::bytea[])
  AND (EXISTS (SELECT FROM blob_upload WHERE blob_upload.sha256 = blob.sha256 AND blob_upload.account = $1)
       OR EXISTS (SELECT
                  FROM attachment
                  WHERE attachment.sha256 = blob.sha256
                    AND (EXISTS (SELECT FROM envelope
                                 WHERE envelope.id = attachment.envelope_id AND envelope.account = $1)
                         OR EXISTS (SELECT FROM delivery
                                    WHERE delivery.envelope_id = attachment.envelope_id
                                      AND delivery.mailbox = $1 AND delivery.state <> 'refused'))));
