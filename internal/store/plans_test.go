package store_test

import (
	"context"
	"database/sql"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/refusal"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/tenants"
)

// wholeTables may be read from end to end: they are small whatever a site grows
// to, or a provider has asked for all of it.
var wholeTables = map[string][]string{
	"Organizations":      {"organizations"},
	"OrganizationPage":   {"organizations"},
	"CountOrganizations": {"organizations"},
	// Each cell reads those of the few organizations that have any.
	"EveryOrganizationLimits": {"org_limits", "organizations"},
	// The newest by the primary key, and no more than are listed.
	"NewestRefusals": {"refusals"},
	// Each cell keeps a table of the instances, and reads the few definitions whole.
	"EveryInstance":       {"service_instances", "service_hosts"},
	"Definitions":         {"service_definitions"},
	"DueHooks":            {"due"}, // what it has found, no more than was asked for
	"PublicationTenants":  {"organizations", "publication_tenants"},
	"Publication":         {"organizations"}, // to each
	"SigningKeys":         {"signing_keys"},
	"SiteAssociations":    {"site_associations"},
	"DirectSites":         {"org_associations"}, // an index of the few that are
	"EveryOrgAssociation": {"org_associations", "organizations", "site_associations"},
	"Roots":               {"site_roots"},
	"Self":                {"site"},
	"Record":              {"journal_head"},
	// Touch takes sessions of any organization by their ids; whether to probe or
	// to merge is for the planner to say, who knows how many there are.
	"Touch": {"sessions", "json_each_text"},
}

// statement is one that was seen, and the method that sent it.
type statement struct {
	args []any
	by   string
}

func (s statement) mayRead(table string) bool {
	method, _, _ := strings.Cut(s.by, " ")
	return slices.Contains(wholeTables[method], table)
}

// Every statement on a tenant's path finds its rows by an index, however full
// the tables are.
func TestPlans_NoScanOnTenantPaths(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		seen := watch(t, db)
		if len(seen) < 100 {
			t.Fatalf("only %d statements were seen", len(seen))
		}
		for query, s := range seen {
			for _, table := range scans(t, db, query, s.args) {
				if !s.mayRead(table) {
					t.Errorf("%s reads all of %s:\n\t%s", s.by, table, query)
				}
			}
		}
	})
}

// watch calls everything and returns what it sent to the database.
func watch(t *testing.T, db *store.DB) map[string]statement {
	t.Helper()
	whole, other := newServed(t, db, "Own"), newServed(t, db, "Other")
	w := whole.tenant
	var mu sync.Mutex
	by, seen := "", map[string]statement{}
	ok(t, db.Spy(func(query string, args []any) {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(query, "journal_head") {
			by = "Record"
		}
		seen[query] = statement{slices.Clone(args), by}
	}))
	for _, c := range planCalls {
		by = c.name
		if err := c.run(t, db, w.org, w); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	by = "Rotate"
	if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); !did || err != nil {
		t.Fatal(did, err)
	}
	w.used, w.family.Generation = w.rotation(1).From, 2
	by = "Rotate alone"
	if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); did || err != nil {
		t.Fatal(did, err)
	}
	by = "RefreshToken"
	_, err := db.OAuth().RefreshToken(t.Context(), w.used)
	ok(t, err)
	by = "UseAPIToken"
	if _, did, err := db.OAuth().UseAPIToken(t.Context(), w.fetched(t)); !did || err != nil {
		t.Fatal(did, err)
	}
	by = "Touch"
	ok(t, db.OAuth().Touch(t.Context(), map[tenants.SessionID]time.Time{w.session.ID: now}))
	by = "After"
	_, err = db.Journal().After(t.Context(), 0, 10)
	ok(t, err)
	watchServed(t, db, whole, other, func(name string) { by = name })
	for _, c := range tenantCalls { // the last ones take the tenant apart
		by = c.name
		_ = c.run(t, db, other.org, w)
		_ = c.run(t, db, w.org, w)
	}
	return seen
}

// A new method of a store cannot be forgotten here.
func TestPlans_EveryMethodIsCalled(t *testing.T) {
	called := map[string]bool{}
	for _, c := range slices.Concat(planCalls, tenantCalls) {
		for word := range strings.FieldsSeq(c.name) {
			called[word] = true
		}
	}
	for _, c := range slices.Concat(servedPlanCalls, servedCalls) {
		for word := range strings.FieldsSeq(c.name) {
			called[word] = true
		}
	}
	for _, face := range []reflect.Type{reflect.TypeFor[tenants.Tx](), reflect.TypeFor[oauth.Tx](), reflect.TypeFor[federation.OfficeTx](),
		reflect.TypeFor[refusal.Reader](), reflect.TypeFor[apps.Tx]()} {
		for method := range face.Methods() {
			if !called[method.Name] {
				t.Errorf("nobody looks at the plans of %s.%s", face, method.Name)
			}
		}
	}
}

var (
	sqliteScan   = regexp.MustCompile(`^SCAN (\w+)`)
	notTables    = regexp.MustCompile(`CONSTANT ROW|VIRTUAL TABLE|VALUES CLAUSE`)
	postgresNode = regexp.MustCompile(`(?:Seq|Index|Index Only) Scan(?: Backward)?(?: using \w+)? on (\w+)|Bitmap Index Scan on`)
	postgresHeap = regexp.MustCompile(`Bitmap Heap Scan on (\w+)`)
)

// scans are the tables that the query's plan reads from end to end.
func scans(t *testing.T, db *store.DB, query string, args []any) (bad []string) {
	t.Helper()
	conn, err := db.SQL().Conn(context.Background())
	ok(t, err)
	defer conn.Close()
	if db.OnPostgres() {
		return wholeScans(genericPlan(t, conn, query))
	}
	for q := range strings.SplitSeq(query, ";\n") {
		rows, err := conn.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+q, args...)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var step string
			ok(t, rows.Scan(&id, &parent, &unused, &step))
			if sqliteScan.MatchString(step) && !notTables.MatchString(step) {
				if table := tableOf(q, sqliteScan.FindStringSubmatch(step)[1]); table != "" {
					bad = append(bad, table)
				}
			}
		}
		ok(t, rows.Err())
		ok(t, rows.Close())
	}
	return bad
}

// genericPlan is the plan that PostgreSQL makes without knowing the arguments, as
// our connections have it do: what only a known argument would prove, such as
// that a partial index holds the row, does not count.
func genericPlan(t *testing.T, conn *sql.Conn, query string) (plan []string) {
	t.Helper()
	exec := func(statement string) {
		t.Helper()
		if _, err := conn.ExecContext(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	// Small tables are always scanned; forbid it, and a scan that is left is one
	// that no index can spare.
	exec("SET enable_seqscan = off")
	exec("SET plan_cache_mode = force_generic_plan")
	exec("PREPARE looked_at AS " + query)
	defer exec("DEALLOCATE looked_at")
	var parameters int
	ok(t, conn.QueryRowContext(context.Background(),
		"SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'looked_at'").Scan(&parameters))
	execute := "EXECUTE looked_at"
	if parameters > 0 {
		execute += "(NULL" + strings.Repeat(", NULL", parameters-1) + ")"
	}
	rows, err := conn.QueryContext(context.Background(), "EXPLAIN "+execute)
	ok(t, err)
	defer rows.Close()
	for rows.Next() {
		var step string
		ok(t, rows.Scan(&step))
		plan = append(plan, step)
	}
	ok(t, rows.Err())
	return plan
}

// tableOf is the table that a query calls by another name; empty if it is none.
func tableOf(query, name string) string {
	if m := regexp.MustCompile(`(?i)(?:FROM|JOIN)\s+(\w+)\s+` + name + `\b`).FindStringSubmatch(query); m != nil {
		return m[1]
	}
	if strings.Contains(query, ") "+name) {
		return "" // a subselect
	}
	return name
}

// wholeScans are the tables that a PostgreSQL plan reads without a condition.
func wholeScans(plan []string) (bad []string) {
	heap := "" // of the bitmaps that follow
	for i, line := range plan {
		if m := postgresHeap.FindStringSubmatch(line); m != nil {
			heap = m[1]
		}
		node := postgresNode.FindStringSubmatch(line)
		if node == nil || conditioned(plan[i+1:]) {
			continue
		}
		if node[1] == "" {
			node[1] = heap
		}
		bad = append(bad, node[1])
	}
	return bad
}

// conditioned reports whether the lines of a node name what it looks up.
func conditioned(details []string) bool {
	for _, detail := range details {
		if strings.Contains(detail, "->  ") { // "->>" reads JSON
			return false
		}
		if strings.Contains(detail, "Index Cond:") {
			return true
		}
	}
	return false
}
