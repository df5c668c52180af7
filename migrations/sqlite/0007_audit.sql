-- +goose Up

-- What was done to something, by somebody, or by one request, without reading all
-- that an organization ever did. The actor and the request stand in the entry alone,
-- which the hash covers, so an index over it cannot say anything else. An entry that
-- somebody has spoilt is in no index, and verifying finds it.
CREATE INDEX journal_subject ON journal (subject_id, org_id, seq);
CREATE INDEX journal_actor ON journal (CASE WHEN json_valid(entry) THEN json_extract(entry, '$.actor.id') END, org_id, seq);
CREATE INDEX journal_request ON journal (CASE WHEN json_valid(entry) THEN json_extract(entry, '$.requestId') END, org_id, seq);

-- Endpoints that the provider has told of changes: of all, or of one organization's.
-- They are the site's and of no tenant. Address and secret are sealed: the path of an
-- address often is what keeps strangers out.
CREATE TABLE audit_webhooks (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL CHECK (name <> ''),
    address    BLOB    NOT NULL,
    only_org   TEXT    NOT NULL,
    enabled    INTEGER NOT NULL,
    give_up    INTEGER  NOT NULL CHECK (give_up > 0),
    secret     BLOB   NOT NULL,
    created_at INTEGER  NOT NULL,
    updated_at INTEGER  NOT NULL
);
CREATE UNIQUE INDEX audit_webhooks_name ON audit_webhooks (name);

-- How far each is to whom the journal is handed on: it has all rows up to seq, but for
-- those that are dead.
CREATE TABLE audit_sinks (
    sink         TEXT   PRIMARY KEY,
    seq          INTEGER NOT NULL,
    delivered_at INTEGER NOT NULL,
    failing_at   INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    next_at      INTEGER NOT NULL,
    error        TEXT   NOT NULL
);

-- Rows in sequence that one of them did not take in time.
CREATE TABLE audit_dead (
    sink   TEXT    NOT NULL,
    first  INTEGER  NOT NULL,
    last   INTEGER  NOT NULL CHECK (last >= first),
    amount INTEGER  NOT NULL,
    at     INTEGER  NOT NULL,
    error  TEXT    NOT NULL,
    again  INTEGER NOT NULL,
    PRIMARY KEY (sink, first)
);

-- +goose Down
DROP TABLE audit_dead;
DROP TABLE audit_sinks;
DROP TABLE audit_webhooks;
DROP INDEX journal_request;
DROP INDEX journal_actor;
DROP INDEX journal_subject;
