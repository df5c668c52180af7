-- +goose Up

-- What else is known of an associated site: why its status is what it is, the
-- root key it will use next, the last bundle it signed, the networks in which its
-- addresses must lie, and how far its directory of organizations has been read.
ALTER TABLE site_associations ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE site_associations ADD COLUMN status_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE site_associations ADD COLUMN contacted_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE site_associations ADD COLUMN next_key TEXT NOT NULL DEFAULT '';
ALTER TABLE site_associations ADD COLUMN bundle TEXT NOT NULL DEFAULT '';
ALTER TABLE site_associations ADD COLUMN bundle_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE site_associations ADD COLUMN allowed TEXT NOT NULL DEFAULT '';
ALTER TABLE site_associations ADD COLUMN dir_seq INTEGER NOT NULL DEFAULT 0;

-- Of an associated organization: whether its site says that it is enabled, and
-- whether tokens of its principals may be shown here.
ALTER TABLE org_associations ADD COLUMN remote_enabled INTEGER NOT NULL DEFAULT 1;
ALTER TABLE org_associations ADD COLUMN direct INTEGER NOT NULL DEFAULT 0;
ALTER TABLE org_associations ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE org_associations ADD COLUMN status_at INTEGER NOT NULL DEFAULT 0;
-- A site asks for those that name it.
CREATE INDEX org_associations_site ON org_associations (site_id, org_id, remote_org_id);
-- The few that are direct say whose revocations are followed.
CREATE INDEX org_associations_direct ON org_associations (site_id) WHERE direct;
-- People of associated providers mapped whatever the row said; now it is what counts.
UPDATE org_associations SET map_users = 1 WHERE org_id = 'a93c9db9-7471-3192-8d09-a8f7eeda85f9';

-- This site's root keys: published to peers first, signing later, retired last.
-- site.root is the first of them and has a row here once it has a successor.
-- succession is what the key before says about this one, signed; sealed is empty
-- once the key is retired.
CREATE TABLE site_roots (
    id         TEXT PRIMARY KEY,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL,
    retired_at INTEGER NOT NULL,
    succession TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the site says of itself is numbered.
ALTER TABLE site ADD COLUMN bundle_seq INTEGER NOT NULL DEFAULT 0;

-- Assertions for requests that change something, as far as they could be shown
-- again: to another cell.
CREATE TABLE assertions (
    site_id TEXT NOT NULL,
    id      TEXT NOT NULL,
    until   INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;

-- A rotation has read what these refer to, and holds it. Who deletes an organization
-- holds it before its sessions, and who deletes an account its families before their
-- used tokens.
CREATE TABLE new_used_tokens (
    digest     BLOB    PRIMARY KEY,
    org_id     TEXT    NOT NULL,
    family_id  TEXT    NOT NULL,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    used_at    INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    retries    INTEGER NOT NULL CHECK (retries >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO new_used_tokens SELECT digest, org_id, family_id, generation, used_at, source, retries FROM used_tokens;
DROP TABLE used_tokens;
ALTER TABLE new_used_tokens RENAME TO used_tokens;
CREATE UNIQUE INDEX used_tokens_generation ON used_tokens (org_id, family_id, generation);
CREATE TABLE new_sessions (
    id            TEXT    PRIMARY KEY,
    org_id        TEXT    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind <> ''),
    principal     TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    software_id   TEXT    NOT NULL,
    role_id       TEXT    NOT NULL,
    family_id     TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    last_used     INTEGER NOT NULL,
    ended_at      INTEGER NOT NULL,
    quota         TEXT    NOT NULL DEFAULT '',
    legacy_digest BLOB    NOT NULL DEFAULT x''
) STRICT, WITHOUT ROWID;
INSERT INTO new_sessions (id, org_id, kind, principal, name, software_id, role_id, family_id, created_at, expires_at, last_used, ended_at, quota, legacy_digest)
    SELECT id, org_id, kind, principal, name, software_id, role_id, family_id, created_at, expires_at, last_used, ended_at, quota, legacy_digest FROM sessions;
DROP TABLE sessions;
ALTER TABLE new_sessions RENAME TO sessions;
CREATE UNIQUE INDEX sessions_legacy ON sessions (legacy_digest) WHERE legacy_digest <> x'';
CREATE INDEX sessions_principal ON sessions (org_id, kind, principal, expires_at);

-- +goose Down
CREATE TABLE new_used_tokens (
    digest     BLOB    PRIMARY KEY,
    org_id     TEXT    NOT NULL,
    family_id  TEXT    NOT NULL,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    used_at    INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    retries    INTEGER NOT NULL CHECK (retries >= 0),
    FOREIGN KEY (org_id, family_id) REFERENCES token_families (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO new_used_tokens SELECT digest, org_id, family_id, generation, used_at, source, retries FROM used_tokens;
DROP TABLE used_tokens;
ALTER TABLE new_used_tokens RENAME TO used_tokens;
CREATE UNIQUE INDEX used_tokens_generation ON used_tokens (org_id, family_id, generation);
CREATE TABLE new_sessions (
    id            TEXT    PRIMARY KEY,
    org_id        TEXT    NOT NULL REFERENCES organizations (id),
    kind          TEXT    NOT NULL CHECK (kind <> ''),
    principal     TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    software_id   TEXT    NOT NULL,
    role_id       TEXT    NOT NULL,
    family_id     TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    last_used     INTEGER NOT NULL,
    ended_at      INTEGER NOT NULL,
    quota         TEXT    NOT NULL DEFAULT '',
    legacy_digest BLOB    NOT NULL DEFAULT x''
) STRICT, WITHOUT ROWID;
INSERT INTO new_sessions (id, org_id, kind, principal, name, software_id, role_id, family_id, created_at, expires_at, last_used, ended_at, quota, legacy_digest)
    SELECT id, org_id, kind, principal, name, software_id, role_id, family_id, created_at, expires_at, last_used, ended_at, quota, legacy_digest FROM sessions;
DROP TABLE sessions;
ALTER TABLE new_sessions RENAME TO sessions;
CREATE UNIQUE INDEX sessions_legacy ON sessions (legacy_digest) WHERE legacy_digest <> x'';
CREATE INDEX sessions_principal ON sessions (org_id, kind, principal, expires_at);
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
