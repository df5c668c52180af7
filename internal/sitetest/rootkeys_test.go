package sitetest

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// rotation is two sites whose clocks can be put forward together, and an app at
// each that acts at the other.
type rotation struct {
	*Pair
	ahead  atomic.Int64
	access map[string]string // the app's token, by its home
}

func startRotation(t *testing.T) *rotation {
	t.Helper()
	return startRotationOn(t, storetest.SQLite)
}

func startRotationOn(t *testing.T, kind storetest.Kind) *rotation {
	t.Helper()
	r := &rotation{access: map[string]string{}}
	r.Pair = Start(t, kind, Clock(r.now), Adjust(func(c *config.Config) { c.Federation.RootPublishAhead = 25 * time.Minute }))
	for _, site := range []string{"west", "east"} {
		admin := r.Client.Login(t, site, "acme")
		client, _ := r.Client.Account(t, site, admin, r.File.Account.Name)
		r.access[site], _ = r.Client.ConnectAs(t, site, "acme", admin, client)
	}
	return r
}

func (r *rotation) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

// cross has the app of one site act at the other.
func (r *rotation) cross(from, to string) (int, error) {
	h := Bearer(r.access[from], tenantContext, bare(r.Client.Site(to).Org("acme").ID))
	got, err := r.Client.TrySend(http.MethodGet, from, "/sample/inventory", h, nil)
	return got.Status, err
}

func (r *rotation) id(site string) tenants.SiteID { return r.Site(site).Self().ID }

// underLoad does something while requests cross both ways, and wants all of them
// answered.
func (r *rotation) underLoad(t *testing.T, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	var answered atomic.Int64
	for _, way := range [][2]string{{"west", "east"}, {"east", "west"}} {
		for range 2 {
			wait.Go(func() {
				for ctx.Err() == nil {
					if status, err := r.cross(way[0], way[1]); err != nil || status != http.StatusOK {
						t.Errorf("from %s to %s: %d, %v", way[0], way[1], status, err)
						return
					}
					answered.Add(1)
				}
			})
		}
	}
	more := func() {
		n := answered.Load()
		for answered.Load() < n+40 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
	}
	more()
	do()
	more()
	cancel()
	wait.Wait()
	t.Logf("%d requests", answered.Load())
}

// pinned is what one site holds about the key of another.
func (r *rotation) pinned(t *testing.T, at, of string) (a federation.SiteAssociation) {
	t.Helper()
	err := r.Site(at).DB().Federation().View(t.Context(), func(x federation.Reader) (err error) {
		a, err = x.SiteAssociation(r.id(of))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (r *rotation) key(t *testing.T, site string) string {
	t.Helper()
	text, err := links.EncodePublicKey(r.Site(site).Root())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A site changes its root key while requests cross both ways, and none fails; then
// it loses the key, is a stranger, and is associated again (R10, VCD-39).
func TestRootKeys_R10_VCD39(t *testing.T) {
	r := startRotation(t)
	provider := Bearer(r.Client.Login(t, "west", "System"))
	first := r.key(t, "west")
	var signsFrom time.Time
	r.underLoad(t, func() {
		made := r.Client.Post(t, "west", httpapi.OwnAPI+"/siteKeys/rotate", provider, map[string]any{}).Want(t, http.StatusCreated)
		var err error
		if signsFrom, err = time.Parse(time.RFC3339, made.String(t, "signsFrom")); err != nil {
			t.Fatal(err)
		}
		r.follows(t, "the second key is announced", func(a federation.SiteAssociation) bool { return a.PublicKey == first && a.NextKey != "" })
	})
	r.ahead.Add(int64(signsFrom.Add(-3 * time.Second).Sub(r.now())))
	r.settled(t) // cells refuse for a moment: by their clock they have not seen the journal for long
	if r.key(t, "west") != first {
		t.Fatal("the second key signs already")
	}
	r.underLoad(t, func() {
		Eventually(t, 20*time.Second, "the second key signs", func() bool { return r.key(t, "west") != first })
	})
	second := r.key(t, "west")
	r.underLoad(t, func() {
		r.follows(t, "the second key is in use", func(a federation.SiteAssociation) bool { return a.PublicKey == second && a.NextKey == "" })
	})
	if err := r.StopSite(t.Context(), "east"); err != nil { // what was pinned outlives a restart
		t.Fatal(err)
	}
	if err := r.StartSite(t.Context(), "east"); err != nil {
		t.Fatal(err)
	}
	r.Client.Hangup()
	r.settled(t)
	r.underLoad(t, func() {})

	r.loseKey(t, provider)
}

// follows has east ask for west's bundle, which it does only every few seconds,
// until it holds what it should.
func (r *rotation) follows(t *testing.T, what string, holds func(federation.SiteAssociation) bool) {
	t.Helper()
	Eventually(t, 20*time.Second, what, func() bool {
		if err := r.Site("east").RenewBundle(t.Context(), r.id("west")); err != nil {
			t.Error(err)
		}
		return holds(r.pinned(t, "east", "west"))
	})
}

// loseKey retires the key that signs, which nobody can follow.
func (r *rotation) loseKey(t *testing.T, provider http.Header) {
	t.Helper()
	r.retireSigning(t, provider)
	if status, err := r.cross("west", "east"); err != nil || status == http.StatusOK {
		t.Errorf("a stranger is served: %d, %v", status, err)
	}
	east := r.Site("east").DB().Federation()
	a := r.pinned(t, "east", "west")
	a.PublicKey, a.NextKey, a.Bundle, a.BundleSeq = r.key(t, "west"), "", "", 0
	err := east.InTx(t.Context(), func(tx federation.Tx) error {
		if err := tx.PutSiteAssociation(a); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: r.now(), Org: string(tenants.SystemOrgID), Actor: journal.System, Action: journal.SiteLinkKey,
			Subject: journal.Subject{Kind: journal.KindSite, ID: string(a.Site), Name: a.Name},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.settled(t)
}

// retireSigning ends the key that west signs with.
func (r *rotation) retireSigning(t *testing.T, provider http.Header) {
	t.Helper()
	var page struct {
		Values []struct{ Fingerprint, State string }
	}
	keys := r.Client.Get(t, "west", httpapi.OwnAPI+"/siteKeys", provider).Want(t, http.StatusOK)
	if err := json.Unmarshal(keys.Body, &page); err != nil {
		t.Fatal(err)
	}
	for _, k := range page.Values {
		if k.State == "signing" {
			r.Client.Post(t, "west", httpapi.OwnAPI+"/siteKeys/"+k.Fingerprint+"/retire", provider, nil).Want(t, http.StatusOK)
		}
	}
}

// settled waits until requests cross both ways.
func (r *rotation) settled(t *testing.T) {
	t.Helper()
	for _, way := range [][2]string{{"west", "east"}, {"east", "west"}} {
		Eventually(t, 30*time.Second, "requests cross from "+way[0], func() bool {
			status, err := r.cross(way[0], way[1])
			return err == nil && status == http.StatusOK
		})
	}
}
