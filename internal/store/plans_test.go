package store_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// wholeTable are statements on no tenant's path that may read a small table
// whole. Touch takes sessions of any organization by their ids; whether to probe
// or to merge is for the planner to say, who knows how many there are.
var wholeTable = regexp.MustCompile(`(?i)FROM \W?(organizations|signing_keys|site_associations|site|journal_head|json_each_text)\b`)

// Every statement on a tenant's path finds its rows by an index, however full
// the tables are.
func TestPlans_NoScanOnTenantPaths(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newTenant(t, db, "Own"), newTenant(t, db, "Other")
		var mu sync.Mutex
		seen := map[string][]any{}
		ok(t, db.Spy(func(query string, args []any) {
			mu.Lock()
			defer mu.Unlock()
			seen[query] = slices.Clone(args)
		}))
		exercise(t, db, w)
		for _, c := range tenantCalls {
			_ = c.run(t, db, other.org, w)
			_ = c.run(t, db, w.org, w)
		}
		if len(seen) < 30 {
			t.Fatalf("only %d statements were seen", len(seen))
		}
		for query, args := range seen {
			for _, step := range scans(t, db, query, args) {
				if !wholeTable.MatchString(query) {
					t.Errorf("%s\n\tdoes a %s", query, step)
				}
			}
		}
	})
}

// exercise calls what tenantCalls leave out.
func exercise(t *testing.T, db *store.DB, w *tenant) {
	t.Helper()
	ok(t, db.Federation().InTx(t.Context(), func(f federation.Tx) error {
		o, n := f.(oauth.Tx), f.(tenants.Tx)
		for _, err := range []error{
			second(n.Organization(w.org)), second(n.OrganizationByName("own")), second(n.UserByName(w.org, "jane", now)),
			second(n.RoleByName(w.org, "Deployer")), second(n.Roles(w.org)), second(o.ServiceAccountByName(w.org, "app", now)),
			second(o.AccountOrg(w.account)), second(o.RefreshToken(w.used)), second(o.Session(w.session.ID)),
			o.CloseDevices(w.org, w.account, w.device.ID), o.EndSessionsOf(w.org, tenants.KindUser, string(w.user), now),
			second(f.OrgAssociations(w.org)), second(f.OrgKey(w.org)), o.Note(oauth.Event{At: now, Kind: "denied"}),
			f.Record(w.entry("role.updated")),
		} {
			if err != nil {
				return err
			}
		}
		for _, q := range []tenants.Query{
			{Page: 1, PageSize: 10}, {Page: 2, PageSize: 10, SortBy: "status", Desc: true, Where: "status = ?", Args: []any{"ACTIVE"}},
		} {
			if _, _, err := o.ServiceAccounts(w.org, q, now); err != nil {
				return err
			}
		}
		return nil
	}))
	if did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); !did || err != nil {
		t.Fatal(did, err)
	}
	w.used, w.family.Generation = w.rotation(1).From, 2
	ok(t, db.OAuth().Touch(t.Context(), map[tenants.SessionID]time.Time{w.session.ID: now}))
	_, err := db.Journal().After(t.Context(), 0, 10)
	ok(t, err)
}

var (
	sqliteScan   = regexp.MustCompile(`^SCAN `)
	notTables    = regexp.MustCompile(`CONSTANT ROW|VIRTUAL TABLE|VALUES CLAUSE`)
	postgresNode = regexp.MustCompile(`(Seq|Index|Index Only|Bitmap Index) Scan (using|on) .*`)
)

// scans are the steps of the query's plan that read a table from end to end.
func scans(t *testing.T, db *store.DB, query string, args []any) (bad []string) {
	t.Helper()
	conn, err := db.SQL().Conn(context.Background())
	ok(t, err)
	defer conn.Close()
	explain, queries := "EXPLAIN QUERY PLAN ", strings.Split(query, ";\n")
	if db.OnPostgres() {
		// Small tables are always scanned; forbid it, and a scan that is left
		// is one that no index can spare.
		_, err := conn.ExecContext(context.Background(), "SET enable_seqscan = off")
		ok(t, err)
		explain = "EXPLAIN "
	}
	for _, q := range queries {
		rows, err := conn.QueryContext(context.Background(), explain+q, args...)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var step string
			if db.OnPostgres() {
				ok(t, rows.Scan(&step))
				plan = append(plan, step)
				continue
			}
			ok(t, rows.Scan(&id, &parent, &unused, &step))
			if sqliteScan.MatchString(step) && !notTables.MatchString(step) {
				bad = append(bad, fmt.Sprint(step))
			}
		}
		ok(t, rows.Err())
		ok(t, rows.Close())
		bad = append(bad, wholeScans(plan)...)
	}
	return bad
}

// wholeScans are the nodes of a PostgreSQL plan that read a table or an index
// without a condition on it.
func wholeScans(plan []string) (bad []string) {
	for i, line := range plan {
		node := postgresNode.FindString(line)
		if node == "" {
			continue
		}
		found := false
		for _, detail := range plan[i+1:] {
			if strings.Contains(detail, "->") {
				break
			}
			found = found || strings.Contains(detail, "Index Cond:")
		}
		if !found {
			bad = append(bad, node)
		}
	}
	return bad
}
