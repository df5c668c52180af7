package store

import (
	"context"
	"database/sql"
	"time"

	"causeway/oauth"
	"causeway/tenants"
)

// Rotate is one statement on PostgreSQL and one transaction on SQLite, shared
// with others that wait, see [group]. Used token, session and event hang on the updated
// family: no update, nothing else. What belongs to the account is taken from the
// rows of family and account, so a session cannot disagree with them. A family
// cannot be without its account (foreign key), so the tokens of a deleted account
// do not rotate.
func (s oauthStore) Rotate(ctx context.Context, r oauth.Rotation) (oauth.Session, bool, error) {
	var made opening
	err := s.retry(ctx, func() (err error) {
		made, err = s.rotations.ask(ctx, r)
		return err
	})
	return made.session, made.did && err == nil, err
}

// eventRefreshed is the kind of a rotation's event.
const eventRefreshed = "refreshed"

// opening is the session that a refresh opened, if it did.
type opening struct {
	did        bool
	session    oauth.Session
	generation int64 // that the family has now
}

// opened is the session that r opens for the holder of its token.
func opened(r oauth.Rotation, family string, generation int64, account string, end int64, name, softwareID, role string) opening {
	return opening{did: true, generation: generation, session: oauth.Session{
		ID: r.Session, Org: r.Org, Kind: tenants.KindServiceAccount, Principal: account, Name: name, SoftwareID: softwareID,
		Role: tenants.RoleID(role), Quota: r.Pin, Family: family, CreatedAt: r.At, ExpiresAt: fromMicros(end), LastUsed: r.At,
	}}
}

// ever is an age in microseconds that nothing reaches, and that can be added to any
// time.
const ever = int64(1) << 61

// maxAge is how old a family may get, in microseconds.
func maxAge(d time.Duration) int64 {
	if d == 0 {
		return ever
	}
	return d.Microseconds()
}

type (
	rotationJob    = job[oauth.Rotation, opening]
	rotationAnswer = answer[opening]
)

// rotateTogether opens the group of rotations.
func (d *DB) rotateTogether(do func(*sql.Conn, []rotationJob) []rotationAnswer) {
	g := &group[oauth.Rotation, opening]{pool: d.write.sql, do: do, alone: d.rotateOne}
	d.rotations = g.start(d)
}

// apart splits jobs into those that may go into one statement, one of each token,
// and the rest.
func apart(jobs []rotationJob, places []int) (one, rest []int) {
	seen := make(map[string]bool, len(places))
	for _, i := range places {
		if from := string(jobs[i].what.From); !seen[from] {
			seen[from] = true
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
