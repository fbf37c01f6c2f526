-- What could not be looked at is tried again a few times; what was not trusted, when others are trusted.
ALTER TABLE paper_signature
    ADD COLUMN tries smallint NOT NULL DEFAULT 1,
    ADD COLUMN trust text; -- who was trusted then (axis.signatures.trust); null: not known
