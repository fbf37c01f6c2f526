-- wait: how many envelopes of an account wait, which is bounded.
CREATE INDEX waiting_account ON waiting (account);
