-- Which blobs arrived, and who brought them. The bytes are in the blob store; who else may read a blob follows from
-- the envelopes that name it (table attachment).

CREATE TABLE blob (
    sha256      bytea       PRIMARY KEY CHECK (length(sha256) = 32),
    size        bigint      NOT NULL CHECK (size >= 0),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE blob_upload (
    sha256      bytea       NOT NULL REFERENCES blob,
    account     text        NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sha256, account)
);
