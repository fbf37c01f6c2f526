-- The directory: what a code names, who has a mailbox, whose certificate may sign. Every row has a validity,
-- `valid_from` inclusive, `valid_to` exclusive; a code has one row for each period of its history.

CREATE TABLE organisation (
    code          text        NOT NULL,
    name          text        NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    successor     text,
    forwarding    boolean     NOT NULL,
    unknown_below text        NOT NULL CHECK (unknown_below IN ('registered', 'open')),
    code102       text,
    -- Workers hold the whole directory in memory: they read all of it, or all of some codes. No other index is needed.
    PRIMARY KEY (code, valid_from),
    CHECK (valid_to > valid_from),
    CHECK (successor <> code)
);

CREATE TABLE mailbox (
    code          text        NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    password_hash text        NOT NULL,
    PRIMARY KEY (code, valid_from),
    CHECK (valid_to > valid_from)
);

CREATE TABLE certificate (
    thumbprint   text        PRIMARY KEY,
    organisation text        NOT NULL,
    role         text        NOT NULL CHECK (role IN ('agency', 'gateway', 'axis')),
    subject      text        NOT NULL,
    not_before   timestamptz NOT NULL,
    not_after    timestamptz NOT NULL,
    revoked_at   timestamptz,
    der          bytea       NOT NULL,
    enrolled_at  timestamptz NOT NULL DEFAULT now()
);

-- Reading what changed of some codes.
CREATE INDEX certificate_organisation ON certificate (organisation);

-- Changes reach running workers over the channel axis_directory: the payload is one code, or '*' for "read it all
-- again". A payload is limited to 8,000 bytes and the queue of notifications is shared by the whole server, so there
-- is one notification for each code, and an import of thousands says '*' once. PostgreSQL delivers equal payloads of
-- one transaction once, and only when it commits.
CREATE FUNCTION axis_notify_codes(codes text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(codes) > 200 THEN
        PERFORM pg_notify('axis_directory', '*');
    ELSE
        PERFORM pg_notify('axis_directory', code) FROM unnest(codes) AS code;
    END IF;
END
$$;

CREATE FUNCTION axis_organisation_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM axis_notify_codes(ARRAY(SELECT DISTINCT code FROM changed));
    RETURN NULL;
END
$$;

CREATE FUNCTION axis_certificate_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM axis_notify_codes(ARRAY(SELECT DISTINCT organisation FROM changed));
    RETURN NULL;
END
$$;

-- A deleted row leaves nothing that could be read for its code.
CREATE FUNCTION axis_directory_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('axis_directory', '*');
    RETURN NULL;
END
$$;

CREATE TRIGGER organisation_inserted AFTER INSERT ON organisation
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION axis_organisation_changed();
CREATE TRIGGER organisation_updated AFTER UPDATE ON organisation
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION axis_organisation_changed();
CREATE TRIGGER organisation_deleted AFTER DELETE OR TRUNCATE ON organisation
    FOR EACH STATEMENT EXECUTE FUNCTION axis_directory_deleted();

CREATE TRIGGER mailbox_inserted AFTER INSERT ON mailbox
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION axis_organisation_changed();
CREATE TRIGGER mailbox_updated AFTER UPDATE ON mailbox
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION axis_organisation_changed();
CREATE TRIGGER mailbox_deleted AFTER DELETE OR TRUNCATE ON mailbox
    FOR EACH STATEMENT EXECUTE FUNCTION axis_directory_deleted();

CREATE TRIGGER certificate_inserted AFTER INSERT ON certificate
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION axis_certificate_changed();
CREATE TRIGGER certificate_updated AFTER UPDATE ON certificate
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION axis_certificate_changed();
CREATE TRIGGER certificate_deleted AFTER DELETE OR TRUNCATE ON certificate
    FOR EACH STATEMENT EXECUTE FUNCTION axis_directory_deleted();
