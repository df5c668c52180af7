package sitetest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/store/storetest"
	"causeway/internal/tokenfile"
)

// TestKillSoak kills the site and its clients, each by SIGKILL at any moment. A
// client that saves its token before it uses the next never loses its account, and
// nobody is taken for a thief.
func TestKillSoak(t *testing.T) {
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		t.Run("R3 VCD-18 VCD-19 no account is lost, whoever dies", func(t *testing.T) {
			refreshes := int64(100)
			if soaking {
				refreshes = 10_000
			}
			killing(t, storetest.URL(t, kind), refreshes)
		})
	})
}

// manyRefreshes lifts the limits that keep an honest client from refreshing all day.
const manyRefreshes = `limits:
  token_refresh:
    account: {tokens: 500000, per: 1s}
    org: {tokens: 1000000, per: 1s}
`

func killing(t *testing.T, database string, refreshes int64) {
	cell := NewCell(t, database, manyRefreshes)
	cell.Init(t)
	site := cell.Begin(t)
	cell.Ready(t, site)
	defer func() { site.Kill() }()
	c := cell.Client(t)
	admin := c.Login(t, SiteName, System)
	var saved atomic.Int64
	var apps []*refresher
	for i := range 3 {
		app := newRefresher(t, c, admin, fmt.Sprintf("app-%d", i), filepath.Join(t.TempDir(), "token.json"), &saved)
		app.begin(t)
		defer func() { app.kill() }()
		apps = append(apps, app)
	}
	siteKills := 0
	for saved.Load() < refreshes {
		moment := saved.Load() + rand.Int64N(max(refreshes/100, 12))
		Eventually(t, time.Minute, "tokens are saved", func() bool { return saved.Load() >= moment || refusedOne(apps) != "" })
		if said := refusedOne(apps); said != "" {
			t.Fatal(said)
		}
		if rand.IntN(5) == 0 {
			site.Kill()
			siteKills++
			site = cell.Begin(t)
			cell.Ready(t, site)
			continue
		}
		app := apps[rand.IntN(len(apps))]
		app.kill()
		app.begin(t)
	}
	clientKills := 0
	for _, app := range apps {
		app.kill()
		clientKills += app.kills - 1
	}
	c.Hangup()
	admin = c.Login(t, SiteName, System)
	for _, app := range apps {
		app.wantWell(t, c, admin)
	}
	c.Hangup()
	site.Stop(t)
	wantSound(t, SiteName, database)
	if alarms := count(t, database, "journal WHERE action = '"+string(journal.FamilyReplayed)+"'"); alarms != 0 {
		t.Errorf("%d honest clients were taken for thieves", alarms)
	}
	t.Logf("%d refreshes saved, %d in the database, %d kills of clients, %d of the site: no account lost",
		saved.Load(), count(t, database, "used_tokens"), clientKills, siteKills)
}

// refusedOne is what a refresher that lost its account was told, or "".
func refusedOne(apps []*refresher) string {
	for _, app := range apps {
		if said := app.said.Load(); said != nil {
			return app.name + " lost its account: " + *said
		}
	}
	return ""
}

// wantWell wants the token in the file to refresh still.
func (r *refresher) wantWell(t *testing.T, c *Client, admin string) {
	t.Helper()
	if said := r.said.Load(); said != nil {
		t.Errorf("%s lost its account: %s", r.name, *said)
	}
	token, err := tokenfile.Read(r.file)
	if err != nil {
		t.Fatal(err)
	}
	c.Refresh(t, SiteName, System, token.Refresh.Reveal()).Want(t, http.StatusOK)
	if _, account := c.Account(t, SiteName, admin, r.name); account["status"] != "ACTIVE" {
		t.Errorf("%s is %v", r.name, account["status"])
	}
}
