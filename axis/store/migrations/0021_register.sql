-- The register (sổ đăng ký văn bản): a copy of what the store knows, made for searches, lists, counts and reports,
-- which must not slow the routers. The registrar (workers/registrar.py) keeps it; `axis register rebuild` makes it anew.
--
-- Not partitioned: a page must find a document by its words in one index, however many months there are.

-- What has changed and is not registered yet, written by the triggers below in the transaction that changed it.
CREATE TABLE touched (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    envelope_id uuid        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    news        boolean     NOT NULL DEFAULT true, -- false: registered anew, nobody is told
    recipient   text, -- null: all of them
    event       text CHECK (event IN ('status', 'conversation')), -- what was said, for the feed
    code        text
);

-- Rows live for a second: without this the beginning of the index is a graveyard that every look walks through.
ALTER TABLE touched SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
                         autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 1);

CREATE TABLE register_document (
    envelope_id uuid        NOT NULL PRIMARY KEY,
    concerns    uuid,
    sent_at     timestamptz NOT NULL,
    accepted_at timestamptz NOT NULL,
    issued_on   date,
    due_on      date,
    recipients  integer     NOT NULL,
    open        integer     NOT NULL, -- deliveries not at an end
    sent_late   boolean     NOT NULL,
    lane        text        NOT NULL,
    action      text        NOT NULL,
    sender      text        NOT NULL,
    account     text        NOT NULL,
    number      text,
    notation    text,
    kind        text,
    priority    text,
    document_id text        NOT NULL,
    subject     text        NOT NULL,
    signed_by   text        NOT NULL,
    words       tsvector    NOT NULL -- folded words, and what else is looked for: see axis/core/register.py
) WITH (fillfactor = 85); -- `open` counts down in place: no index holds it

-- search, deliveries: everything that is said once and does not change, in any combination. Its list of what is not
-- sorted in yet is kept short, since every search reads all of it.
CREATE INDEX register_document_words ON register_document USING gin (words) WITH (gin_pending_list_limit = 512);
-- search: accepted in some days.
CREATE INDEX register_document_accepted ON register_document (accepted_at);

CREATE TABLE register_delivery (
    envelope_id uuid        NOT NULL,
    since       timestamptz NOT NULL,
    arrive_by   timestamptz,
    accept_by   timestamptz,
    finish_by   timestamptz,
    arrived_at  timestamptz,
    accepted_at timestamptz,
    finished_at timestamptz,
    ended       boolean     NOT NULL,
    recipient   text        NOT NULL,
    resolved    text,
    mailbox     text,
    transport   text        NOT NULL,
    business    text,
    reason      text,
    detail      text,
    PRIMARY KEY (envelope_id, recipient)
);

-- deliveries, search: what is not at an end, by where it is. What is over leaves it, so it stays small.
CREATE INDEX register_delivery_open ON register_delivery (transport, envelope_id, recipient) WHERE NOT ended;
-- deliveries, search: what never arrived.
CREATE INDEX register_delivery_failed ON register_delivery (transport, envelope_id, recipient)
    WHERE ended AND transport IN ('undeliverable', 'withdrawn');
-- deliveries, search: what is over, by how it ended.
CREATE INDEX register_delivery_ended ON register_delivery (business, envelope_id, recipient)
    WHERE ended AND business IS NOT NULL;
-- overdue, passed: by agency, what has a deadline and is still waited for.
CREATE INDEX register_delivery_arrive ON register_delivery (mailbox, arrive_by)
    WHERE NOT ended AND arrived_at IS NULL AND arrive_by IS NOT NULL;
CREATE INDEX register_delivery_accept ON register_delivery (mailbox, accept_by)
    WHERE NOT ended AND accepted_at IS NULL AND accept_by IS NOT NULL;
CREATE INDEX register_delivery_finish ON register_delivery (mailbox, finish_by)
    WHERE NOT ended AND finished_at IS NULL AND finish_by IS NOT NULL;

-- What searches and lists ask of one delivery; what is null is not asked. Plain SQL, so that it becomes part of the
-- statement it stands in. `late`: a deadline of this kind had passed at `at`.
CREATE FUNCTION axis_register_fits(
    delivery register_delivery, sender_account text, account text, recipient text, transport text, business text,
    reason text, late text, at timestamptz, open boolean
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ($3 IS NULL OR $2 = $3 OR ($1).mailbox = $3)
       AND ($4 IS NULL OR ($1).recipient = $4 OR starts_with(($1).recipient, $4 || '.')
            OR ($1).resolved = $4 OR starts_with(($1).resolved, $4 || '.')
            OR ($1).mailbox = $4 OR starts_with(($1).mailbox, $4 || '.'))
       AND ($5 IS NULL OR ($1).transport = $5)
       AND ($6 IS NULL OR ($1).business = $6)
       AND ($7 IS NULL OR ($1).reason = $7)
       AND ($8 IS NULL OR (NOT ($1).ended AND CASE $8
            WHEN 'arrival' THEN ($1).arrived_at IS NULL AND ($1).arrive_by < $9
            WHEN 'acceptance' THEN ($1).accepted_at IS NULL AND ($1).accept_by < $9
            WHEN 'finishing' THEN ($1).finished_at IS NULL AND ($1).finish_by < $9
            ELSE false END))
       AND ($10 IS NULL OR ($1).ended <> $10)
$$;

-- How many deliveries are in which state, by the day (in Vietnam) on which their document was accepted.
CREATE TABLE tally (
    day            date   NOT NULL,
    deliveries     bigint NOT NULL,
    documents      bigint NOT NULL,
    documents_late bigint NOT NULL,
    side           text   NOT NULL CHECK (side IN ('sent', 'received')),
    code           text   NOT NULL,
    lane           text   NOT NULL,
    transport      text   NOT NULL, -- '' in the row that counts documents
    business       text   NOT NULL, -- '' for none, as everywhere here: the key has no nulls
    reason         text   NOT NULL,
    arrival        text   NOT NULL,
    acceptance     text   NOT NULL,
    finishing      text   NOT NULL,
    PRIMARY KEY (side, day, code, lane, transport, business, reason, arrival, acceptance, finishing)
);

-- How many open deliveries of a mailbox have their deadline on which day (in Vietnam): what is overdue is counted by
-- days, however many documents there are.
CREATE TABLE register_due (
    day     date   NOT NULL,
    open    bigint NOT NULL,
    clock   text   NOT NULL,
    mailbox text   NOT NULL,
    PRIMARY KEY (clock, mailbox, day)
);

-- What passed in a minute.
CREATE TABLE register_flow (
    minute     timestamptz PRIMARY KEY,
    documents  bigint NOT NULL,
    deliveries bigint NOT NULL,
    statuses   bigint NOT NULL
);

-- What changed, for agencies to follow. There is one writer, and it numbers before it commits: who has read up to a
-- number has missed nothing below it.
CREATE TABLE feed (
    seq         bigint      PRIMARY KEY,
    envelope_id uuid        NOT NULL,
    at          timestamptz NOT NULL,
    noted_at    timestamptz NOT NULL DEFAULT now(),
    account     text        NOT NULL,
    kind        text        NOT NULL,
    recipient   text,
    code        text
);

-- feed: of one agency.
CREATE INDEX feed_account ON feed (account, seq);

-- One row: how far the registrar is.
CREATE TABLE register_state (
    single    boolean     PRIMARY KEY DEFAULT true CHECK (single),
    seq       bigint      NOT NULL, -- the last of the feed
    late_from timestamptz NOT NULL -- deadlines until then have been told
);
INSERT INTO register_state (seq, late_from) VALUES (0, now());

-- The triggers. Each is one statement, and runs as the tables' owner with a fixed search path: no role of a service
-- needs a right on `touched`, and none can put a table of its own in the way. What the axis itself does to partitions
-- names the partition, and touches nothing.
CREATE FUNCTION axis_touch_envelopes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO touched (envelope_id) SELECT id FROM new_rows;
    RETURN NULL;
END
$$;

-- The mark: published_at is set once. What the relay notes of its tries is about what has none.
CREATE FUNCTION axis_touch_marked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO touched (envelope_id)
    SELECT id FROM new_rows WHERE published_at IS NOT NULL;
    RETURN NULL;
END
$$;

-- A claim changes `tried` alone; it is touched for nothing, which costs less than comparing.
CREATE FUNCTION axis_touch_deliveries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO touched (envelope_id, recipient) SELECT envelope_id, recipient FROM new_rows;
    RETURN NULL;
END
$$;

CREATE FUNCTION axis_touch_statuses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO touched (envelope_id, recipient, event, code, at)
    SELECT envelope_id, unnest(recipients), 'status', code, received_at FROM new_rows;
    RETURN NULL;
END
$$;

CREATE FUNCTION axis_touch_conversations() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO touched (envelope_id, recipient, event, code)
    SELECT about, coalesce(original, recipient), 'conversation', kind || ' ' || state FROM new_rows;
    RETURN NULL;
END
$$;

-- When a partner's system has fetched its copy, or a recall has withdrawn it.
CREATE FUNCTION axis_touch_fetched() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO touched (envelope_id)
    SELECT DISTINCT message_id FROM new_rows
    WHERE kind = 'edoc' AND (fetched_at IS NOT NULL OR withdrawn_at IS NOT NULL);
    RETURN NULL;
END
$$;

CREATE TRIGGER envelope_touched AFTER INSERT ON envelope REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION axis_touch_envelopes();
CREATE TRIGGER envelope_marked AFTER UPDATE ON envelope REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION axis_touch_marked();
CREATE TRIGGER delivery_touched AFTER UPDATE ON delivery REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION axis_touch_deliveries();
CREATE TRIGGER status_event_touched AFTER INSERT ON status_event REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION axis_touch_statuses();
CREATE TRIGGER conversation_begun AFTER INSERT ON conversation REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION axis_touch_conversations();
CREATE TRIGGER conversation_moved AFTER UPDATE ON conversation REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION axis_touch_conversations();
CREATE TRIGGER partner_incoming_touched AFTER UPDATE ON partner_incoming REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION axis_touch_fetched();

REVOKE EXECUTE ON FUNCTION axis_touch_envelopes(), axis_touch_marked(), axis_touch_deliveries(), axis_touch_statuses(),
    axis_touch_conversations(), axis_touch_fetched() FROM PUBLIC;
