-- Who looks at the console: accounts, who is logged in, and how often passwords were wrong.

ALTER TABLE operator RENAME COLUMN disabled_at TO closed_at;
ALTER TABLE operator DROP CONSTRAINT operator_role_check;
UPDATE operator SET role = 'viewer' WHERE role = 'auditor';
ALTER TABLE operator
    ADD COLUMN code      text, -- the agency of an agency user
    ADD COLUMN issuer    text, -- OpenID Connect: who says who it is,
    ADD COLUMN subject   text, -- and what it is called there
    ADD COLUMN password  text, -- argon2id (RFC 9106), with its parameters and salt
    ADD COLUMN temporary boolean NOT NULL DEFAULT false, -- somebody else knows the password
    ADD CONSTRAINT operator_role CHECK (role IN ('viewer', 'operator', 'administrator', 'agency')),
    ADD CONSTRAINT operator_code CHECK ((role = 'agency') = (code IS NOT NULL)),
    ADD CONSTRAINT operator_subject UNIQUE (issuer, subject),
    ADD CONSTRAINT operator_issuer CHECK ((issuer IS NULL) = (subject IS NULL) AND (issuer IS NULL OR password IS NULL));

CREATE TABLE operator_session (
    token    bytea       PRIMARY KEY CHECK (octet_length(token) = 32), -- SHA-256 of what the browser has
    login    text        NOT NULL REFERENCES operator,
    begun_at timestamptz NOT NULL,
    seen_at  timestamptz NOT NULL,
    address  text        NOT NULL,
    means    text        NOT NULL CHECK (means IN ('password', 'oidc'))
);
-- end_all: when a password or a role changes.
CREATE INDEX operator_session_login ON operator_session (login);

CREATE TABLE login_attempt (
    key      text        PRIMARY KEY, -- account:… or address:…
    failures integer     NOT NULL,
    at       timestamptz NOT NULL
);

-- acts: the console's page of what was done by hand.
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_subject ON audit (subject, id);
CREATE INDEX audit_at ON audit (at);
