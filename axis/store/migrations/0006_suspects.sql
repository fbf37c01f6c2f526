-- Messages that a worker had in hand when it ended, and how often; see docs/decisions/0009. Unlogged: notes are written
-- in the way of messages and have to outlive the worker only. What is lost with the server is counted anew.
CREATE UNLOGGED TABLE suspect (
    key      bytea       PRIMARY KEY, -- SHA-256 of what makes it the same message when it comes again
    times    integer     NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now()
);
