-- +goose Up

-- This site: one row.
CREATE TABLE site (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    root       BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE organizations (
    id           TEXT    PRIMARY KEY,
    name         TEXT    NOT NULL CHECK (name <> ''),
    name_folded  TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    enabled      INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX organizations_name ON organizations (name_folded);

CREATE TABLE roles (
    org_id      TEXT NOT NULL REFERENCES organizations (id),
    id          TEXT NOT NULL,
    name        TEXT NOT NULL CHECK (name <> ''),
    description TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX roles_name ON roles (org_id, name);

CREATE TABLE role_rights (
    org_id     TEXT NOT NULL,
    role_id    TEXT NOT NULL,
    right_name TEXT NOT NULL CHECK (right_name <> ''),
    PRIMARY KEY (org_id, role_id, right_name),
    FOREIGN KEY (org_id, role_id) REFERENCES roles (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
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
CREATE UNIQUE INDEX users_name ON users (org_id, name);
CREATE INDEX users_role ON users (org_id, role_id);

CREATE TABLE service_accounts (
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
-- A provider reaches an account by its id alone.
CREATE UNIQUE INDEX service_accounts_id ON service_accounts (id);
CREATE UNIQUE INDEX service_accounts_name ON service_accounts (org_id, name);
CREATE INDEX service_accounts_role ON service_accounts (org_id, role_id);

CREATE TABLE device_requests (
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
    FOREIGN KEY (org_id, account_id) REFERENCES service_accounts (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_requests_device_code ON device_requests (org_id, device_code);
CREATE UNIQUE INDEX device_requests_user_code ON device_requests (org_id, user_code);
-- Status of an account, its open requests, and the cascade.
CREATE INDEX device_requests_account ON device_requests (org_id, account_id, state, expires_at);

CREATE TABLE token_families (
    org_id         TEXT    NOT NULL REFERENCES organizations (id),
    id             TEXT    NOT NULL,
    account_id     TEXT    NOT NULL,
    generation     INTEGER NOT NULL CHECK (generation >= 0),
    current_digest BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    revoked_at     INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES service_accounts (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- The holder of a token gives nothing but the token.
CREATE UNIQUE INDEX token_families_current ON token_families (current_digest);
CREATE INDEX token_families_account ON token_families (org_id, account_id);
-- An account has at most one live family, whatever runs at once.
CREATE UNIQUE INDEX token_families_live ON token_families (org_id, account_id) WHERE revoked_at = 0;

CREATE TABLE used_tokens (
    digest     BLOB    PRIMARY KEY,
    org_id     TEXT    NOT NULL,
    family_id  TEXT    NOT NULL,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    used_at    INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    retries    INTEGER NOT NULL CHECK (retries >= 0),
    FOREIGN KEY (org_id, family_id) REFERENCES token_families (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- One token of each generation.
CREATE UNIQUE INDEX used_tokens_generation ON used_tokens (org_id, family_id, generation);

-- Sessions outlive the account and family they came from, ended: a verified
-- token must find its end, not nothing. Hence no foreign key to either.
CREATE TABLE sessions (
    id          TEXT    PRIMARY KEY,
    org_id      TEXT    NOT NULL REFERENCES organizations (id),
    kind        TEXT    NOT NULL CHECK (kind <> ''),
    principal   TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    software_id TEXT    NOT NULL,
    role_id     TEXT    NOT NULL,
    family_id   TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    last_used   INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_live ON sessions (org_id, kind, principal) WHERE ended_at = 0;

CREATE TABLE signing_keys (
    id          TEXT    PRIMARY KEY,
    algorithm   TEXT    NOT NULL,
    public_key  BLOB    NOT NULL,
    private_key BLOB    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token_events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    org_id     TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind <> ''),
    source     TEXT    NOT NULL,
    detail     TEXT    NOT NULL
) STRICT;
CREATE INDEX token_events_org ON token_events (org_id, id);

CREATE TABLE site_associations (
    site_id                   TEXT    PRIMARY KEY,
    name                      TEXT    NOT NULL,
    rest_endpoint             TEXT    NOT NULL,
    base_ui_endpoint          TEXT    NOT NULL,
    rest_endpoint_certificate TEXT    NOT NULL,
    public_key                TEXT    NOT NULL,
    status                    TEXT    NOT NULL CHECK (status <> ''),
    created_at                INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE org_associations (
    org_id        TEXT    NOT NULL REFERENCES organizations (id),
    remote_org_id TEXT    NOT NULL,
    remote_name   TEXT    NOT NULL,
    site_id       TEXT    NOT NULL,
    public_key    TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status <> ''),
    map_users     INTEGER NOT NULL CHECK (map_users IN (0, 1)),
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (org_id, remote_org_id, site_id) -- the provider's organization has one id at all sites
) STRICT, WITHOUT ROWID;

CREATE TABLE org_keys (
    org_id TEXT PRIMARY KEY REFERENCES organizations (id),
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- entry is the JSON that the hash covers, byte for byte: text.
CREATE TABLE journal (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    at           INTEGER NOT NULL,
    org_id       TEXT    NOT NULL,
    action       TEXT    NOT NULL CHECK (action <> ''),
    subject_kind TEXT    NOT NULL,
    subject_id   TEXT    NOT NULL,
    entry        TEXT    NOT NULL,
    prev         BLOB    NOT NULL,
    hash         BLOB    NOT NULL
) STRICT;
CREATE INDEX journal_org ON journal (org_id, seq);

CREATE TABLE journal_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash BLOB    NOT NULL
) STRICT;
INSERT INTO journal_head (one, seq, hash) VALUES (1, 0, x'');

-- +goose StatementBegin
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
-- +goose StatementEnd

-- +goose Down
-- What version 4 leaves behind is of no use without the journal.
DROP TABLE IF EXISTS seals;
DROP TABLE IF EXISTS refusals;
DROP TABLE journal_head;
DROP TABLE journal;
DROP TABLE org_keys;
DROP TABLE org_associations;
DROP TABLE site_associations;
DROP TABLE token_events;
DROP TABLE signing_keys;
DROP TABLE sessions;
DROP TABLE used_tokens;
DROP TABLE token_families;
DROP TABLE device_requests;
DROP TABLE service_accounts;
DROP TABLE users;
DROP TABLE role_rights;
DROP TABLE roles;
DROP TABLE organizations;
DROP TABLE site;
