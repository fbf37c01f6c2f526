-- Existing document systems served over HTTP (docs/runbooks/partners.md): who they are, what lies ready for them, what
-- they sent. Secrets are not here but in files of the gateway.

CREATE TABLE partner (
    system_id     text        PRIMARY KEY,
    profile       text        NOT NULL CHECK (profile IN ('vxp', 'lgsp')),
    strict        boolean     NOT NULL,
    code_form     text        NOT NULL CHECK (code_form IN ('qcvn102', 'qd20')),
    clock_minutes integer     CHECK (clock_minutes > 0),
    added_at      timestamptz NOT NULL,
    ended_at      timestamptz
);

-- Whom a document for a code is handed to must never be in doubt: a code is one partner's at a time. Rows of a partner
-- that has ended are removed.
CREATE TABLE partner_code (
    code      text PRIMARY KEY,
    system_id text NOT NULL REFERENCES partner,
    agency    text NOT NULL -- the mailbox the code is reached through: itself or one above it
);

CREATE TABLE partner_incoming (
    doc_id       uuid        PRIMARY KEY,
    message_id   uuid        NOT NULL, -- the envelope, or the status
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    withdrawn_at timestamptz,
    reported_at  timestamptz, -- when status 01 was handed over, for a document that is done
    size         bigint      NOT NULL CHECK (size >= 0),
    system_id    text        NOT NULL,
    agency       text        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('edoc', 'status')),
    state        text        NOT NULL CHECK (state IN ('initial', 'processing', 'done', 'fail')),
    sender       text        NOT NULL,
    recipients   text[]      NOT NULL,
    document_id  text        NOT NULL,
    subject      text        NOT NULL,
    notation     text        NOT NULL,
    description  text        NOT NULL,
    sha256       bytea       NOT NULL CHECK (length(sha256) = 32),
    content      bytea, -- a status is here, a document in the blob store
    -- The broker hands out a message again when it was not acked: it is one package however often it comes. Also what
    -- the audit asks: whether a copy without a status is held here.
    UNIQUE (message_id, agency, kind)
);

-- listed, without a state asked for: only what waits is in it, however much was done before.
CREATE INDEX partner_incoming_waiting ON partner_incoming (system_id, kind, doc_id)
    WHERE state IN ('initial', 'processing') AND withdrawn_at IS NULL;
-- listed, by state.
CREATE INDEX partner_incoming_state ON partner_incoming (system_id, kind, state, doc_id);
-- take_over.
CREATE INDEX partner_incoming_agency ON partner_incoming (agency) WHERE state <> 'done';
-- unreported.
CREATE INDEX partner_incoming_unreported ON partner_incoming (doc_id)
    WHERE state = 'done' AND kind = 'edoc' AND reported_at IS NULL;

CREATE TABLE partner_outgoing (
    doc_id       uuid        PRIMARY KEY,
    message_id   uuid        NOT NULL, -- the envelope, or the status once there is one
    created_at   timestamptz NOT NULL,
    submitted_at timestamptz, -- when it was safe with the SDK
    system_id    text        NOT NULL,
    agency       text        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('edoc', 'status')),
    state        text        NOT NULL CHECK (state IN ('initial', 'processing', 'done', 'fail')),
    sender       text        NOT NULL,
    recipients   text[]      NOT NULL,
    document_id  text        NOT NULL,
    subject      text        NOT NULL,
    notation     text        NOT NULL,
    description  text        NOT NULL,
    outcomes     jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(outcomes) = 'object'),
    key          bytea       NOT NULL UNIQUE CHECK (length(key) = 32)
);

CREATE INDEX partner_outgoing_sent ON partner_outgoing (system_id, kind, doc_id);
-- answered, heard: which package a receipt or a status is about.
CREATE INDEX partner_outgoing_message ON partner_outgoing (message_id);

-- registerAgency, deleteAgency: wishes, until an operator has done something about them. The fingerprint of the request
-- keeps the same one, recorded on the line, from being made again.
CREATE TABLE partner_application (
    id          uuid        PRIMARY KEY,
    system_id   text        NOT NULL,
    wish        text        NOT NULL CHECK (wish IN ('register', 'delete')),
    code        text        NOT NULL,
    detail      jsonb       NOT NULL CHECK (jsonb_typeof(detail) = 'object'),
    fingerprint bytea       NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    at          timestamptz NOT NULL,
    closed_at   timestamptz
);

CREATE UNIQUE INDEX partner_application_open ON partner_application (system_id, wish, code) WHERE closed_at IS NULL;
