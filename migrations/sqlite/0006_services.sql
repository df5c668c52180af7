-- +goose Up

-- What a kind of service can allow, and by which of its calls: JSON.
CREATE TABLE service_definitions (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL CHECK (name <> ''),
    document   TEXT    NOT NULL,
    built_in   INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX service_definitions_name ON service_definitions (name);

-- settings is JSON: upstreams, health checks and the address of the hook, whose
-- secret is sealed.
CREATE TABLE service_instances (
    org_id        TEXT    NOT NULL REFERENCES organizations (id),
    id            TEXT    NOT NULL,
    definition_id TEXT    NOT NULL REFERENCES service_definitions (id),
    name          TEXT    NOT NULL CHECK (name <> ''),
    mode          TEXT    NOT NULL CHECK (mode IN ('onboarded', 'original')),
    prefix        TEXT    NOT NULL,
    enabled       INTEGER NOT NULL,
    settings      TEXT    NOT NULL,
    hook_secret   BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX service_instances_id ON service_instances (id);
CREATE UNIQUE INDEX service_instances_name ON service_instances (org_id, name);
CREATE UNIQUE INDEX service_instances_prefix ON service_instances (prefix) WHERE prefix <> '';
CREATE INDEX service_instances_definition ON service_instances (definition_id);

CREATE TABLE service_hosts (
    org_id      TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    host        TEXT NOT NULL CHECK (host <> ''),
    PRIMARY KEY (org_id, instance_id, host),
    FOREIGN KEY (org_id, instance_id) REFERENCES service_instances (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX service_hosts_host ON service_hosts (host);

-- Server-to-server apps, each of the organization that made it. settings is JSON.
CREATE TABLE apps (
    org_id         TEXT    NOT NULL REFERENCES organizations (id),
    id             TEXT    NOT NULL CHECK (id <> ''),
    display_name   TEXT    NOT NULL CHECK (display_name <> ''),
    description    TEXT    NOT NULL,
    settings       TEXT    NOT NULL,
    secret_digest  BLOB    NOT NULL,
    secret_version INTEGER NOT NULL CHECK (secret_version > 0),
    old_digest     BLOB    NOT NULL,
    old_until      INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    created_by     TEXT    NOT NULL,
    updated_at     INTEGER NOT NULL,
    updated_by     TEXT    NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
-- A client gives nothing but its id.
CREATE UNIQUE INDEX apps_id ON apps (id);

-- Every id that an app ever had: none is given out again.
CREATE TABLE app_ids (
    id       TEXT    PRIMARY KEY,
    taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Apps that were added to an organization: of this site, or of another, whose id
-- is then in site_id. Added again it is another member, with another epoch.
CREATE TABLE app_members (
    org_id   TEXT    NOT NULL REFERENCES organizations (id),
    site_id  TEXT    NOT NULL,
    app_id   TEXT    NOT NULL,
    epoch    INTEGER NOT NULL CHECK (epoch > 0),
    added_at INTEGER NOT NULL,
    added_by TEXT    NOT NULL,
    PRIMARY KEY (org_id, site_id, app_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX app_members_app ON app_members (app_id, site_id);

-- Which roles apps and users hold beside the role of a user.
CREATE TABLE role_grants (
    org_id        TEXT    NOT NULL REFERENCES organizations (id),
    holder_kind   TEXT    NOT NULL CHECK (holder_kind IN ('app', 'user')),
    site_id       TEXT    NOT NULL,
    holder_id     TEXT    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('organization', 'service', 'custom')),
    definition_id TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role <> ''),
    resource      TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL,
    granted_at    INTEGER NOT NULL,
    granted_by    TEXT    NOT NULL,
    PRIMARY KEY (org_id, holder_kind, site_id, holder_id, kind, definition_id, role, resource)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_grants_role ON role_grants (org_id, kind, definition_id, role);

-- Roles that an organization made of permissions of services: a JSON list.
CREATE TABLE custom_roles (
    org_id       TEXT    NOT NULL REFERENCES organizations (id),
    name         TEXT    NOT NULL CHECK (name <> ''),
    display_name TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    permissions  TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT    NOT NULL,
    updated_at   INTEGER NOT NULL,
    updated_by   TEXT    NOT NULL,
    PRIMARY KEY (org_id, name)
) STRICT, WITHOUT ROWID;

-- Accounts inside of instances: of each app that holds a role there, and those
-- made by hand. An ended one stays for the audit trail. hook_ is how far the
-- instance has been told of the last change.
CREATE TABLE instance_accounts (
    org_id        TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    instance_id   TEXT    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('app', 'manual')),
    site_id       TEXT    NOT NULL,
    app_id        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER NOT NULL,
    hook_state    TEXT    NOT NULL CHECK (hook_state IN ('none', 'pending', 'provisioned', 'failed')),
    hook_key      TEXT    NOT NULL,
    hook_attempts INTEGER NOT NULL CHECK (hook_attempts >= 0),
    hook_next     INTEGER NOT NULL,
    hook_error    TEXT    NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, instance_id) REFERENCES service_instances (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX instance_accounts_app ON instance_accounts (org_id, site_id, app_id, instance_id) WHERE kind = 'app' AND ended_at = 0;
CREATE UNIQUE INDEX instance_accounts_name ON instance_accounts (org_id, instance_id, name) WHERE kind = 'manual' AND ended_at = 0;
CREATE INDEX instance_accounts_instance ON instance_accounts (org_id, instance_id);
CREATE INDEX instance_accounts_pending ON instance_accounts (hook_next) WHERE hook_state = 'pending';

-- +goose Down
DROP TABLE instance_accounts;
DROP TABLE custom_roles;
DROP TABLE role_grants;
DROP TABLE app_members;
DROP TABLE app_ids;
DROP TABLE apps;
DROP TABLE service_hosts;
DROP TABLE service_instances;
DROP TABLE service_definitions;
DELETE FROM signing_keys WHERE purpose IN ('service-token', 'instance-assertion');
