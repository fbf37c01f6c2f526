-- What could not be attributed or read, and who did what by hand.

CREATE TABLE quarantine (
    id           uuid        PRIMARY KEY,
    received_at  timestamptz NOT NULL, -- first seen
    last_seen_at timestamptz NOT NULL,
    count        bigint      NOT NULL,
    size         bigint      NOT NULL, -- of the message in bytes; `body` may be only its beginning
    source       text        NOT NULL,
    reason       text        NOT NULL,
    detail       text        NOT NULL,
    account      text,
    message_id   text,
    sha256       bytea       NOT NULL, -- of the whole message
    headers      jsonb       NOT NULL,
    body         bytea       NOT NULL,
    -- The same bytes, sent again and again, are one row with a count.
    UNIQUE NULLS NOT DISTINCT (sha256, account, reason)
);

CREATE TABLE operator (
    login       text        PRIMARY KEY,
    name        text        NOT NULL,
    role        text        NOT NULL CHECK (role IN ('viewer', 'operator', 'auditor')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);

CREATE TABLE audit (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor   text        NOT NULL,
    action  text        NOT NULL,
    subject text        NOT NULL,
    detail  jsonb       NOT NULL
);

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION axis_refuse_change();
