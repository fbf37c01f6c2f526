-- Certificates that documents are sealed for, beside those that sign; see docs/sealing.md.
ALTER TABLE certificate DROP CONSTRAINT certificate_role_check;
ALTER TABLE certificate ADD CONSTRAINT certificate_role_check
    CHECK (role IN ('agency', 'gateway', 'axis', 'sealing'));
