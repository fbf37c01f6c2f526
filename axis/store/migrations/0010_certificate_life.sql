-- The life of a certificate; see docs/decisions/0017.

ALTER TABLE certificate
    ADD COLUMN retired_at    timestamptz, -- its owner has another one; nothing it signed is in doubt
    ADD COLUMN invalid_since timestamptz, -- since when its signatures are in doubt; never after revoked_at
    ADD COLUMN revocation    text,        -- why it was revoked, and by whose word
    ADD COLUMN evidence      bigint,      -- what shows now that it is not revoked
    ADD COLUMN trusted_until timestamptz, -- how long that suffices, by the policy of whoever wrote it; NULL: not asked for
    ADD COLUMN anchor        text,        -- the root its chain ends in; NULL: not checked
    ADD COLUMN matched       text,        -- how it was found to be the organisation's
    ADD COLUMN predecessor   text;

-- What authorities said, byte for byte as it came: kept as long as an envelope may be asked about.
CREATE TABLE revocation_answer (
    sha256      bytea       PRIMARY KEY CHECK (length(sha256) = 32),
    kind        text        NOT NULL CHECK (kind IN ('crl', 'ocsp')),
    source      text        NOT NULL, -- what was asked for, where
    this_update timestamptz NOT NULL,
    next_update timestamptz NOT NULL,
    number      numeric, -- of a list: up to 20 octets (RFC 5280 section 5.2.3)
    fetched_at  timestamptz NOT NULL DEFAULT now(),
    body        bytea       NOT NULL
);

-- newest: answers from one source must never go back in time.
CREATE INDEX revocation_answer_source ON revocation_answer (source, this_update);

-- One answer for a certificate and for each authority above it but the root. An envelope names its row: whoever asks
-- later sees on what its signer was believed, and how old that was.
CREATE TABLE certificate_evidence (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thumbprint text        NOT NULL,
    as_of      timestamptz NOT NULL, -- when the oldest of the answers was made
    good_until timestamptz NOT NULL, -- when the first of them ends to be good
    kept_at    timestamptz NOT NULL DEFAULT now(),
    answers    bytea[]     NOT NULL,
    UNIQUE (thumbprint, answers)
);

-- Envelopes name evidence from now on; those before have none. No foreign key, as everywhere in the way of messages.
ALTER TABLE envelope ADD COLUMN evidence bigint;

-- Which ends were warned of, so that each is warned of once, whoever looks and however often.
CREATE TABLE certificate_warning (
    thumbprint text        NOT NULL,
    days       smallint    NOT NULL,
    warned_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (thumbprint, days)
);

CREATE TRIGGER revocation_answer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON revocation_answer
    FOR EACH STATEMENT EXECUTE FUNCTION axis_refuse_change();
CREATE TRIGGER certificate_evidence_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certificate_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION axis_refuse_change();

-- Whoever may write down a revocation may not take one back, nor move it later: no role, and no statement by mistake.
CREATE FUNCTION axis_keep_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the revocation of certificate % is not taken back', OLD.thumbprint
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER certificate_keep_revocation BEFORE UPDATE ON certificate
    FOR EACH ROW
    WHEN (coalesce(NEW.revoked_at, 'infinity') > OLD.revoked_at
          OR coalesce(NEW.invalid_since, 'infinity') > OLD.invalid_since)
    EXECUTE FUNCTION axis_keep_revocation();
