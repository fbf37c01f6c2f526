-- Webhooks (axis/core/webhooks.py): where an agency wants to be called about what is in its feed, and what it is still
-- to be told. A call is forgotten when it was answered, so there is little here.
CREATE TABLE webhook (
    id            uuid        PRIMARY KEY,
    cursor        bigint      NOT NULL, -- what of the feed has gone into calls
    added_at      timestamptz NOT NULL,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity', -- until then a herald is at it
    account       text        NOT NULL,
    url           text        NOT NULL CHECK (length(url) <= 500),
    added_by      text        NOT NULL,
    events        text[]      NOT NULL, -- none: all
    UNIQUE (account, url)
);

CREATE TABLE webhook_call (
    id       uuid        PRIMARY KEY, -- version 7: in the order they were made
    webhook  uuid        NOT NULL REFERENCES webhook ON DELETE CASCADE,
    since    timestamptz NOT NULL, -- from when its three days count
    due_at   timestamptz NOT NULL,
    tried_at timestamptz,
    attempts integer     NOT NULL DEFAULT 0,
    missed   boolean     NOT NULL,
    state    text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'dead')),
    told     text        NOT NULL DEFAULT '', -- how the last attempt ended
    events   jsonb       NOT NULL
);

-- claim, next_call, counts: of one webhook.
CREATE INDEX webhook_call_webhook ON webhook_call (webhook, id);
