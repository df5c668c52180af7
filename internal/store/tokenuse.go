package store

import (
	"context"
	"database/sql"
	"strings"

	"causeway/oauth"
	"causeway/tenants"
)

// A user's API token does not rotate: what it opens is a session of its owner as
// that is at the time. Those who ask at the same time share a statement, see [group].
// A batch waits for nobody, so whoever is held, or spoils it, is told no, and the
// caller's own transaction waits.

func (s oauthStore) UseAPIToken(ctx context.Context, u oauth.TokenUse) (oauth.Session, bool, error) {
	var used opening
	err := s.retry(ctx, func() (err error) {
		used, err = s.uses.ask(ctx, u)
		return err
	})
	return used.session, used.did && err == nil, err
}

type (
	useJob    = job[oauth.TokenUse, opening]
	useAnswer = answer[opening]
)

// useTogether opens the group of API tokens that are used.
func (d *DB) useTogether(do func(context.Context, *sql.Conn, []useJob) ([]useAnswer, error)) {
	d.uses = (&group[oauth.TokenUse, opening]{pool: d.write.sql, do: func(conn *sql.Conn, jobs []useJob) []useAnswer {
		ctx, cancel := d.whole(jobs[0].ctx)
		defer cancel()
		answers, err := do(ctx, conn, jobs)
		if err != nil {
			answers = make([]useAnswer, len(jobs))
		}
		for i := range answers {
			if err != nil && !refused(err) { // it may have happened
				answers[i].err = err
			}
		}
		return answers
	}}).start(d)
}

// useAPITokens holds what a session stands on as [tx.CreateSession] does: whoever
// ends one of them at the same time is waited for by nobody, or sees the session.
const useAPITokens = `WITH r AS (
	SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::bigint[])
		WITH ORDINALITY AS r (token, org_id, client, quota, pin, at, source, session, expires_at, n)
), h AS (
	SELECT r.*, h.* FROM r CROSS JOIN LATERAL (
		SELECT t.id, u.id AS owner, u.name, u.role_id, CASE WHEN t.expires_at = 0 THEN r.expires_at ELSE least(r.expires_at, t.expires_at) END AS ends
		FROM api_tokens t JOIN organizations o ON o.id = t.org_id JOIN users u ON u.org_id = t.org_id AND u.id = t.user_id
		WHERE t.digest = r.token AND t.digest <> '' AND t.org_id = r.org_id AND (r.client = '' OR t.id = r.client)
			AND (t.expires_at = 0 OR t.expires_at > r.at) AND o.enabled AND u.enabled AND u.quota_policy_id = r.quota
		FOR KEY SHARE OF o SKIP LOCKED FOR UPDATE OF u SKIP LOCKED FOR UPDATE OF t SKIP LOCKED
	) h
), s AS (
	INSERT INTO sessions (id, org_id, kind, principal, name, software_id, role_id, quota, family_id, created_at, expires_at, last_used, ended_at)
	SELECT session, org_id, 'apiToken', owner, name, '', role_id, pin, id, at, ends, at, 0 FROM h
), e AS (
	INSERT INTO token_events (at, org_id, account_id, kind, source, detail)
	SELECT at, org_id, id, '` + eventRefreshed + `', source, '' FROM h
)
SELECT n, id, owner, ends, name, role_id FROM h`

func (d *DB) usePostgres(ctx context.Context, conn *sql.Conn, jobs []useJob) ([]useAnswer, error) {
	var token [][]byte
	var org, client, quota, pin, source, session []string
	var at, expires []int64
	for _, j := range jobs {
		u := j.what
		token, org, client = append(token, u.Token), append(org, string(u.Org)), append(client, string(u.Client))
		quota, pin = append(quota, string(u.Quota)), append(pin, u.Pin)
		at, source, session = append(at, micros(u.At)), append(source, clean(u.Source)), append(session, string(u.Session))
		expires = append(expires, micros(u.At.Add(u.Lifetime)))
	}
	rows, err := counted{conn, d.stats}.QueryContext(ctx, useAPITokens, token, org, client, quota, pin, at, source, session, expires)
	if err != nil {
		return nil, err
	}
	return openings(rows, jobs)
}

// findAPITokens is between its parts a list of what is asked for.
const (
	findAPITokens = `SELECT v.column1, t.id, u.id, CASE WHEN t.expires_at = 0 THEN v.column6 ELSE min(v.column6, t.expires_at) END, u.name, u.role_id FROM (VALUES `
	thatMayBeUsed = `) v CROSS JOIN api_tokens t CROSS JOIN organizations o ON o.id = t.org_id CROSS JOIN users u ON u.org_id = t.org_id AND u.id = t.user_id
		WHERE t.digest = +v.column2 AND t.digest <> x'' AND t.org_id = v.column3 AND (v.column4 = '' OR t.id = v.column4)
			AND (t.expires_at = 0 OR t.expires_at > v.column5) AND o.enabled = 1 AND u.enabled = 1 AND u.quota_policy_id = v.column7`
)

func (d *DB) useSQLite(ctx context.Context, conn *sql.Conn, jobs []useJob) ([]useAnswer, error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	answers, err := d.useIn(ctx, counted{tx, d.stats}, jobs)
	if err != nil { // nothing happened
		return make([]useAnswer, len(jobs)), tx.Rollback()
	}
	if err := tx.Commit(); err != nil {
		d.abandon(ctx, conn)
		return nil, err
	}
	return answers, nil
}

func (d *DB) useIn(ctx context.Context, tx counted, jobs []useJob) ([]useAnswer, error) {
	values, args := make([]string, len(jobs)), make([]any, 0, 7*len(jobs))
	for i, j := range jobs {
		u := j.what
		values[i] = "(?, ?, ?, ?, ?, ?, ?)"
		args = append(args, i+1, blob(u.Token), string(u.Org), string(u.Client), micros(u.At), micros(u.At.Add(u.Lifetime)), string(u.Quota))
	}
	rows, err := tx.QueryContext(ctx, findAPITokens+strings.Join(values, ", ")+thatMayBeUsed, args...)
	if err != nil {
		return nil, err
	}
	answers, err := openings(rows, jobs)
	var sessions []sessionRow
	var events []eventRow
	for i, a := range answers {
		if u := jobs[i].what; a.value.did {
			sessions = append(sessions, newSessionRow(a.value.session))
			events = append(events, eventRow{At: micros(u.At), OrgID: string(u.Org), AccountID: a.value.session.Family, Kind: eventRefreshed, Source: clean(u.Source)})
		}
	}
	if err != nil || len(sessions) == 0 {
		return answers, err
	}
	db := d.write.session(ctx, tx)
	for _, rows := range []any{&sessions, &events} {
		if err := db.Create(rows).Error; err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// openings reads by their places, counted from one, which jobs open a session.
func openings(rows *sql.Rows, jobs []useJob) ([]useAnswer, error) {
	defer rows.Close()
	answers := make([]useAnswer, len(jobs))
	for rows.Next() {
		var n int
		var end int64
		var token, owner, name, role string
		if err := rows.Scan(&n, &token, &owner, &end, &name, &role); err != nil {
			return nil, err
		}
		u := jobs[n-1].what
		answers[n-1].value = opening{did: true, session: oauth.Session{
			ID: u.Session, Org: u.Org, Kind: tenants.KindAPIToken, Principal: owner, Name: name, Role: tenants.RoleID(role), Quota: u.Pin,
			Family: token, CreatedAt: u.At, ExpiresAt: fromMicros(end), LastUsed: u.At,
		}}
	}
	return answers, rows.Err()
}
