-- Statuses name what showed that their reporter's certificate was not revoked, as envelopes do; those before have none.
ALTER TABLE status_event ADD COLUMN evidence bigint;
