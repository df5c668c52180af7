-- +goose Up

-- What was done to something, by somebody, or by one request, without reading all
-- that an organization ever did. The actor and the request stand in the entry alone,
-- which the hash covers, so an index over it cannot say anything else. They are cut
-- out as text: PostgreSQL's JSON refuses U+0000, which an entry may hold. Inside of a
-- JSON string a quote has a backslash before it, so no value can pass for a name.
CREATE INDEX journal_subject ON journal (subject_id, org_id, seq);
CREATE INDEX journal_actor ON journal (substring(entry from '"actor":\{"kind":"[^"\\]*","id":"([^"\\]*)"'), org_id, seq);
CREATE INDEX journal_request ON journal (substring(entry from '\},"requestId":"([^"\\]*)"'), org_id, seq);

-- Endpoints that the provider has told of changes: of all, or of one organization's.
-- They are the site's and of no tenant. Address and secret are sealed: the path of an
-- address often is what keeps strangers out.
CREATE TABLE audit_webhooks (
    id         TEXT    PRIMARY KEY,
    name       TEXT    COLLATE "C" NOT NULL CHECK (name <> ''),
    address    BYTEA   NOT NULL,
    only_org   TEXT    NOT NULL,
    enabled    BOOLEAN NOT NULL,
    give_up    BIGINT  NOT NULL CHECK (give_up > 0),
    secret     BYTEA   NOT NULL,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL
);
CREATE UNIQUE INDEX audit_webhooks_name ON audit_webhooks (name);

-- How far each is to whom the journal is handed on: it has all rows up to seq, but for
-- those that are dead.
CREATE TABLE audit_sinks (
    sink         TEXT   PRIMARY KEY,
    seq          BIGINT NOT NULL,
    delivered_at BIGINT NOT NULL,
    failing_at   BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    error        TEXT   NOT NULL
);

-- Rows in sequence that one of them did not take in time.
CREATE TABLE audit_dead (
    sink   TEXT    NOT NULL,
    first  BIGINT  NOT NULL,
    last   BIGINT  NOT NULL CHECK (last >= first),
    amount BIGINT  NOT NULL,
    at     BIGINT  NOT NULL,
    error  TEXT    NOT NULL,
    again  BOOLEAN NOT NULL,
    PRIMARY KEY (sink, first)
);

-- +goose Down
DROP TABLE audit_dead;
DROP TABLE audit_sinks;
DROP TABLE audit_webhooks;
DROP INDEX journal_request;
DROP INDEX journal_actor;
DROP INDEX journal_subject;
