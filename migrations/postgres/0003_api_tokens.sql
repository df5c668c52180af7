-- +goose Up

-- API tokens of people. The digest is of the refresh token, which is shown once;
-- it is empty until then. A token goes with its owner.
CREATE TABLE api_tokens (
    org_id     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    name       TEXT   COLLATE "C" NOT NULL CHECK (name <> ''),
    digest     BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX api_tokens_name ON api_tokens (org_id, user_id, name);
-- The holder of a token gives nothing but the token.
CREATE UNIQUE INDEX api_tokens_digest ON api_tokens (digest) WHERE digest <> '';

-- +goose Down
-- Without their tokens these sessions would be left to the older version, which
-- knows no such kind.
UPDATE sessions SET ended_at = last_used WHERE kind = 'apiToken' AND ended_at = 0;
DROP TABLE api_tokens;
