package store

import (
	"context"

	"gorm.io/gorm"

	"causeway/oauth"
)

// Rotate is one statement on PostgreSQL and one transaction on SQLite, shared
// with others that wait. Used token, session and event hang on the updated
// family: no update, nothing else. What belongs to the account (organization,
// principal, family) is taken from that row, so a session cannot disagree with
// its family. A family cannot be without its account (foreign key), so the
// tokens of a deleted account do not rotate.
func (s oauthStore) Rotate(ctx context.Context, r oauth.Rotation) (bool, error) {
	var rotated bool
	err := s.retry(ctx, func() (err error) {
		rotated, err = s.rotate(ctx, r)
		return err
	})
	return rotated && err == nil, err
}

// eventRefreshed is the kind of a rotation's event.
const eventRefreshed = "refreshed"

// rotatePostgres is the whole rotation; the rows it changes count the events, so
// one or none. The casts are for PostgreSQL, which cannot infer the type of a
// parameter that is only selected. "revoked_at < 1" is "= 0" for everybody but
// the planner, who would take the index of live families while the table is
// small, and keep to it when an organization has grown. The organization is read
// and not held: what a rotation opens in the instant of a disabling is refused
// with everything else there, and ended when the organization is enabled.
const rotatePostgres = `WITH f AS (
	UPDATE token_families SET current_digest = $1, generation = generation + 1
	WHERE current_digest = $4 AND org_id = $2 AND id = $3 AND revoked_at < 1
		AND EXISTS (SELECT 1 FROM organizations WHERE id = $2 AND enabled)
	RETURNING org_id, id, account_id, generation
), u AS (
	INSERT INTO used_tokens (digest, org_id, family_id, generation, used_at, source, retries)
	SELECT $4::bytea, org_id, id, generation - 1, $5::bigint, $6::text, 0 FROM f
), s AS (
	INSERT INTO sessions (id, org_id, kind, principal, name, software_id, role_id, quota, family_id, created_at, expires_at, last_used, ended_at)
	SELECT $7::text, org_id, $8::text, account_id, $9::text, $10::text, $11::text, $16::text, id, $12::bigint, $13::bigint, $14::bigint, 0 FROM f
)
INSERT INTO token_events (at, org_id, account_id, kind, source, detail)
SELECT $5::bigint, org_id, account_id, $15::text, $6::text, '' FROM f`

// rotateSQLite is the same: SQLite has no WITH for changes, so each statement
// asks whether the one before changed a row.
const rotateSQLite = `UPDATE token_families SET current_digest = $1, generation = generation + 1
	WHERE org_id = $2 AND id = $3 AND current_digest = $4 AND revoked_at = 0
		AND EXISTS (SELECT 1 FROM organizations WHERE id = $2 AND enabled = 1);
INSERT INTO used_tokens (digest, org_id, family_id, generation, used_at, source, retries)
	SELECT $4, org_id, id, generation - 1, $5, $6, 0 FROM token_families
	WHERE org_id = $2 AND id = $3 AND changes() = 1;
INSERT INTO sessions (id, org_id, kind, principal, name, software_id, role_id, quota, family_id, created_at, expires_at, last_used, ended_at)
	SELECT $7, org_id, $8, account_id, $9, $10, $11, $16, id, $12, $13, $14, 0 FROM token_families
	WHERE org_id = $2 AND id = $3 AND changes() = 1;
INSERT INTO token_events (at, org_id, account_id, kind, source, detail)
	SELECT $5, org_id, account_id, $15, $6, '' FROM token_families
	WHERE org_id = $2 AND id = $3 AND changes() = 1`

// rotation fills the parameters of either. They are numbered because several
// are needed twice; gorm hands such statements on as they are.
func rotation(db *gorm.DB, statement string, r oauth.Rotation) (bool, error) {
	s := r.Session
	q := db.Exec(statement,
		blob(r.To), string(r.Org), r.Family, blob(r.From), micros(r.At), clean(r.Source),
		string(s.ID), string(s.Kind), s.Name, s.SoftwareID, string(s.Role),
		micros(s.CreatedAt), micros(s.ExpiresAt), micros(s.LastUsed), eventRefreshed, s.Quota)
	return q.RowsAffected == 1, q.Error
}

// rotateOne rotates by one statement. Like a commit it does not end with ctx.
func (d *DB) rotateOne(ctx context.Context, r oauth.Rotation) (bool, error) {
	conn, err := d.write.sql.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	whole, cancel := d.whole(ctx)
	defer cancel()
	return rotation(d.write.session(whole, counted{conn, d.stats}), rotatePostgres, r)
}
