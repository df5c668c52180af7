package load_test

import (
	"context"
	"database/sql"
	"os"
	"runtime"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/site"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

// Bounds of a cell that has met 10,000 organizations.
const (
	touched   = 10_000
	mostBytes = 300 << 20
)

// The memory of a cell with many organizations in it is bounded, and it does not
// take long to start beside them. CAUSEWAY_SOAK=1 makes as many as there may be;
// without it, a few tell what each costs.
func TestMemoryOfTouchedOrganizationsSoak(t *testing.T) {
	organizations := 150
	if os.Getenv("CAUSEWAY_SOAK") != "" {
		organizations = touched
	}
	c := configure(t, organizations)
	begun := time.Now()
	s := start(t, c)
	t.Logf("the site started in %s", time.Since(begun).Round(time.Millisecond))

	var all []tenants.Organization
	ok(t, s.DB().Tenants().View(t.Context(), func(r tenants.Reader) (err error) {
		all, err = r.Organizations()
		return err
	}))
	ids := make([]tenants.OrgID, len(all))
	for i, org := range all {
		ids[i] = org.ID
	}
	all = nil
	touch := func(ids []tenants.OrgID) {
		for _, id := range ids {
			if _, err := s.Directory().Organization(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	touch(ids[:2]) // what is made once
	before := heap()
	begun = time.Now()
	touch(ids[2:])
	took := time.Since(begun)
	after := heap()
	each := (int64(after) - int64(before)) / int64(len(ids)-2)
	t.Logf("heap %.1f MiB, then %.1f MiB with %d organizations touched: %d bytes each, %s each",
		float64(before)/(1<<20), float64(after)/(1<<20), len(ids), each, took/time.Duration(len(ids)-2))
	if whole := int64(before) + each*touched; whole > mostBytes {
		t.Errorf("a cell that has met %d organizations needs %d MiB; at most %d", touched, whole>>20, mostBytes>>20)
	}
	begun = time.Now()
	touch(ids)
	if again := time.Since(begun); again > took/2 {
		t.Errorf("touched again they took %s: they are not remembered", again)
	}
}

// heap is what is in use after everything else was swept.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // pools keep things for one round
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A start reads the same few rows however many tenants there are. What it read is
// what PostgreSQL itself has counted.
func TestStartLoadsNoTenants(t *testing.T) {
	rows := func(organizations int) (tenantRows int) {
		c := configure(t, organizations)
		reset(t, c)
		s, err := site.New(t.Context(), c, site.Options{})
		ok(t, err)
		ok(t, s.Start(t.Context()))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ok(t, s.Stop(ctx))
		tenantRows, siteRows := rowsRead(t, c)
		if siteRows == 0 {
			t.Fatal("PostgreSQL has not counted what the start read")
		}
		return tenantRows
	}
	few, many := rows(2), rows(40)
	t.Logf("a start reads %d rows of tenants beside 2 organizations, %d beside 40", few, many)
	if many > few {
		t.Errorf("a start reads %d rows of tenants beside 2 organizations and %d beside 40", few, many)
	}
}

func database(t *testing.T, c *config.Config) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", c.Database.URL.Reveal())
	ok(t, err)
	return db
}

func reset(t *testing.T, c *config.Config) {
	t.Helper()
	db := database(t, c)
	defer db.Close()
	alone(t, db)
	_, err := db.ExecContext(t.Context(), "SELECT pg_stat_reset()")
	ok(t, err)
}

// alone waits until the database has no other connection: each reports what it
// read when it ends at the latest.
func alone(t *testing.T, db *sql.DB) {
	t.Helper()
	db.SetMaxOpenConns(1)
	sitetest.Eventually(t, 20*time.Second, "all connections are closed", func() bool {
		var n int
		ok(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND backend_type = 'client backend'`).Scan(&n))
		return n == 1
	})
}

func rowsRead(t *testing.T, c *config.Config) (tenantRows, siteRows int) {
	t.Helper()
	db := database(t, c)
	defer db.Close()
	alone(t, db)
	const read = "coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)"
	ok(t, db.QueryRowContext(t.Context(), `SELECT
		(SELECT `+read+` FROM pg_stat_user_tables WHERE relname IN ('organizations', 'users', 'service_accounts',
			'token_families', 'device_requests', 'sessions', 'org_associations', 'publication_tenants', 'tasks')),
		(SELECT `+read+` FROM pg_stat_user_tables WHERE relname = 'site')`).Scan(&tenantRows, &siteRows))
	return tenantRows, siteRows
}
