-- Envelopes and what became of them.
--
-- Partitions. All tables here are partitioned by ranges of a UUIDv7, whose first 48 bits are its time in milliseconds
-- (RFC 9562 section 5.7): one partition for each month. Because the range is of the id itself, an id belongs to exactly
-- one partition, and the primary key of that partition makes it unique in the whole table; no other scheme of months
-- keeps that. An id from no month that has a partition goes to the DEFAULT one, so that a strange id never stops its
-- neighbours; axis_ensure_partitions moves it out when its month gets a partition.
--
-- Every index costs a write for each envelope or delivery, so each says which query needs it. There are no foreign
-- keys: rows that belong together are inserted in one transaction by one function of one program, and are never
-- deleted but by dropping a month.

CREATE TABLE envelope (
    id           uuid        NOT NULL,
    receipt      uuid        NOT NULL, -- the notice that answered it: the same submission gets the same receipt again
    concerns     uuid,
    sent_at      timestamptz NOT NULL,
    accepted_at  timestamptz NOT NULL,
    attempted_at timestamptz NOT NULL DEFAULT now(), -- when it was last handed to somebody to be published
    published_at timestamptz, -- when the broker had confirmed all of it: the mark
    lane         text        NOT NULL,
    action       text        NOT NULL,
    sender       text        NOT NULL,
    account      text        NOT NULL,
    thumbprint   text        NOT NULL,
    document_id  text        NOT NULL,
    subject      text        NOT NULL,
    sha256       bytea       NOT NULL,
    signature    text        NOT NULL,
    body         bytea       NOT NULL, -- the exact bytes that were signed
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

-- Signed bytes are written once; trying to compress each costs more than the space is worth.
ALTER TABLE envelope ALTER COLUMN body SET STORAGE EXTERNAL;

-- track by the sender's own key of the document.
CREATE INDEX envelope_document ON envelope (document_id);
-- unpublished: only what is not marked is in it, so it stays as small as the work in flight.
CREATE INDEX envelope_unmarked ON envelope (attempted_at) WHERE published_at IS NULL;

CREATE TABLE delivery (
    envelope_id    uuid        NOT NULL,
    published_at   timestamptz, -- of this delivery alone, when it was held first
    last_status_at timestamptz,
    position       smallint    NOT NULL, -- in the envelope's list of recipients, from 0
    state          text        NOT NULL CHECK (state IN ('routed', 'held', 'refused')),
    recipient      text        NOT NULL, -- as addressed
    resolved       text,
    mailbox        text,
    reason         text,
    last_status    text,
    detail         text,
    via            text[]      NOT NULL DEFAULT '{}',
    -- Also what finds the deliveries of an envelope.
    PRIMARY KEY (envelope_id, recipient)
) PARTITION BY RANGE (envelope_id);

-- held, release: whose mailbox came up. Holds only what is held.
CREATE INDEX delivery_held ON delivery (mailbox, envelope_id) WHERE state = 'held';

-- What people are shown: a delivery is `delivered` once the broker confirmed the publish it was part of. The mark is one
-- row for the whole envelope, not one for each of up to 5,000 deliveries.
CREATE VIEW delivery_state AS
SELECT delivery.envelope_id,
       delivery.recipient,
       delivery.position,
       delivery.resolved,
       delivery.mailbox,
       CASE WHEN delivery.state = 'routed' AND coalesce(delivery.published_at, envelope.published_at) IS NOT NULL
            THEN 'delivered' ELSE delivery.state END AS state,
       CASE WHEN delivery.state = 'routed'
            THEN coalesce(delivery.published_at, envelope.published_at) END AS delivered_at,
       delivery.reason,
       delivery.detail,
       delivery.via,
       delivery.last_status,
       delivery.last_status_at
FROM delivery JOIN envelope ON envelope.id = delivery.envelope_id;

CREATE TABLE attachment (
    envelope_id uuid   NOT NULL,
    sha256      bytea  NOT NULL,
    size        bigint NOT NULL,
    name        text   NOT NULL
) PARTITION BY RANGE (envelope_id);

-- may_read, known: which envelopes name a blob.
CREATE INDEX attachment_blob ON attachment (sha256, envelope_id);

CREATE TABLE notice (
    id           uuid        NOT NULL,
    about        uuid,
    attempted_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    kind         text        NOT NULL CHECK (kind IN ('receipt', 'status')),
    mailbox      text        NOT NULL,
    signature    text        NOT NULL,
    body         bytea       NOT NULL,
    -- A forwarded status keeps the id its reporter gave it. With the kind in the key, a reporter that picks the id of a
    -- receipt it has seen cannot collide with it.
    PRIMARY KEY (id, kind)
) PARTITION BY RANGE (id);

ALTER TABLE notice ALTER COLUMN body SET STORAGE EXTERNAL;

-- unpublished, as for envelope.
CREATE INDEX notice_unmarked ON notice (attempted_at) WHERE published_at IS NULL;

CREATE TABLE status_event (
    id          uuid        NOT NULL,
    envelope_id uuid        NOT NULL,
    at          timestamptz NOT NULL, -- what the reporter says
    received_at timestamptz NOT NULL,
    reporter    text        NOT NULL,
    code        text        NOT NULL,
    effect      text        NOT NULL,
    account     text        NOT NULL,
    thumbprint  text        NOT NULL,
    recipients  text[]      NOT NULL,
    reason      text,
    sha256      bytea       NOT NULL,
    signature   text        NOT NULL,
    body        bytea       NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

ALTER TABLE status_event ALTER COLUMN body SET STORAGE EXTERNAL;

-- track: the statuses of an envelope.
CREATE INDEX status_event_envelope ON status_event (envelope_id);

CREATE FUNCTION axis_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

-- Keeps programs honest, not the owner of the table. For each statement, so that it costs an insert nothing, and does
-- not stop axis_ensure_partitions, which names the DEFAULT partition itself.
CREATE TRIGGER status_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON status_event
    FOR EACH STATEMENT EXECUTE FUNCTION axis_refuse_change();

CREATE TABLE envelope_default PARTITION OF envelope DEFAULT;
CREATE TABLE delivery_default PARTITION OF delivery DEFAULT;
CREATE TABLE attachment_default PARTITION OF attachment DEFAULT;
CREATE TABLE notice_default PARTITION OF notice DEFAULT;
CREATE TABLE status_event_default PARTITION OF status_event DEFAULT;

-- The smallest UUID of a moment: its milliseconds in the first 48 bits, zeros behind.
CREATE FUNCTION axis_id_floor(at timestamptz) RETURNS uuid LANGUAGE sql STABLE STRICT AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Gives a table its partitions for some months from that of `first` on (UTC); returns the names of those made now.
-- One table a call, each call its own transaction: it takes the DEFAULT partition from its readers and writers while
-- it looks through it, and must never do that to two tables at once. A partition is filled first and attached then,
-- which leaves the table itself usable; it waits for the locks five seconds and gives up, to be called again.
CREATE FUNCTION axis_ensure_partitions(parent text, key text, first date, months integer) RETURNS SETOF text
LANGUAGE plpgsql SET lock_timeout = '5s' SET timezone = 'UTC' AS $$
DECLARE
    month date := date_trunc('month', first::timestamp)::date;
    child text;
    low   uuid;
    high  uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('axis_ensure_partitions'), hashtext(parent));
    FOR number IN 1..months LOOP
        child := parent || to_char(month, '"_"YYYY"_"MM');
        low := axis_id_floor(month::timestamptz);
        month := (month + interval '1 month')::date;
        high := axis_id_floor(month::timestamptz);
        IF to_regclass(child) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
            EXECUTE format(
                'WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *) '
                'INSERT INTO %5$I SELECT * FROM moved',
                parent || '_default', key, low, high, child);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, low, high);
            RETURN NEXT child;
        END IF;
    END LOOP;
END
$$;
