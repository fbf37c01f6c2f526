-- Blobs that an account uploaded and then named in a message that is marked as a state secret: the account's upload no
-- longer counts from that moment on, and the gateway removes the bytes when nobody else's upload or envelope needs them.
-- A row is there until that is done, whatever ends in between.

CREATE TABLE blob_unwanted (
    sha256  bytea       NOT NULL,
    account text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sha256, account)
);
