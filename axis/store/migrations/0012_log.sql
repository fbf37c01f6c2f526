-- The log that proves: which receipts and acts have which place in the Merkle tree, and what was signed about it.
-- docs/decisions/0020-a-log-that-proves.md. Nothing here is written, or waited for, by whoever routes.

-- A random number in each act, so that its digest in the public log cannot be found by guessing the act.
ALTER TABLE audit ADD COLUMN nonce uuid NOT NULL DEFAULT gen_random_uuid();

CREATE TABLE log_entry (
    position  bigint NOT NULL CHECK (position >= 0), -- index in the tree, from 0, without gaps
    receipt   uuid,   -- a notice of kind receipt
    act       bigint, -- a row of audit
    leaf_hash bytea  NOT NULL CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (position),
    CHECK (num_nonnulls(receipt, act) = 1)
);

-- position_of, and what is not in the log yet: each receipt and each act once.
CREATE UNIQUE INDEX log_entry_receipt ON log_entry (receipt) WHERE receipt IS NOT NULL;
CREATE UNIQUE INDEX log_entry_act ON log_entry (act) WHERE act IS NOT NULL;

-- What was signed, before anybody is shown it. The key is what keeps two notaries, or one that came back, from ever
-- signing two roots for one size.
CREATE TABLE log_checkpoint (
    size        bigint      PRIMARY KEY,
    root        bytea       NOT NULL CHECK (length(root) = 32),
    note        text        NOT NULL,
    signed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    "timestamp" bytea -- TimeStampResp of RFC 3161, once an authority has given one
);

-- proof: the first checkpoint with a timestamp that has an entry.
CREATE INDEX log_checkpoint_stamped ON log_checkpoint (size) WHERE "timestamp" IS NOT NULL;
