package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"causeway/oauth"
)

// rotateManyPostgres is [rotatePostgres] for arrays of parameters. Families that
// somebody holds are left out, and so are those whose organization is held: a
// batch waits for nobody, so it holds nobody up, and two cells' batches cannot
// wait for each other. Returned is, by its place in the arrays, what rotated and
// what could have: the rest was not the current token of a live family, and never
// will be again.
const rotateManyPostgres = `WITH r AS (
	SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
		$9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[]) WITH ORDINALITY
		AS r (was, becomes, org_id, family_id, at, source, session, kind, name, software, role, quota, created_at, expires_at, last_used, n)
), l AS (
	SELECT r.*, f.id FROM r CROSS JOIN LATERAL (
		SELECT f.id FROM token_families f JOIN organizations o ON o.id = f.org_id
		WHERE f.current_digest = r.was AND f.org_id = r.org_id AND f.id = r.family_id AND f.revoked_at < 1 AND o.enabled
		FOR NO KEY UPDATE OF f SKIP LOCKED FOR KEY SHARE OF o SKIP LOCKED
	) f
), f AS (
	UPDATE token_families f SET current_digest = l.becomes, generation = generation + 1 FROM l
	WHERE f.org_id = l.org_id AND f.id = l.id AND f.current_digest = l.was
	RETURNING f.account_id, f.generation, l.*
), u AS (
	INSERT INTO used_tokens (digest, org_id, family_id, generation, used_at, source, retries)
	SELECT was, org_id, id, generation - 1, at, source, 0 FROM f
), s AS (
	INSERT INTO sessions (id, org_id, kind, principal, name, software_id, role_id, quota, family_id, created_at, expires_at, last_used, ended_at)
	SELECT session, org_id, kind, account_id, name, software, role, quota, id, created_at, expires_at, last_used, 0 FROM f
), e AS (
	INSERT INTO token_events (at, org_id, account_id, kind, source, detail)
	SELECT at, org_id, account_id, '` + eventRefreshed + `', source, '' FROM f
)
SELECT r.n, f.n IS NOT NULL FROM r
	JOIN token_families t ON t.current_digest = r.was AND t.org_id = r.org_id AND t.id = r.family_id AND t.revoked_at < 1
	JOIN organizations o ON o.id = t.org_id AND o.enabled
	LEFT JOIN f ON f.n = r.n`

// columns are rotations as arrays.
type columns struct {
	was, becomes                              [][]byte
	org, family, source                       []string
	session, kind, name, software, role, pins []string
	at, created, expires, used                []int64
}

func (c *columns) add(r oauth.Rotation) {
	s := r.Session
	c.was, c.becomes = append(c.was, r.From), append(c.becomes, r.To)
	c.org, c.family, c.source = append(c.org, string(r.Org)), append(c.family, r.Family), append(c.source, clean(r.Source))
	c.session, c.kind = append(c.session, string(s.ID)), append(c.kind, string(s.Kind))
	c.name, c.software = append(c.name, s.Name), append(c.software, s.SoftwareID)
	c.role, c.pins = append(c.role, string(s.Role)), append(c.pins, s.Quota)
	c.at, c.created = append(c.at, micros(r.At)), append(c.created, micros(s.CreatedAt))
	c.expires, c.used = append(c.expires, micros(s.ExpiresAt)), append(c.used, micros(s.LastUsed))
}

func (c *columns) args() []any {
	return []any{c.was, c.becomes, c.org, c.family, c.at, c.source, c.session, c.kind, c.name, c.software, c.role, c.pins, c.created, c.expires, c.used}
}

// commitPostgres rotates what it can in one statement. Whose family is held asks
// alone, and so does everybody when one cannot be written.
func (d *DB) commitPostgres(conn *sql.Conn, jobs []rotationJob) []rotationAnswer {
	answers := make([]rotationAnswer, len(jobs))
	one, rest := apart(jobs, everyone(jobs))
	var c columns
	for _, i := range one {
		c.add(jobs[i].what)
	}
	found, err := d.rotateMany(jobs[0].ctx, conn, c)
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
		for n, rotated := range found {
			answers[one[n-1]] = rotationAnswer{value: rotated, alone: !rotated}
		}
		for _, i := range rest { // the first of a family may have been somebody else's token
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

// rotateMany returns the places, counted from one, of what rotated and of what
// could have. Like a commit it does not end with ctx.
func (d *DB) rotateMany(ctx context.Context, conn *sql.Conn, c columns) (map[int]bool, error) {
	whole, cancel := d.whole(ctx)
	defer cancel()
	rows, err := d.write.session(whole, counted{conn, d.stats}).Raw(rotateManyPostgres, c.args()...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make(map[int]bool, len(c.was))
	for rows.Next() {
		var n int
		var rotated bool
		if err := rows.Scan(&n, &rotated); err != nil {
			return nil, err
		}
		found[n] = rotated
	}
	return found, rows.Err()
}
