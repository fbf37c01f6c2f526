-- What the signatures inside a PDF make of it, looked at once, beside the way of documents: see docs/decisions.
CREATE TABLE paper_signature (
    sha256     bytea       PRIMARY KEY CHECK (length(sha256) = 32),
    checked_at timestamptz NOT NULL DEFAULT now(),
    verdict    jsonb       NOT NULL CHECK (jsonb_typeof(verdict) = 'object')
);

-- of, waiting: the files of an envelope, and those of the last envelopes.
CREATE INDEX attachment_envelope ON attachment (envelope_id);
