package store_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"causeway/internal/journal"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/internal/trail"
	"causeway/tenants"
)

var newest = trail.Range{Below: math.MaxInt64, Newest: true}

// Both databases find the same rows by subject, actor and request, whatever else
// stands in them, and no organization those of another.
func TestTrail_R6_ByKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		own, other := newOrg(t, db, "Own"), newOrg(t, db, "Other")
		jane := journal.Actor{Kind: "user", ID: "jane", Name: `\","requestId":"r9`, Org: string(own.org)}
		misleading := map[string]string{"requestId": "r2", "a}": "b}", "bad": "\x00\xff"}
		for _, e := range []journal.Entry{
			{Org: string(own.org), Actor: jane, Subject: journal.Subject{Kind: "user", ID: "s1", Name: `"},"requestId":"r3"`}, RequestID: "r1", Detail: misleading},
			{Org: string(own.org), Actor: jane, Subject: journal.Subject{Kind: "user", ID: "s2"}, Detail: misleading},
			{Org: string(other.org), Actor: jane, Subject: journal.Subject{Kind: "user", ID: "s1"}, RequestID: "r1"},
			{Org: string(own.org), Actor: journal.System, Subject: journal.Subject{Kind: "user", ID: "s1", Name: `"actor":{"kind":"user","id":"jane"`}, RequestID: "r2"},
		} {
			e.At, e.Action = now, journal.UserUpdated
			inTenants(t, db, func(tx tenants.Tx) error { return tx.Record(e) })
		}
		s := db.Trail()
		for _, tt := range []struct {
			by              trail.Key
			here, everybody string
		}{
			{trail.Key{}, "[4 2 1]", "[4 3 2 1]"},
			{trail.Key{Of: trail.OfSubject, ID: "s1"}, "[4 1]", "[4 3 1]"},
			{trail.Key{Of: trail.OfActor, ID: "jane"}, "[2 1]", "[3 2 1]"},
			{trail.Key{Of: trail.OfRequest, ID: "r1"}, "[1]", "[3 1]"},
			{trail.Key{Of: trail.OfRequest, ID: "r2"}, "[4]", "[4]"},
			{trail.Key{Of: trail.OfRequest, ID: "r3"}, "[]", "[]"},
			{trail.Key{Of: trail.OfRequest, ID: "r9"}, "[]", "[]"},
		} {
			rows, err := s.Rows(t.Context(), own.org, tt.by, newest, 10)
			if got := numbers(rows); err != nil || got != tt.here {
				t.Errorf("%+v of one organization: %s, %v, want %s", tt.by, got, err, tt.here)
			}
			rows, err = s.RowsAnywhere(t.Context(), tt.by, newest, 10)
			if got := numbers(rows); err != nil || got != tt.everybody {
				t.Errorf("%+v of everybody: %s, %v, want %s", tt.by, got, err, tt.everybody)
			}
		}
		rows, err := s.RowsAnywhere(t.Context(), trail.Key{}, trail.Range{Above: 1, Below: 4}, 10)
		if got := numbers(rows); err != nil || got != "[2 3]" {
			t.Errorf("between 1 and 4: %s, %v", got, err)
		}
	})
}

func numbers(rows []journal.Row) string {
	list := []int64{}
	for _, r := range rows {
		list = append(list, r.Seq)
	}
	return fmt.Sprint(list)
}

// A search by a key reads by its index and not the rows of an organization.
func TestPlans_TrailByKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		exec(t, db, manyRows[db.OnPostgres()])
		exec(t, db, "ANALYZE journal")
		var mu sync.Mutex
		var query string
		var args []any
		ok(t, db.Spy(func(q string, a []any) {
			mu.Lock()
			defer mu.Unlock()
			query, args = q, slices.Clone(a)
		}))
		for of, index := range map[trail.KeyOf]string{
			trail.OfSubject: "journal_subject", trail.OfActor: "journal_actor", trail.OfRequest: "journal_request",
		} {
			by := trail.Key{Of: of, ID: "x"}
			_, err := db.Trail().Rows(t.Context(), w.org, by, newest, 10)
			ok(t, err)
			if plan := planOf(t, db, query, args); !strings.Contains(plan, index) {
				t.Errorf("%s of one organization is found by\n%s", of, plan)
			}
			_, err = db.Trail().RowsAnywhere(t.Context(), by, newest, 10)
			ok(t, err)
			if plan := planOf(t, db, query, args); !strings.Contains(plan, index) {
				t.Errorf("%s of everybody is found by\n%s", of, plan)
			}
		}
	})
}

// manyRows are of one organization: an index of that alone is of no use.
var manyRows = map[bool]string{
	false: `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 3000)
		INSERT INTO journal SELECT n, 1, 'org', 'a', 'k', 's' || n, ` + manyEntries + `, x'', x'' FROM n`,
	true: `INSERT INTO journal SELECT n, 1, 'org', 'a', 'k', 's' || n, ` + manyEntries + `, '', '' FROM generate_series(1, 3000) n`,
}

const manyEntries = `'{"at":"","org":"org","actor":{"kind":"user","id":"a' || n || '"},"action":"a","subject":{"kind":"k","id":"s"},"requestId":"r' || n || '"}'`

func planOf(t *testing.T, db *store.DB, query string, args []any) string {
	t.Helper()
	conn, err := db.SQL().Conn(t.Context())
	ok(t, err)
	defer conn.Close()
	if db.OnPostgres() {
		return strings.Join(genericPlan(t, conn, query), "\n")
	}
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	ok(t, err)
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		ok(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	ok(t, rows.Err())
	return strings.Join(steps, "\n")
}
