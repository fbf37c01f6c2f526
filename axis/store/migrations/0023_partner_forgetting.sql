-- forget_incoming, forget_outgoing: what is finished, by when.
CREATE INDEX partner_incoming_finished ON partner_incoming (updated_at) WHERE state = 'done' OR withdrawn_at IS NOT NULL;
CREATE INDEX partner_outgoing_created ON partner_outgoing (created_at);
-- needed: whether a written package is still somebody's.
CREATE INDEX partner_incoming_sha256 ON partner_incoming (sha256);
