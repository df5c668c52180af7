-- +goose Up

-- A key is published first, signs later, and verifies until it is retired.
ALTER TABLE signing_keys ADD COLUMN purpose TEXT NOT NULL DEFAULT 'access-token';
ALTER TABLE signing_keys ADD COLUMN signs_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signing_keys ADD COLUMN retired_at BIGINT NOT NULL DEFAULT 0;
UPDATE signing_keys SET signs_from = created_at;

-- The processes that serve this site: how far each has followed the journal, and
-- when it last said so.
CREATE TABLE cells (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    applied    BIGINT NOT NULL
);

-- What was refused, to whom and why: for the audit trail and for whoever asks
-- with the request's id. It may be there already, see Down.
CREATE TABLE IF NOT EXISTS refusals (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         BIGINT NOT NULL,
    org_id     TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    actor_kind TEXT   NOT NULL CHECK (actor_kind <> ''),
    actor_id   TEXT   NOT NULL,
    actor_name TEXT   NOT NULL,
    actor_org  TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    method     TEXT   NOT NULL,
    route      TEXT   NOT NULL,
    status     BIGINT NOT NULL,
    code       TEXT   NOT NULL CHECK (code <> ''),
    detail     TEXT   NOT NULL
);
CREATE INDEX IF NOT EXISTS refusals_org ON refusals (org_id, at);
CREATE INDEX IF NOT EXISTS refusals_request ON refusals (request_id);

-- Up to which row the events outside the journal are part of its chain, and up to
-- which they may go again.
CREATE TABLE IF NOT EXISTS seals (
    log    TEXT   PRIMARY KEY,
    last   BIGINT NOT NULL,
    purged BIGINT NOT NULL
);
-- Found again by the log they seal; nothing else in the journal is in it.
CREATE INDEX IF NOT EXISTS journal_logs ON journal (subject_id, at) WHERE subject_kind = 'log';

-- Work that one cell at a time does: which, until when, and how far it has come.
CREATE TABLE leases (
    name     TEXT   PRIMARY KEY,
    holder   TEXT   NOT NULL,
    until    BIGINT NOT NULL,
    progress TEXT   NOT NULL
);

-- Limits that the provider set for one organization.
CREATE TABLE org_limits (
    org_id     TEXT   NOT NULL REFERENCES organizations (id),
    name       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    tokens     BIGINT NOT NULL CHECK (tokens >= 0),
    per_micros BIGINT NOT NULL CHECK (per_micros >= 0),
    burst      BIGINT NOT NULL CHECK (burst >= 0),
    PRIMARY KEY (org_id, name, kind)
);

-- What a refresh writes is in as few indexes as will do. Events are read in the
-- order of their ids alone; one index finds the sessions of a principal and, by
-- its first column, those of an organization, and ending one changes no index.
DROP INDEX token_events_org;
DROP INDEX sessions_live;
DROP INDEX sessions_org;
CREATE INDEX sessions_principal ON sessions (org_id, kind, principal, expires_at);

-- +goose Down
DROP INDEX sessions_principal;
CREATE INDEX sessions_org ON sessions (org_id, ended_at, expires_at);
CREATE INDEX sessions_live ON sessions (org_id, kind, principal) WHERE ended_at = 0;
CREATE INDEX token_events_org ON token_events (org_id, id);
-- refusals, seals and journal_logs stay: the journal says for ever which rows were
-- sealed, so they must be there, and keep their ids, when this version comes back.
-- The older one does not look at them.
DROP TABLE org_limits;
DROP TABLE leases;
DROP TABLE cells;
-- The older version signs with the newest key there is, and verifies with all; it
-- knows one algorithm.
DELETE FROM signing_keys WHERE purpose <> 'access-token' OR retired_at <> 0 OR algorithm <> 'ES256'
    OR length(private_key) = 0 AND EXISTS (SELECT 1 FROM signing_keys other WHERE other.algorithm <> 'ES256');
ALTER TABLE signing_keys DROP COLUMN retired_at;
ALTER TABLE signing_keys DROP COLUMN signs_from;
ALTER TABLE signing_keys DROP COLUMN purpose;
