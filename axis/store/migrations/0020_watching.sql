-- What the auditor sees and finds. `mailbox_watch` is the last look, written where it changed; `mailbox_look` says when.
CREATE TABLE mailbox_look (
    single boolean     PRIMARY KEY DEFAULT true CHECK (single),
    at     timestamptz NOT NULL
);

CREATE TABLE mailbox_watch (
    queue             text    PRIMARY KEY,
    mailbox           text,
    ready             bigint  NOT NULL,
    unacked           bigint  NOT NULL,
    consumers         integer NOT NULL,
    no_consumer_since timestamptz,
    oldest_at         timestamptz,
    still_since       timestamptz,
    moved_at          timestamptz,
    taken             bigint
);

-- watches: of some agencies.
CREATE INDEX mailbox_watch_mailbox ON mailbox_watch (mailbox);

CREATE TABLE finding (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause     text        NOT NULL,
    subject   text        NOT NULL,
    mailbox   text,
    since     timestamptz NOT NULL,
    count     bigint      NOT NULL,
    about     uuid,
    found_at  timestamptz NOT NULL,
    healed_at timestamptz,
    healed    text CHECK ((healed IS NULL) = (healed_at IS NULL))
);

-- report: what is open is there once.
CREATE UNIQUE INDEX finding_open ON finding (cause, subject) WHERE healed_at IS NULL;
-- findings: the last that healed.
CREATE INDEX finding_healed ON finding (healed_at) WHERE healed_at IS NOT NULL;

-- The time in a UUIDv7, the inverse of axis_id_floor.
CREATE FUNCTION axis_id_time(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;
