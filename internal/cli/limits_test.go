package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// accountLimit leaves each account n calls in an hour.
func accountLimit(n int) string {
	return fmt.Sprintf("limits:\n  management:\n    account: {tokens: %d, per: 1h}\n", n)
}

// TestReload_R14 changes the limits of a running cell. What it could not do, and
// what is at fault, it says in its log; a faulty file changes nothing.
func TestReload_R14(t *testing.T) {
	cell := sitetest.NewCell(t, storetest.EmptyURL(t, storetest.SQLite), accountLimit(5))
	cell.Init(t)
	p := cell.Begin(t)
	cell.Ready(t, p)
	c := cell.Client(t)
	defer func() { c.Hangup(); p.Stop(t) }()
	token := c.Login(t, sitetest.SiteName, sitetest.System)
	call := func(status int, limit string) {
		t.Helper()
		a := session(t, c, token).Want(t, status)
		if got := a.Header.Get("RateLimit"); !strings.HasPrefix(got, limit) {
			t.Errorf("RateLimit %q, want %s", got, limit)
		}
	}
	reload := func(change func(string) string, says string) {
		t.Helper()
		text, err := os.ReadFile(cell.Config)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(cell.Config, []byte(change(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		before := strings.Count(p.Err(), says)
		p.Signal(t, syscall.SIGHUP)
		p.AwaitErr(t, 20*time.Second, func(log string) bool { return strings.Count(log, says) > before })
	}
	replace := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}

	call(200, `"account";r=4;`)
	reload(replace("tokens: 5", "tokens: 9"), "was reloaded")
	call(200, `"account";r=7;`) // nobody is forgotten
	reload(func(s string) string {
		return strings.Replace(s, "tokens: 9", "tokens: -3", 1) + "  sundry: 1\nlog: {level: loud}\n"
	}, "was not reloaded")
	call(200, `"account";r=6;`)
	for _, key := range []string{"limits.management.account.tokens", "limits.sundry", "log.level"} {
		if !hasLine(p.Err(), "is at fault", key) {
			t.Errorf("the log does not say that %s is at fault\n%s", key, p.Err())
		}
	}
	reload(func(s string) string {
		s = strings.Replace(s, "tokens: -3", "tokens: 3", 1)
		return strings.Replace(s, "  sundry: 1\nlog: {level: loud}\n", "log: {level: warn}\nsessions: {idle_timeout: 20m}\n", 1)
	}, "restart_for=[sessions.idle_timeout]")
	call(http.StatusTooManyRequests, `"account";r=0;`)
	lines := strings.Count(p.Err(), "\n")
	reload(replace("level: warn", "level: loud"), "log.level") // the log is written in order
	if more := strings.Count(p.Err()[:strings.LastIndex(p.Err(), "is at fault")], "\n") - lines; more > 1 {
		t.Errorf("at level warn %d lines were written for a request\n%s", more, p.Err())
	}
}

// TestCellsShareLimits_R13 runs two cells of one site: together they give no more
// than the site has, what is set for one organization at one counts at the other,
// and the part of a cell that stops comes back to the one that is left.
func TestCellsShareLimits_R13(t *testing.T) {
	const burst = 40
	database := storetest.EmptyURL(t, storetest.Postgres)
	one := sitetest.NewCell(t, database, "")
	two := one.Another(t, database)
	one.Init(t)
	first := one.Begin(t)
	one.Ready(t, first)
	second := two.Begin(t)
	two.Ready(t, second)
	here, there := one.Client(t), two.Client(t)
	live := func(c *sitetest.Cell, n string) func() bool {
		return func() bool { return c.Metric(t, "causeway_cells_live") == n }
	}
	for _, c := range []*sitetest.Cell{one, two} {
		sitetest.Eventually(t, 20*time.Second, "two cells live", live(c, "2"))
	}
	admin := here.Login(t, sitetest.SiteName, sitetest.System)

	// Wrong user codes are divided, and hold exactly.
	tries := func(c *sitetest.Client) (n int) {
		t.Helper()
		for ; n < 20; n++ {
			a := c.Post(t, sitetest.SiteName, "/cloudapi/1.0.0/deviceLookup", sitetest.Bearer(admin), map[string]string{"userCode": "CCCC-CCCC"})
			if a.Status == http.StatusTooManyRequests {
				return n
			}
			a.Want(t, http.StatusNotFound)
		}
		return n
	}
	if a, b := tries(here), tries(there); a != 5 || b != 5 {
		t.Errorf("one person had %d and %d tries at two cells, want 5 each", a, b)
	}

	system := httpapi.OwnAPI + "/organizations/" + string(tenants.SystemOrgID) + "/limits"
	here.Put(t, sitetest.SiteName, system, sitetest.Bearer(admin, "Content-Type", "application/json"), map[string]any{
		"limits": []any{map[string]any{"limit": "management", "bucket": "account", "tokens": 1, "per": "1h", "burst": burst}},
	}).Want(t, http.StatusOK)
	begin := time.Now()
	sitetest.Eventually(t, 10*time.Second, "the organization's limit counts at the other cell", func() bool {
		return strings.HasPrefix(session(t, there, admin).Header.Get("RateLimit-Policy"), fmt.Sprintf(`"account";q=%d;`, burst))
	})
	if took := time.Since(begin); took > time.Second {
		t.Errorf("it took %s", took)
	}

	there.Hangup()
	second.Stop(t)
	sitetest.Eventually(t, 20*time.Second, "one cell lives", live(one, "1"))
	if n := tries(here); n != 5 {
		t.Errorf("%d more tries at the cell that is left, want the 5 of the other", n)
	}
	here.Hangup()
	first.Stop(t)
}
