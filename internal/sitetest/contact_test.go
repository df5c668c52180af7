package sitetest

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/config"
	"causeway/internal/journal"
	"causeway/internal/site"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// quickly has sites make contact each second.
func quickly(c *config.Config) { c.Federation.Heartbeat = time.Second }

// statusAt is what a site holds of the other one.
func statusAt(t *testing.T, s *site.Site, other tenants.SiteID) federation.SiteAssociation {
	t.Helper()
	var a federation.SiteAssociation
	if err := s.DB().Federation().View(t.Context(), func(r federation.Reader) (err error) {
		a, err = r.SiteAssociation(other)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

// change does what an administrator would at one site, with its entry.
func change(t *testing.T, s *site.Site, action journal.Action, other tenants.SiteID, do func(federation.Tx) error) {
	t.Helper()
	if err := s.DB().Federation().InTx(t.Context(), func(tx federation.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: time.Now(), Org: string(tenants.SystemOrgID), Actor: journal.System, Action: action,
			Subject: journal.Subject{Kind: journal.KindSite, ID: string(other), Name: "the other"},
		})
	}); err != nil {
		t.Fatal(err)
	}
}

// Between two real sites: what one removes the other sees, also through the
// refusal of a handshake; the second half makes both ACTIVE within 5 s (VCD-37,
// I6); a site that is gone is UNREACHABLE and the other one serves on (I8), and
// comes back by itself.
func TestContact_VCD_37_I6_I8_TwoSites(t *testing.T) {
	p := Start(t, storetest.SQLite, Adjust(quickly))
	west, east := p.Site("west"), p.Site("east")
	is := func(at *site.Site, other tenants.SiteID, want federation.Status) func() bool {
		return func() bool { return statusAt(t, at, other).Status == want }
	}
	kept := statusAt(t, east, west.Self().ID)

	start := time.Now()
	change(t, east, journal.SiteLinkRemoved, west.Self().ID, func(tx federation.Tx) error { return tx.DeleteSiteAssociation(west.Self().ID) })
	Eventually(t, 10*time.Second, "west sees that east has removed the association", is(west, east.Self().ID, federation.Asymmetric))
	t.Logf("removal seen after %v", time.Since(start))
	if a := statusAt(t, west, east.Self().ID); a.Status != federation.Asymmetric || a.Reason == "" {
		t.Errorf("without an association there: %s, %q", a.Status, a.Reason)
	}

	start = time.Now()
	kept.Status, kept.Reason = federation.Asymmetric, ""
	change(t, east, journal.SiteAssociated, west.Self().ID, func(tx federation.Tx) error { return tx.PutSiteAssociation(kept) })
	Eventually(t, 5*time.Second, "both are ACTIVE", func() bool {
		return is(west, east.Self().ID, federation.StatusActive)() && is(east, west.Self().ID, federation.StatusActive)()
	})
	t.Logf("both ACTIVE after %v", time.Since(start))
	if got := peersHealth(t, west); len(got) != 1 || got[0].Status != "ACTIVE" || got[0].Latency <= 0 || got[0].Their != "ACTIVE" {
		t.Errorf("/health/peers: %+v", got)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	start = time.Now()
	if err := p.StopSite(ctx, "east"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("a site that ends waited %v: for questions of the other?", took)
	}
	start = time.Now()
	Eventually(t, 20*time.Second, "east is UNREACHABLE", is(west, east.Self().ID, federation.Unreachable))
	t.Logf("UNREACHABLE after %v", time.Since(start))
	start = time.Now()
	p.Client.Login(t, "west", System)
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("a login here took %v while the other site was gone", took)
	}
	if err := p.StartSite(ctx, "east"); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	Eventually(t, 10*time.Second, "east is ACTIVE again", is(west, p.Site("east").Self().ID, federation.StatusActive))
	t.Logf("ACTIVE again after %v", time.Since(start))
}

type peerView struct {
	Status  string  `json:"status"`
	Their   string  `json:"theirStatus"`
	Latency float64 `json:"latencySeconds"`
}

func peersHealth(t *testing.T, s *site.Site) []peerView {
	t.Helper()
	res, err := http.Get("http://" + s.Addr("operations") + "/health/peers")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body struct {
		Peers []peerView `json:"peers"`
	}
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return body.Peers
}
