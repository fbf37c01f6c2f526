-- What is held, in the order it goes out again.
--
-- A held delivery waits for one queue, and everything later for that queue waits behind it. The order is that of the
-- database's clock: ids carry their sender's, and a clock that is wrong must not turn two documents round.

ALTER TABLE delivery
    ADD COLUMN held_for text, -- the queue it waits for, while it is held
    ADD COLUMN placed_at timestamptz NOT NULL DEFAULT clock_timestamp(); -- stored, or held since

UPDATE delivery SET held_for = 'mailbox.' || envelope.lane || '.' || delivery.mailbox, placed_at = envelope.accepted_at
FROM envelope WHERE envelope.id = delivery.envelope_id AND delivery.state = 'held';

ALTER TABLE delivery ADD CHECK ((state = 'held') = (held_for IS NOT NULL));

DROP INDEX delivery_held;
-- held, behind: what waits for a queue, the first first. Holds only what is held.
CREATE INDEX delivery_held ON delivery (held_for, placed_at, envelope_id) WHERE state = 'held';

-- What could not be published is tried again after waits that grow: a mailbox that is away for months must not have all
-- its notices handed out twice a minute.
ALTER TABLE envelope ADD COLUMN attempts smallint NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN attempts smallint NOT NULL DEFAULT 0;
