-- How much of what all agencies share one account may take: see docs/decisions. What a limit is, schemas.Quota says.
ALTER TABLE mailbox ADD COLUMN quota jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(quota) = 'object');

-- What an account has taken of one of its limits: a level that runs out at an even rate. Every worker adds what it let
-- pass, about once a second. Unlogged: it is written in the way of messages, and when it is lost with the server every
-- account begins anew with what it may take at once.
CREATE UNLOGGED TABLE quota_level (
    account    text             NOT NULL,
    meter      text             NOT NULL, -- what is counted, and where
    level      double precision NOT NULL, -- at `at`
    per_second double precision NOT NULL, -- how fast it runs out
    at         timestamptz      NOT NULL,
    PRIMARY KEY (account, meter)
);
