package sitetest

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/store/storetest"
)

// TestCrashSoak kills sites in the middle of everybody's work, again and again.
// What was acknowledged must still be true when they come back.
func TestCrashSoak(t *testing.T) {
	kills := 5
	if soaking {
		kills = 120
	}
	t.Run("R3 R4 R13 two sites on SQLite", func(t *testing.T) { crash(t, newDevStage(t), kills) })
	t.Run("R3 R4 R13 one cell on PostgreSQL", func(t *testing.T) { crash(t, newCellStage(t), kills) })
	t.Run("R13 a first start that was cut short goes on", func(t *testing.T) {
		for range max(1, kills/10) {
			firstStart(t, 4)
		}
	})
}

// dying is where workers work: sites that can be killed.
type dying struct {
	sites    []string
	start    map[string]func(testing.TB) *Process
	ready    map[string]func(testing.TB, *Process)
	database map[string]string // URL
	workers  []*worker
}

func newDevStage(t *testing.T) *dying {
	folder := t.TempDir()
	p, file := LaunchDev(t, folder, "")
	p.Stop(t)
	d := &dying{
		sites: []string{"west", "east"}, database: map[string]string{},
		start: map[string]func(testing.TB) *Process{}, ready: map[string]func(testing.TB, *Process){},
	}
	for _, site := range d.sites {
		d.start[site] = func(t testing.TB) *Process { return BeginDev(t, folder, site) }
		d.ready[site] = func(t testing.TB, p *Process) { p.AwaitDev(t) }
		d.database[site] = "sqlite://" + filepath.Join(folder, site, "causeway.db")
	}
	for i, w := range []*worker{
		{site: "west", org: "acme", role: "Inventory Operator", elsewhere: "acme-labs"},
		{site: "west", org: "acme", role: "Inventory Operator"},
		{site: "west", org: System, role: "System Administrator"},
		{site: "east", org: "acme-labs", role: "Inventory Operator"},
		{site: "east", org: "globex", role: "Inventory Operator"},
	} {
		w.number, w.path, w.Client = i, "/sample/inventory", NewClient(t, file)
		d.workers = append(d.workers, w)
	}
	return d
}

func newCellStage(t *testing.T) *dying {
	url := storetest.URL(t, storetest.Postgres)
	cell := NewCell(t, url, manyRefreshes)
	cell.Init(t)
	d := &dying{
		sites: []string{SiteName}, database: map[string]string{SiteName: url},
		start: map[string]func(testing.TB) *Process{SiteName: cell.Begin},
		ready: map[string]func(testing.TB, *Process){SiteName: cell.Ready},
	}
	// The CA is there after the first start.
	p := cell.Begin(t)
	cell.Ready(t, p)
	p.Stop(t)
	for i := range 4 {
		d.workers = append(d.workers, &worker{
			Client: cell.Client(t), number: i, site: SiteName, org: System, role: "System Administrator",
			path: "/cloudapi/1.0.0/sessions/current",
		})
	}
	return d
}

func crash(t *testing.T, d *dying, kills int) {
	running := map[string]*Process{}
	var recovery time.Duration
	for range kills {
		recovery = max(recovery, d.comeBack(t, running))
		victims := d.sites
		if n := rand.IntN(len(d.sites) + 1); n < len(d.sites) {
			victims = d.sites[n : n+1]
		}
		d.workUntilKilled(t, running, victims)
		for _, site := range victims {
			delete(running, site)
		}
	}
	recovery = max(recovery, d.comeBack(t, running))
	for _, w := range d.workers {
		w.Hangup()
	}
	for site, p := range running {
		p.Stop(t)
		wantSound(t, site, d.database[site])
	}
	t.Logf("%d kills, %d answers held, back after %s at most", kills, d.acks(), recovery.Round(time.Millisecond))
}

// acks is how many answers all workers have got.
func (d *dying) acks() (n int64) {
	for _, w := range d.workers {
		n += w.acks.Load()
	}
	return n
}

// comeBack starts what is down and holds it against every ledger.
func (d *dying) comeBack(t *testing.T, running map[string]*Process) (took time.Duration) {
	t.Helper()
	begin := time.Now()
	var fresh []string
	for _, site := range d.sites {
		if running[site] != nil {
			continue
		}
		if rand.IntN(3) == 0 { // nor may a start be cut short with harm
			p := d.start[site](t)
			time.Sleep(rand.N(100 * time.Millisecond))
			p.Kill()
			begin = time.Now()
		}
		running[site] = d.start[site](t)
		fresh = append(fresh, site)
	}
	for _, site := range fresh {
		d.ready[site](t, running[site])
		took = max(took, time.Since(begin))
		wantSound(t, site, d.database[site])
	}
	for _, w := range d.workers {
		if !slices.Contains(fresh, w.site) {
			continue
		}
		w.Hangup()
		if err := w.audit(); err != nil {
			t.Fatalf("after the restart: %v", err)
		}
	}
	return took
}

// workUntilKilled lets everybody work and kills the victims at some moment.
func (d *dying) workUntilKilled(t *testing.T, running map[string]*Process, victims []string) {
	t.Helper()
	var wait sync.WaitGroup
	var over atomic.Bool
	errs := make([]error, len(d.workers))
	for i, w := range d.workers {
		wait.Go(func() { errs[i] = w.work(over.Load) })
	}
	moment := d.acks() + rand.Int64N(100)
	Eventually(t, time.Minute, "the workers get answers", func() bool { return d.acks() >= moment })
	killed := map[string]bool{}
	for _, site := range victims {
		running[site].Kill()
		killed[site] = true
	}
	over.Store(true)
	wait.Wait()
	for i, err := range errs {
		var gone silence
		if err != nil && (!errors.As(err, &gone) || !killed[d.workers[i].site] && !gone.crossing) {
			t.Fatalf("while everything ran: %v", err)
		}
	}
}

// firstStart kills a pair while it seeds its folder.
func firstStart(t *testing.T, kills int) {
	folder := t.TempDir()
	for range kills {
		p := BeginDev(t, folder, "")
		time.Sleep(rand.N(300 * time.Millisecond)) // the moment is the test
		p.Kill()
	}
	p, file := LaunchDev(t, folder, "")
	defer p.Stop(t)
	c := NewClient(t, file)
	defer c.Hangup()
	for _, site := range file.Sites {
		c.Login(t, site.Name, System)
		for _, org := range site.Organizations {
			c.Login(t, site.Name, org.Name)
		}
		wantSound(t, site.Name, "sqlite://"+filepath.Join(folder, site.Name, "causeway.db"))
	}
	cross := &crossing{stage: &stage{Client: c}}
	cross.connect(t)
	cross.byName(t)
	cross.byID(t)
	cross.roles(t)
}

// orphans are states that no transaction leaves behind: each query counts them.
var orphans = map[string]string{
	"families with a hole in their chain of used tokens": `SELECT count(*) FROM token_families f WHERE f.generation <>
		(SELECT count(*) FROM used_tokens u WHERE u.org_id = f.org_id AND u.family_id = f.id)`,
	"sessions of no family": `SELECT count(*) FROM sessions s WHERE s.kind = 'serviceAccount' AND NOT EXISTS
		(SELECT 1 FROM token_families f WHERE f.org_id = s.org_id AND f.id = s.family_id)`,
	"live sessions of revoked families": `SELECT count(*) FROM sessions s JOIN token_families f ON f.org_id = s.org_id AND f.id = s.family_id
		WHERE s.ended_at = 0 AND f.revoked_at <> 0`,
	"fetched requests more than families":        `SELECT (SELECT count(*) FROM device_requests WHERE state = 'redeemed') - (SELECT count(*) FROM token_families)`,
	"families more than journal rows about them": `SELECT (SELECT count(*) FROM token_families) - (SELECT count(*) FROM journal WHERE action = 'serviceAccount.activated')`,
	"accounts without a journal row": `SELECT count(*) FROM service_accounts a WHERE NOT EXISTS
		(SELECT 1 FROM journal j WHERE j.action = 'serviceAccount.created' AND j.subject_id = a.id)`,
	"journal rows about accounts that are not there": `SELECT count(*) FROM journal j WHERE j.action = 'serviceAccount.created' AND NOT EXISTS
		(SELECT 1 FROM service_accounts a WHERE a.id = j.subject_id)`,
	"users without a journal row": `SELECT (SELECT count(*) FROM users) - (SELECT count(*) FROM journal WHERE action = 'user.created')`,
}

// open looks at a database past the store.
func open(t *testing.T, url string) (db *sql.DB, driver string) {
	t.Helper()
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, driver
}

func count(t *testing.T, url, from string) (n int) {
	t.Helper()
	db, _ := open(t, url)
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+from).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// wantSound verifies the journal's chain and looks for orphans.
func wantSound(t *testing.T, site, url string) {
	t.Helper()
	// Some queries compare two counts, so nothing may happen in between: the
	// workers rest, and what the site does by itself does not count.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	storetest.Intact(t, storetest.Open(t, url))
	db, driver := open(t, url)
	for what, query := range orphans {
		var n int
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d %s (%v)", site, n, what, err)
		}
	}
	if driver != "sqlite" {
		return
	}
	var sound string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("%s: integrity check: %s (%v)", site, sound, err)
	}
	rows, err := db.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if rows.Next() {
		t.Errorf("%s: rows that point nowhere", site)
	}
}
