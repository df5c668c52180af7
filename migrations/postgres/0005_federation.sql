-- +goose Up

-- What else is known of an associated site: why its status is what it is, the
-- root key it will use next, the last bundle it signed, the networks in which its
-- addresses must lie, and how far its directory of organizations has been read.
ALTER TABLE site_associations ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE site_associations ADD COLUMN status_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE site_associations ADD COLUMN contacted_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE site_associations ADD COLUMN next_key TEXT NOT NULL DEFAULT '';
ALTER TABLE site_associations ADD COLUMN bundle TEXT NOT NULL DEFAULT '';
ALTER TABLE site_associations ADD COLUMN bundle_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE site_associations ADD COLUMN allowed TEXT NOT NULL DEFAULT '';
ALTER TABLE site_associations ADD COLUMN dir_seq BIGINT NOT NULL DEFAULT 0;

-- Of an associated organization: whether its site says that it is enabled, and
-- whether tokens of its principals may be shown here.
ALTER TABLE org_associations ADD COLUMN remote_enabled BOOLEAN NOT NULL DEFAULT true;
ALTER TABLE org_associations ADD COLUMN direct BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE org_associations ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE org_associations ADD COLUMN status_at BIGINT NOT NULL DEFAULT 0;
-- A site asks for those that name it.
CREATE INDEX org_associations_site ON org_associations (site_id, org_id, remote_org_id);
-- The few that are direct say whose revocations are followed.
CREATE INDEX org_associations_direct ON org_associations (site_id) WHERE direct;
-- People of associated providers mapped whatever the row said; now it is what counts.
UPDATE org_associations SET map_users = true WHERE org_id = 'a93c9db9-7471-3192-8d09-a8f7eeda85f9';

-- This site's root keys: published to peers first, signing later, retired last.
-- site.root is the first of them and has a row here once it has a successor.
-- succession is what the key before says about this one, signed; sealed is empty
-- once the key is retired.
CREATE TABLE site_roots (
    id         TEXT PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    retired_at BIGINT NOT NULL,
    succession TEXT NOT NULL
);

-- What the site says of itself is numbered.
ALTER TABLE site ADD COLUMN bundle_seq BIGINT NOT NULL DEFAULT 0;

-- Assertions for requests that change something, as far as they could be shown
-- again: to another cell. Lost in a crash of the database, as are those requests.
CREATE UNLOGGED TABLE assertions (
    site_id TEXT NOT NULL,
    id      TEXT NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);

-- Each rotation would look up again what it has just read, and holds, by another
-- statement for each key. Who deletes an organization holds it before its sessions,
-- and who deletes an account its families before their used tokens.
ALTER TABLE sessions DROP CONSTRAINT sessions_org_id_fkey;
ALTER TABLE used_tokens DROP CONSTRAINT used_tokens_org_id_family_id_fkey;

-- +goose Down
ALTER TABLE used_tokens ADD CONSTRAINT used_tokens_org_id_family_id_fkey
    FOREIGN KEY (org_id, family_id) REFERENCES token_families (org_id, id) ON DELETE CASCADE;
ALTER TABLE sessions ADD CONSTRAINT sessions_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations (id);
DROP TABLE assertions;
DROP TABLE site_roots;
ALTER TABLE site DROP COLUMN bundle_seq;
DROP INDEX org_associations_site;
DROP INDEX org_associations_direct;
ALTER TABLE org_associations DROP COLUMN remote_enabled;
ALTER TABLE org_associations DROP COLUMN direct;
ALTER TABLE org_associations DROP COLUMN reason;
ALTER TABLE org_associations DROP COLUMN status_at;
ALTER TABLE site_associations DROP COLUMN reason;
ALTER TABLE site_associations DROP COLUMN status_at;
ALTER TABLE site_associations DROP COLUMN contacted_at;
ALTER TABLE site_associations DROP COLUMN next_key;
ALTER TABLE site_associations DROP COLUMN bundle;
ALTER TABLE site_associations DROP COLUMN bundle_seq;
ALTER TABLE site_associations DROP COLUMN allowed;
ALTER TABLE site_associations DROP COLUMN dir_seq;
