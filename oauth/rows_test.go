package oauth_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
)

// rows looks past the store at what is written: that a refusal changed nothing,
// that nothing is left over, and that no secret lies in clear.
type rows struct {
	t         testing.TB
	db        *sql.DB
	conflicts *conflicts

	onPostgres bool
}

// in is r for a subtest.
func (r rows) in(t testing.TB) rows {
	r.t = t
	return r
}

// eachWithRows is storetest.Each for tests that look at the rows themselves.
func eachWithRows(t *testing.T, f func(t *testing.T, db *store.DB, r rows)) {
	t.Helper()
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			url := storetest.URL(t, kind)
			driver, name := "pgx", url
			if kind == storetest.SQLite {
				driver, name = "sqlite", "file:"+strings.TrimPrefix(url, "sqlite://")+"?_pragma=busy_timeout(5000)"
			}
			r := rows{t: t, conflicts: &conflicts{}, onPostgres: kind == storetest.Postgres}
			var err error
			r.db, err = sql.Open(driver, name)
			r.must(err)
			t.Cleanup(func() { r.db.Close() })
			db, err := store.Open(t.Context(), store.Config{URL: url, MaxConns: 8, Log: slog.New(r.conflicts)})
			r.must(err)
			t.Cleanup(func() { r.must(db.Close()) })
			f(t, db, r)
		})
	}
}

// conflicts counts the transactions that the store had to run again: what it
// says in its log. On PostgreSQL a deadlock costs everybody in it a second.
type conflicts struct{ n atomic.Int64 }

func (c *conflicts) Enabled(context.Context, slog.Level) bool { return true }
func (c *conflicts) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *conflicts) WithGroup(string) slog.Handler            { return c }
func (c *conflicts) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "conflict") {
		c.n.Add(1)
	}
	return nil
}

// tables hold everything that this package's rules can change.
var tables = []string{
	"api_tokens", "device_requests", "journal", "journal_head", "organizations", "role_rights", "roles",
	"service_accounts", "sessions", "signing_keys", "token_events", "token_families", "used_tokens", "users",
}

// all is every row of those tables, in an order of its own.
func (r rows) all() string {
	r.t.Helper()
	var lines []string
	for _, table := range tables {
		lines = append(lines, r.of(table)...)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (r rows) of(table string) (lines []string) {
	r.t.Helper()
	found, err := r.db.QueryContext(r.t.Context(), "SELECT * FROM "+table)
	r.must(err)
	defer found.Close()
	columns, err := found.Columns()
	r.must(err)
	for found.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		r.must(found.Scan(into...))
		line := table + ":"
		for i, v := range values {
			if b, isBytes := v.([]byte); isBytes && !printable(b) {
				v = fmt.Sprintf("%x", b)
			}
			line += fmt.Sprintf(" %s=%s", columns[i], fmt.Sprint(v))
		}
		lines = append(lines, line)
	}
	r.must(found.Err())
	return lines
}

func printable(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c > '~' })
}

// live counts what still gives access in the name of an account.
func (r rows) live(a oauth.ServiceAccount) (families, sessions int) {
	r.t.Helper()
	return r.count("token_families WHERE revoked_at = 0 AND account_id = '" + string(a.ID) + "'"),
		r.count("sessions WHERE ended_at = 0 AND principal = '" + string(a.ID) + "'")
}

func (r rows) wantNothingLive(a oauth.ServiceAccount) {
	r.t.Helper()
	if families, sessions := r.live(a); families != 0 || sessions != 0 {
		r.t.Errorf("%d families and %d sessions are live, want none", families, sessions)
	}
}

func (r rows) count(from string) (n int) {
	r.t.Helper()
	r.must(r.db.QueryRowContext(r.t.Context(), "SELECT count(*) FROM "+from).Scan(&n))
	return n
}

func (r rows) exec(statement string) {
	r.t.Helper()
	_, err := r.db.ExecContext(r.t.Context(), statement)
	r.must(err)
}

func (r rows) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// contains looks for a secret in rows, as text and in the hexadecimal of [rows.of].
func contains(rows, secret string) bool {
	return strings.Contains(rows, secret) || strings.Contains(rows, fmt.Sprintf("%x", secret))
}
