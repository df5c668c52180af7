-- +goose Up

ALTER TABLE organizations ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE organizations ADD COLUMN quota_policy_id TEXT NOT NULL DEFAULT '';
-- Filters compare names as they are written, logins fold them.
CREATE INDEX organizations_written_name ON organizations (name);

ALTER TABLE roles ADD COLUMN bundle_key TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN read_only BOOLEAN NOT NULL DEFAULT false;
UPDATE roles SET read_only = true WHERE name = 'System Administrator' AND org_id = 'a93c9db9-7471-3192-8d09-a8f7eeda85f9';

-- A right set that the provider publishes to organizations: a global role is
-- held by users and accounts, a rights bundle bounds what any role there allows.
CREATE TABLE publications (
    id          TEXT    PRIMARY KEY,
    kind        TEXT    NOT NULL CHECK (kind IN ('globalRole', 'rightsBundle')),
    name        TEXT    COLLATE "C" NOT NULL CHECK (name <> ''),
    description TEXT    NOT NULL,
    bundle_key  TEXT    NOT NULL,
    read_only   BOOLEAN NOT NULL,
    publish_all BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX publications_name ON publications (kind, name);

CREATE TABLE publication_rights (
    publication_id TEXT NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    right_name     TEXT COLLATE "C" NOT NULL CHECK (right_name <> ''),
    PRIMARY KEY (publication_id, right_name)
);

CREATE TABLE publication_tenants (
    org_id         TEXT NOT NULL REFERENCES organizations (id),
    publication_id TEXT NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    PRIMARY KEY (org_id, publication_id)
);
CREATE INDEX publication_tenants_publication ON publication_tenants (publication_id, org_id);

-- A user or account may hold a global role, which is no row of roles.
ALTER TABLE users DROP CONSTRAINT users_org_id_role_id_fkey;
ALTER TABLE users ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN email TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN provider_type TEXT COLLATE "C" NOT NULL DEFAULT 'INTEGRATED' CHECK (provider_type <> '');
ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN quota_policy_id TEXT NOT NULL DEFAULT '';
ALTER TABLE users ALTER COLUMN full_name TYPE TEXT COLLATE "C";
-- A provider reaches a user by its id alone.
CREATE UNIQUE INDEX users_id ON users (id);
-- Who holds a role, in one organization or anywhere.
DROP INDEX users_role;
CREATE INDEX users_role ON users (role_id, org_id);

ALTER TABLE service_accounts DROP CONSTRAINT service_accounts_org_id_role_id_fkey;
ALTER TABLE service_accounts ADD COLUMN quota_policy_id TEXT NOT NULL DEFAULT '';
DROP INDEX service_accounts_role;
CREATE INDEX service_accounts_role ON service_accounts (role_id, org_id);

-- Wrong passwords, by where they came from: a stranger locks out the stranger's
-- own address.
CREATE TABLE login_failures (
    org_id       TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    failures     INTEGER NOT NULL CHECK (failures >= 0),
    last_at      BIGINT  NOT NULL,
    locked_until BIGINT  NOT NULL,
    PRIMARY KEY (org_id, user_id, source),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);

CREATE TABLE quota_policies (
    org_id         TEXT    NOT NULL REFERENCES organizations (id),
    id             TEXT    NOT NULL,
    name           TEXT    COLLATE "C" NOT NULL CHECK (name <> ''),
    description    TEXT    NOT NULL,
    auto_generated BOOLEAN NOT NULL,
    definitions    TEXT    NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX quota_policies_id ON quota_policies (id);
CREATE UNIQUE INDEX quota_policies_name ON quota_policies (org_id, name);

CREATE TABLE tasks (
    org_id     TEXT   NOT NULL REFERENCES organizations (id),
    id         TEXT   NOT NULL,
    name       TEXT   COLLATE "C" NOT NULL,
    operation  TEXT   COLLATE "C" NOT NULL,
    status     TEXT   COLLATE "C" NOT NULL CHECK (status <> ''),
    started_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    detail     TEXT   NOT NULL,
    PRIMARY KEY (org_id, id)
);
-- Who asked for a task has its id alone.
CREATE UNIQUE INDEX tasks_id ON tasks (id);
CREATE INDEX tasks_started ON tasks (org_id, started_at, id);

ALTER TABLE sessions ADD COLUMN quota TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN legacy_digest BYTEA NOT NULL DEFAULT '';
CREATE UNIQUE INDEX sessions_legacy ON sessions (legacy_digest) WHERE legacy_digest <> '';
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

DELETE FROM service_accounts a WHERE NOT EXISTS (SELECT 1 FROM roles r WHERE r.org_id = a.org_id AND r.id = a.role_id);
DROP INDEX service_accounts_role;
ALTER TABLE service_accounts DROP COLUMN quota_policy_id;
ALTER TABLE service_accounts ADD CONSTRAINT service_accounts_org_id_role_id_fkey FOREIGN KEY (org_id, role_id) REFERENCES roles (org_id, id);
CREATE INDEX service_accounts_role ON service_accounts (org_id, role_id);

DELETE FROM users u WHERE NOT EXISTS (SELECT 1 FROM roles r WHERE r.org_id = u.org_id AND r.id = u.role_id);
DROP INDEX users_role;
DROP INDEX users_id;
ALTER TABLE users ALTER COLUMN full_name TYPE TEXT COLLATE "default";
ALTER TABLE users DROP COLUMN quota_policy_id;
ALTER TABLE users DROP COLUMN profile;
ALTER TABLE users DROP COLUMN provider_type;
ALTER TABLE users DROP COLUMN email;
ALTER TABLE users DROP COLUMN description;
ALTER TABLE users ADD CONSTRAINT users_org_id_role_id_fkey FOREIGN KEY (org_id, role_id) REFERENCES roles (org_id, id);
CREATE INDEX users_role ON users (org_id, role_id);

DROP TABLE publication_tenants;
DROP TABLE publication_rights;
DROP TABLE publications;
ALTER TABLE roles DROP COLUMN read_only;
ALTER TABLE roles DROP COLUMN bundle_key;
DROP INDEX organizations_written_name;
ALTER TABLE organizations DROP COLUMN quota_policy_id;
ALTER TABLE organizations DROP COLUMN settings;
