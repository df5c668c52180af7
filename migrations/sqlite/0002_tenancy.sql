-- +goose Up

ALTER TABLE organizations ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE organizations ADD COLUMN quota_policy_id TEXT NOT NULL DEFAULT '';
-- Filters compare names as they are written, logins fold them.
CREATE INDEX organizations_written_name ON organizations (name);

ALTER TABLE roles ADD COLUMN bundle_key TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0 CHECK (read_only IN (0, 1));
UPDATE roles SET read_only = 1 WHERE name = 'System Administrator' AND org_id = 'a93c9db9-7471-3192-8d09-a8f7eeda85f9';

-- A right set that the provider publishes to organizations: a global role is
-- held by users and accounts, a rights bundle bounds what any role there allows.
CREATE TABLE publications (
    id          TEXT    PRIMARY KEY,
    kind        TEXT    NOT NULL CHECK (kind IN ('globalRole', 'rightsBundle')),
    name        TEXT    NOT NULL CHECK (name <> ''),
    description TEXT    NOT NULL,
    bundle_key  TEXT    NOT NULL,
    read_only   INTEGER NOT NULL CHECK (read_only IN (0, 1)),
    publish_all INTEGER NOT NULL CHECK (publish_all IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX publications_name ON publications (kind, name);

CREATE TABLE publication_rights (
    publication_id TEXT NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    right_name     TEXT NOT NULL CHECK (right_name <> ''),
    PRIMARY KEY (publication_id, right_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE publication_tenants (
    org_id         TEXT NOT NULL REFERENCES organizations (id),
    publication_id TEXT NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    PRIMARY KEY (org_id, publication_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX publication_tenants_publication ON publication_tenants (publication_id, org_id);

-- A user or account may hold a global role, which is no row of roles: tables
-- that referred to roles are made again, children first and then renamed, so
-- that no cascade runs.
CREATE TABLE new_users (
    org_id          TEXT    NOT NULL REFERENCES organizations (id),
    id              TEXT    NOT NULL,
    name            TEXT    NOT NULL CHECK (name <> ''),
    full_name       TEXT    NOT NULL,
    description     TEXT    NOT NULL DEFAULT '',
    email           TEXT    NOT NULL DEFAULT '',
    provider_type   TEXT    NOT NULL DEFAULT 'INTEGRATED' CHECK (provider_type <> ''),
    profile         TEXT    NOT NULL DEFAULT '{}',
    role_id         TEXT    NOT NULL,
    enabled         INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    password_hash   TEXT    NOT NULL,
    quota_policy_id TEXT    NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_users (org_id, id, name, full_name, role_id, enabled, password_hash, created_at)
    SELECT org_id, id, name, full_name, role_id, enabled, password_hash, created_at FROM users;
DROP TABLE users;
ALTER TABLE new_users RENAME TO users;
CREATE UNIQUE INDEX users_name ON users (org_id, name);
-- A provider reaches a user by its id alone.
CREATE UNIQUE INDEX users_id ON users (id);
-- Who holds a role, in one organization or anywhere.
CREATE INDEX users_role ON users (role_id, org_id);

CREATE TABLE new_service_accounts (
    org_id           TEXT    NOT NULL REFERENCES organizations (id),
    id               TEXT    NOT NULL,
    name             TEXT    NOT NULL CHECK (name <> ''),
    software_id      TEXT    NOT NULL,
    software_version TEXT    NOT NULL,
    uri              TEXT    NOT NULL,
    role_id          TEXT    NOT NULL,
    quota_policy_id  TEXT    NOT NULL DEFAULT '',
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE new_device_requests (
    org_id          TEXT    NOT NULL REFERENCES organizations (id),
    id              TEXT    NOT NULL,
    account_id      TEXT    NOT NULL,
    device_code     BLOB    NOT NULL,
    user_code       BLOB    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'granted', 'denied', 'redeemed', 'dead')),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    interval_micros INTEGER NOT NULL CHECK (interval_micros >= 0),
    last_poll       INTEGER NOT NULL,
    source          TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    user_agent      TEXT    NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES new_service_accounts (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE new_token_families (
    org_id         TEXT    NOT NULL REFERENCES organizations (id),
    id             TEXT    NOT NULL,
    account_id     TEXT    NOT NULL,
    generation     INTEGER NOT NULL CHECK (generation >= 0),
    current_digest BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    revoked_at     INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES new_service_accounts (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE new_used_tokens (
    digest     BLOB    PRIMARY KEY,
    org_id     TEXT    NOT NULL,
    family_id  TEXT    NOT NULL,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    used_at    INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    retries    INTEGER NOT NULL CHECK (retries >= 0),
    FOREIGN KEY (org_id, family_id) REFERENCES new_token_families (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO new_service_accounts (org_id, id, name, software_id, software_version, uri, role_id, created_at)
    SELECT org_id, id, name, software_id, software_version, uri, role_id, created_at FROM service_accounts;
INSERT INTO new_device_requests SELECT * FROM device_requests;
INSERT INTO new_token_families SELECT * FROM token_families;
INSERT INTO new_used_tokens SELECT * FROM used_tokens;
DROP TABLE used_tokens;
DROP TABLE token_families;
DROP TABLE device_requests;
DROP TABLE service_accounts;
ALTER TABLE new_service_accounts RENAME TO service_accounts;
ALTER TABLE new_device_requests RENAME TO device_requests;
ALTER TABLE new_token_families RENAME TO token_families;
ALTER TABLE new_used_tokens RENAME TO used_tokens;
CREATE UNIQUE INDEX service_accounts_id ON service_accounts (id);
CREATE UNIQUE INDEX service_accounts_name ON service_accounts (org_id, name);
CREATE INDEX service_accounts_role ON service_accounts (role_id, org_id);
CREATE UNIQUE INDEX device_requests_device_code ON device_requests (org_id, device_code);
CREATE UNIQUE INDEX device_requests_user_code ON device_requests (org_id, user_code);
CREATE INDEX device_requests_account ON device_requests (org_id, account_id, state, expires_at);
CREATE UNIQUE INDEX token_families_current ON token_families (current_digest);
CREATE INDEX token_families_account ON token_families (org_id, account_id);
CREATE UNIQUE INDEX token_families_live ON token_families (org_id, account_id) WHERE revoked_at = 0;
CREATE UNIQUE INDEX used_tokens_generation ON used_tokens (org_id, family_id, generation);

-- Wrong passwords, by where they came from: a stranger locks out the stranger's
-- own address.
CREATE TABLE login_failures (
    org_id       TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    failures     INTEGER NOT NULL CHECK (failures >= 0),
    last_at      INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    PRIMARY KEY (org_id, user_id, source),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_policies (
    org_id         TEXT    NOT NULL REFERENCES organizations (id),
    id             TEXT    NOT NULL,
    name           TEXT    NOT NULL CHECK (name <> ''),
    description    TEXT    NOT NULL,
    auto_generated INTEGER NOT NULL CHECK (auto_generated IN (0, 1)),
    definitions    TEXT    NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX quota_policies_id ON quota_policies (id);
CREATE UNIQUE INDEX quota_policies_name ON quota_policies (org_id, name);

CREATE TABLE tasks (
    org_id     TEXT    NOT NULL REFERENCES organizations (id),
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    operation  TEXT    NOT NULL,
    status     TEXT    NOT NULL CHECK (status <> ''),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    detail     TEXT    NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
-- Who asked for a task has its id alone.
CREATE UNIQUE INDEX tasks_id ON tasks (id);
CREATE INDEX tasks_started ON tasks (org_id, started_at, id);

ALTER TABLE sessions ADD COLUMN quota TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN legacy_digest BLOB NOT NULL DEFAULT x'';
CREATE UNIQUE INDEX sessions_legacy ON sessions (legacy_digest) WHERE legacy_digest <> x'';
-- The sessions that are live, to list and to end them, and all of an
-- organization: they go with it, and its foreign key looks for them.
CREATE INDEX sessions_org ON sessions (org_id, ended_at, expires_at);

CREATE INDEX journal_org_at ON journal (org_id, at);

-- +goose Down

DROP INDEX journal_org_at;
DROP INDEX sessions_org;
DROP INDEX sessions_legacy;
ALTER TABLE sessions DROP COLUMN legacy_digest;
ALTER TABLE sessions DROP COLUMN quota;
DROP TABLE tasks;
DROP TABLE quota_policies;
DROP TABLE login_failures;

-- Whoever holds a global role goes on with a local copy of it, and without rights
-- where it was withdrawn.
CREATE TEMP TABLE held AS
    SELECT DISTINCT h.org_id, p.id, p.name, p.description
    FROM (SELECT org_id, role_id FROM users UNION SELECT org_id, role_id FROM service_accounts) h
    JOIN publications p ON p.id = h.role_id AND p.kind = 'globalRole';
INSERT INTO roles (org_id, id, name, description)
    SELECT h.org_id, h.id, h.name || CASE WHEN EXISTS (SELECT 1 FROM roles r WHERE r.org_id = h.org_id AND r.name = h.name)
        THEN ' ' || h.id ELSE '' END, h.description FROM held h;
INSERT INTO role_rights (org_id, role_id, right_name)
    SELECT h.org_id, h.id, g.right_name FROM held h JOIN publication_rights g ON g.publication_id = h.id
    WHERE EXISTS (SELECT 1 FROM publications p WHERE p.id = h.id AND (p.publish_all
        OR EXISTS (SELECT 1 FROM publication_tenants t WHERE t.publication_id = p.id AND t.org_id = h.org_id)));
DROP TABLE held;
-- The older version knows no bundles: what none of them publishes to a tenant must
-- not come back. A site that never had a bundle has withheld nothing.
DELETE FROM role_rights WHERE org_id <> 'a93c9db9-7471-3192-8d09-a8f7eeda85f9'
    AND EXISTS (SELECT 1 FROM publications WHERE kind = 'rightsBundle')
    AND NOT EXISTS (SELECT 1 FROM publications p JOIN publication_rights g ON g.publication_id = p.id
        WHERE p.kind = 'rightsBundle' AND g.right_name = role_rights.right_name AND (p.publish_all
            OR EXISTS (SELECT 1 FROM publication_tenants t WHERE t.publication_id = p.id AND t.org_id = role_rights.org_id)));

CREATE TABLE old_users (
    org_id        TEXT    NOT NULL REFERENCES organizations (id),
    id            TEXT    NOT NULL,
    name          TEXT    NOT NULL CHECK (name <> ''),
    full_name     TEXT    NOT NULL,
    role_id       TEXT    NOT NULL,
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, role_id) REFERENCES roles (org_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO old_users SELECT org_id, id, name, full_name, role_id, enabled, password_hash, created_at FROM users
    WHERE EXISTS (SELECT 1 FROM roles r WHERE r.org_id = users.org_id AND r.id = users.role_id);
DROP TABLE users;
ALTER TABLE old_users RENAME TO users;
CREATE UNIQUE INDEX users_name ON users (org_id, name);
CREATE INDEX users_role ON users (org_id, role_id);

CREATE TABLE old_service_accounts (
    org_id           TEXT    NOT NULL REFERENCES organizations (id),
    id               TEXT    NOT NULL,
    name             TEXT    NOT NULL CHECK (name <> ''),
    software_id      TEXT    NOT NULL,
    software_version TEXT    NOT NULL,
    uri              TEXT    NOT NULL,
    role_id          TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, role_id) REFERENCES roles (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE old_device_requests (
    org_id          TEXT    NOT NULL REFERENCES organizations (id),
    id              TEXT    NOT NULL,
    account_id      TEXT    NOT NULL,
    device_code     BLOB    NOT NULL,
    user_code       BLOB    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'granted', 'denied', 'redeemed', 'dead')),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    interval_micros INTEGER NOT NULL CHECK (interval_micros >= 0),
    last_poll       INTEGER NOT NULL,
    source          TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    user_agent      TEXT    NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES old_service_accounts (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE old_token_families (
    org_id         TEXT    NOT NULL REFERENCES organizations (id),
    id             TEXT    NOT NULL,
    account_id     TEXT    NOT NULL,
    generation     INTEGER NOT NULL CHECK (generation >= 0),
    current_digest BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    revoked_at     INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES old_service_accounts (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE old_used_tokens (
    digest     BLOB    PRIMARY KEY,
    org_id     TEXT    NOT NULL,
    family_id  TEXT    NOT NULL,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    used_at    INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    retries    INTEGER NOT NULL CHECK (retries >= 0),
    FOREIGN KEY (org_id, family_id) REFERENCES old_token_families (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO old_service_accounts SELECT org_id, id, name, software_id, software_version, uri, role_id, created_at FROM service_accounts
    WHERE EXISTS (SELECT 1 FROM roles r WHERE r.org_id = service_accounts.org_id AND r.id = service_accounts.role_id);
INSERT INTO old_device_requests SELECT * FROM device_requests d
    WHERE EXISTS (SELECT 1 FROM old_service_accounts a WHERE a.org_id = d.org_id AND a.id = d.account_id);
INSERT INTO old_token_families SELECT * FROM token_families f
    WHERE EXISTS (SELECT 1 FROM old_service_accounts a WHERE a.org_id = f.org_id AND a.id = f.account_id);
INSERT INTO old_used_tokens SELECT * FROM used_tokens t
    WHERE EXISTS (SELECT 1 FROM old_token_families f WHERE f.org_id = t.org_id AND f.id = t.family_id);
DROP TABLE used_tokens;
DROP TABLE token_families;
DROP TABLE device_requests;
DROP TABLE service_accounts;
ALTER TABLE old_service_accounts RENAME TO service_accounts;
ALTER TABLE old_device_requests RENAME TO device_requests;
ALTER TABLE old_token_families RENAME TO token_families;
ALTER TABLE old_used_tokens RENAME TO used_tokens;
CREATE UNIQUE INDEX service_accounts_id ON service_accounts (id);
CREATE UNIQUE INDEX service_accounts_name ON service_accounts (org_id, name);
CREATE INDEX service_accounts_role ON service_accounts (org_id, role_id);
CREATE UNIQUE INDEX device_requests_device_code ON device_requests (org_id, device_code);
CREATE UNIQUE INDEX device_requests_user_code ON device_requests (org_id, user_code);
CREATE INDEX device_requests_account ON device_requests (org_id, account_id, state, expires_at);
CREATE UNIQUE INDEX token_families_current ON token_families (current_digest);
CREATE INDEX token_families_account ON token_families (org_id, account_id);
CREATE UNIQUE INDEX token_families_live ON token_families (org_id, account_id) WHERE revoked_at = 0;
CREATE UNIQUE INDEX used_tokens_generation ON used_tokens (org_id, family_id, generation);

DROP TABLE publication_tenants;
DROP TABLE publication_rights;
DROP TABLE publications;
ALTER TABLE roles DROP COLUMN read_only;
ALTER TABLE roles DROP COLUMN bundle_key;
DROP INDEX organizations_written_name;
ALTER TABLE organizations DROP COLUMN quota_policy_id;
ALTER TABLE organizations DROP COLUMN settings;
