-- What left quarantine by hand, and how. A message is in quarantine while it was last seen after it left, or never left;
-- what happened to it is only ever added to.
ALTER TABLE quarantine
    ADD COLUMN left_at timestamptz,
    ADD COLUMN properties jsonb NOT NULL DEFAULT '{}'; -- routing key, type and content type it came with

CREATE TABLE quarantine_departure (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message uuid        NOT NULL REFERENCES quarantine,
    at      timestamptz NOT NULL DEFAULT now(),
    how     text        NOT NULL CHECK (how IN ('dropped', 'requeued')),
    actor   text        NOT NULL,
    why     text        NOT NULL
);
CREATE INDEX quarantine_departure_message ON quarantine_departure (message);
