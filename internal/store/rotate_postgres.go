package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"causeway/oauth"
)

// mayRotate finds the family of a token r, if it may rotate, with its account.
// "revoked_at < 1" is "= 0" for everybody but the planner, who would take the
// index of live families while the table is small, and keep to it when an
// organization has grown. OFFSET 0 has him look for the account last.
const mayRotate = ` FROM token_families f JOIN organizations o ON o.id = f.org_id
		CROSS JOIN LATERAL (SELECT * FROM service_accounts a WHERE a.org_id = f.org_id AND a.id = f.account_id OFFSET 0) a
		WHERE f.current_digest = r.was AND f.org_id = r.org_id AND f.revoked_at < 1 AND o.enabled
			AND (r.client = '' OR f.account_id = r.client) AND f.created_at + r.max_age > r.at AND a.quota_policy_id = r.quota`

// rotatePostgres rotates arrays of tokens; skip is what becomes of a family, or an
// organization, that somebody holds. Returned is, by its place in the arrays, what
// rotated and what could have: the rest may not rotate as it was asked.
func rotatePostgres(skip string) string {
	return `WITH r AS (
	SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
		$9::text[], $10::bigint[], $11::bigint[]) WITH ORDINALITY
		AS r (was, becomes, org_id, client, quota, pin, at, source, session, expires_at, max_age, n)
), l AS (
	SELECT r.*, f.* FROM r CROSS JOIN LATERAL (
		SELECT f.id, f.account_id, least(r.expires_at, f.created_at + r.max_age) AS ends, a.name, a.software_id, a.role_id` + mayRotate + `
		FOR NO KEY UPDATE OF f ` + skip + ` FOR KEY SHARE OF o ` + skip + `
	) f
), f AS (
	UPDATE token_families f SET current_digest = l.becomes, generation = generation + 1 FROM l
	WHERE f.org_id = l.org_id AND f.id = l.id AND f.current_digest = l.was
	RETURNING f.generation, l.*
), u AS (
	INSERT INTO used_tokens (digest, org_id, family_id, generation, used_at, source, retries)
	SELECT was, org_id, id, generation - 1, at, source, 0 FROM f
), s AS (
	INSERT INTO sessions (id, org_id, kind, principal, name, software_id, role_id, quota, family_id, created_at, expires_at, last_used, ended_at)
	SELECT session, org_id, 'serviceAccount', account_id, name, software_id, role_id, pin, id, at, ends, at, 0 FROM f
), e AS (
	INSERT INTO token_events (at, org_id, account_id, kind, source, detail)
	SELECT at, org_id, account_id, '` + eventRefreshed + `', source, '' FROM f
), rest AS MATERIALIZED (
	SELECT * FROM r WHERE n NOT IN (SELECT n FROM f)
)
SELECT n, true, id, account_id, ends, name, software_id, role_id, generation FROM f
UNION ALL
SELECT n, false, '', '', 0, '', '', '', 0 FROM rest r CROSS JOIN LATERAL (SELECT 1` + mayRotate + ` OFFSET 0) f`
}

// A batch waits for nobody, so it holds nobody up, and two cells' batches cannot
// wait for each other. Who asks alone waits for whoever holds the family.
var (
	rotateFree    = rotatePostgres("SKIP LOCKED")
	rotateWaiting = rotatePostgres("")
)

// columns are rotations as arrays.
type columns struct {
	was, becomes            [][]byte
	org, client, quota, pin []string
	source, session         []string
	at, expires, maxAge     []int64
}

func (c *columns) add(r oauth.Rotation) {
	c.was, c.becomes = append(c.was, r.From), append(c.becomes, r.To)
	c.org, c.client = append(c.org, string(r.Org)), append(c.client, string(r.Client))
	c.quota, c.pin = append(c.quota, string(r.Quota)), append(c.pin, r.Pin)
	c.at, c.source, c.session = append(c.at, micros(r.At)), append(c.source, clean(r.Source)), append(c.session, string(r.Session))
	c.expires, c.maxAge = append(c.expires, micros(r.At.Add(r.Lifetime))), append(c.maxAge, maxAge(r.MaxAge))
}

func (c *columns) args() []any {
	return []any{c.was, c.becomes, c.org, c.client, c.quota, c.pin, c.at, c.source, c.session, c.expires, c.maxAge}
}

// commitPostgres rotates what it can in one statement. Whose family is held asks
// alone, and so does everybody when one cannot be written.
func (d *DB) commitPostgres(conn *sql.Conn, jobs []rotationJob) []rotationAnswer {
	answers := make([]rotationAnswer, len(jobs))
	one, rest := apart(jobs, everyone(jobs))
	batch := make([]oauth.Rotation, len(one))
	for k, i := range one {
		batch[k] = jobs[i].what
	}
	found, err := d.rotateMany(jobs[0].ctx, conn, rotateFree, batch)
	switch {
	case refused(err):
		for i := range answers {
			answers[i].alone = true
		}
	case err != nil: // it may have happened
		for i := range answers {
			answers[i].err = err
		}
	default:
		for k, made := range found {
			answers[one[k]] = rotationAnswer{value: made, alone: !made.did}
		}
		for _, i := range rest { // the first may have asked wrongly
			answers[i].alone = true
		}
	}
	return answers
}

// refused reports whether the server has said that a statement did not happen.
func refused(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.SeverityUnlocalized == "ERROR"
}

// rotateOne rotates by one statement, and waits for whoever holds the family.
func (d *DB) rotateOne(ctx context.Context, r oauth.Rotation) (opening, error) {
	conn, err := d.write.sql.Conn(ctx)
	if err != nil {
		return opening{}, err
	}
	defer conn.Close()
	found, err := d.rotateMany(ctx, conn, rotateWaiting, []oauth.Rotation{r})
	return found[0], err
}

// rotateMany returns by their places what rotated and what could have. Like a
// commit it does not end with ctx.
func (d *DB) rotateMany(ctx context.Context, conn *sql.Conn, query string, batch []oauth.Rotation) (map[int]opening, error) {
	whole, cancel := d.whole(ctx)
	defer cancel()
	if d.marks == nil {
		return d.rotateOn(whole, conn, query, batch)
	}
	tx, err := conn.BeginTx(whole, nil)
	if err != nil {
		return nil, err
	}
	found, err := d.rotateOn(whole, tx, query, batch)
	if err == nil {
		err = d.markRotations(whole, maps.Values(found))
	}
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return found, tx.Commit()
}

func (d *DB) rotateOn(ctx context.Context, conn gorm.ConnPool, query string, batch []oauth.Rotation) (map[int]opening, error) {
	var c columns
	for _, r := range batch {
		c.add(r)
	}
	rows, err := counted{conn, d.stats}.QueryContext(ctx, query, c.args()...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make(map[int]opening, len(batch))
	for rows.Next() {
		var n int
		var did bool
		var family, account, name, softwareID, role string
		var end, generation int64
		if err := rows.Scan(&n, &did, &family, &account, &end, &name, &softwareID, &role, &generation); err != nil {
			return nil, err
		}
		found[n-1] = opening{}
		if did {
			found[n-1] = opened(batch[n-1], family, generation, account, end, name, softwareID, role)
		}
	}
	return found, rows.Err()
}
