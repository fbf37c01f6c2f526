-- When a package was first handed out to the partner: until then a recall takes it back without asking anybody.
ALTER TABLE partner_incoming ADD COLUMN fetched_at timestamptz;

-- What was begun with before this was noted counts as fetched; so does what may have been.
UPDATE partner_incoming SET fetched_at = updated_at WHERE kind = 'edoc' AND withdrawn_at IS NULL;
