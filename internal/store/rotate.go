package store

import (
	"context"
	"database/sql"

	"causeway/oauth"
	"causeway/tenants"
)

// Rotate is one statement on PostgreSQL and one transaction on SQLite, shared
// with others that wait, see [group]. Used token, session and event hang on the updated
// family: no update, nothing else. What belongs to the account (organization,
// principal, family) is taken from that row, so a session cannot disagree with
// its family. A family cannot be without its account (foreign key), so the
// tokens of a deleted account do not rotate.
func (s oauthStore) Rotate(ctx context.Context, r oauth.Rotation) (bool, error) {
	var rotated bool
	err := s.retry(ctx, func() (err error) {
		rotated, err = s.rotations.ask(ctx, r)
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

// rotateOne rotates by one statement, and waits for whoever holds the family. Like
// a commit it does not end with ctx.
func (d *DB) rotateOne(ctx context.Context, r oauth.Rotation) (bool, error) {
	conn, err := d.write.sql.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	whole, cancel := d.whole(ctx)
	defer cancel()
	s := r.Session
	q := d.write.session(whole, counted{conn, d.stats}).Exec(rotatePostgres,
		blob(r.To), string(r.Org), r.Family, blob(r.From), micros(r.At), clean(r.Source),
		string(s.ID), string(s.Kind), s.Name, s.SoftwareID, string(s.Role),
		micros(s.CreatedAt), micros(s.ExpiresAt), micros(s.LastUsed), eventRefreshed, s.Quota)
	return q.RowsAffected == 1, q.Error
}

type (
	rotationJob    = job[oauth.Rotation, bool]
	rotationAnswer = answer[bool]
)

// rotateTogether opens the group of rotations.
func (d *DB) rotateTogether(do func(*sql.Conn, []rotationJob) []rotationAnswer) {
	g := &group[oauth.Rotation, bool]{pool: d.write.sql, do: do, alone: d.rotateOne}
	d.rotations = g.start(d)
}

// apart splits jobs into those that may go into one statement, one of each family,
// and the rest.
func apart(jobs []rotationJob, places []int) (one, rest []int) {
	type family struct {
		org tenants.OrgID
		id  string
	}
	seen := make(map[family]bool, len(places))
	for _, i := range places {
		r := jobs[i].what
		if f := (family{r.Org, r.Family}); !seen[f] {
			seen[f] = true
			one = append(one, i)
		} else {
			rest = append(rest, i)
		}
	}
	return one, rest
}

// everyone are the places of jobs.
func everyone(jobs []rotationJob) (places []int) {
	for i := range jobs {
		places = append(places, i)
	}
	return places
}
