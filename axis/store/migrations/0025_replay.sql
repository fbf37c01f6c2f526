-- Replays of mailboxes, and how far each is: whoever goes on after a crash begins behind (after_at, after_id).
CREATE TABLE replay (
    id        uuid        PRIMARY KEY,
    mailbox   text        NOT NULL,
    queue     text        NOT NULL,
    since     timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    by        text        NOT NULL,
    begun_at  timestamptz NOT NULL,
    after_at  timestamptz,
    after_id  uuid,
    put       bigint      NOT NULL DEFAULT 0,
    left_out  bigint      NOT NULL DEFAULT 0,
    filled_at timestamptz,
    ended_at  timestamptz,
    CHECK ((after_at IS NULL) = (after_id IS NULL))
);

-- begin: one for a queue at a time.
CREATE UNIQUE INDEX replay_open ON replay (queue) WHERE ended_at IS NULL;
