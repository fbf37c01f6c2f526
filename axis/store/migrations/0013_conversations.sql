-- What is said about recalls, updates and replacements, with each recipient alone; see axis/core/conversation.py.
--
-- Rare beside documents, so neither table is partitioned, and each has a row for a recipient at most.

CREATE TABLE conversation (
    request      uuid        NOT NULL, -- the envelope that asks; of a take-back (status 13) the document itself
    about        uuid        NOT NULL, -- the document
    requested_at timestamptz NOT NULL,
    answered_at  timestamptz,
    destroyed_at timestamptz,
    recipient    text        NOT NULL, -- as addressed in the request
    original     text,                 -- as addressed in the document; null: it was never sent there
    kind         text        NOT NULL CHECK (kind IN ('recall', 'update', 'replace', 'take back')),
    state        text        NOT NULL CHECK (state IN ('requested', 'declined', 'agreed', 'withdrawn', 'destroyed')),
    requested_by text        NOT NULL,
    reason       text,
    answered_by  text,
    answer       text,
    PRIMARY KEY (request, recipient)
);

-- concerned, track: all that was asked about a document.
CREATE INDEX conversation_about ON conversation (about);

-- Envelopes that came before the one they act on, which may still be on its way in the other lane.
CREATE TABLE waiting (
    id           uuid        PRIMARY KEY,
    concerns     uuid        NOT NULL,
    received_at  timestamptz NOT NULL,
    until        timestamptz NOT NULL, -- then it is refused
    queue        text        NOT NULL, -- it came from
    account      text        NOT NULL,
    routing_key  text        NOT NULL,
    content_type text        NOT NULL,
    headers      jsonb       NOT NULL,
    sha256       bytea       NOT NULL,
    body         bytea       NOT NULL
);

-- A held delivery that was never on its way can be withdrawn: nobody has it. Of what is held already that is not known.
ALTER TABLE delivery ADD COLUMN tried boolean NOT NULL DEFAULT false;
UPDATE delivery SET tried = true WHERE state = 'held';

-- Each partition has the check as its own as well: it was made with it.
DO $$
DECLARE
    partition regclass;
BEGIN
    ALTER TABLE delivery DROP CONSTRAINT delivery_state_check;
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'delivery'::regclass LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS delivery_state_check', partition);
    END LOOP;
    ALTER TABLE delivery ADD CONSTRAINT delivery_state_check
        CHECK (state IN ('routed', 'held', 'refused', 'withdrawn'));
END
$$;
