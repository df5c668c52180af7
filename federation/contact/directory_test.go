package contact

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/tenants"
)

var (
	pairW = federation.Pair{Local: orgW, Remote: orgE} // as west holds it
	pairE = federation.Pair{Local: orgE, Remote: orgW}
)

func (c *cell) holds(pair federation.Pair, want federation.Status) func() bool {
	return func() bool { return c.org(pair).Status == want }
}

// newAssociated is two sites that are associated for a while.
func newAssociated(t *testing.T) (w, e *cell, we, ew *link) {
	t.Helper()
	w, e, we, ew = newPair(t)
	w.associate(east, act)
	e.associate(west, act)
	e.named(orgE, "Globex", true)
	w.named(orgW, "Acme", true)
	time.Sleep(time.Minute)
	return w, e, we, ew
}

// An association of organizations is ACTIVE within seconds of its second half, and
// ASYMMETRIC when one half is gone (VCD-37, I6).
func TestDirectory_VCD_37_OrganizationsFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, _, _ := newAssociated(t)
		w.pair(orgW, orgE, east, true)
		time.Sleep(30 * time.Second)
		if a := w.org(pairW); a.Status != asym {
			t.Fatalf("with one half: %s", a.Status)
		}
		e.pair(orgE, orgW, west, true)
		took := within(t, 5*time.Second, "both ACTIVE", func() bool { return w.holds(pairW, act)() && e.holds(pairE, act)() })
		t.Logf("both ACTIVE after %v", took)
		if a := w.org(pairW); a.RemoteName != "Globex" || !a.RemoteEnabled {
			t.Errorf("the other is known as %q, enabled %v", a.RemoteName, a.RemoteEnabled)
		}
		e.pair(orgE, orgW, west, false)
		took = within(t, 10*time.Second, "ASYMMETRIC", w.holds(pairW, asym))
		t.Logf("ASYMMETRIC after %v", took)
		if reason := w.org(pairW).Reason; reason != reasonOneSided {
			t.Errorf("because %q", reason)
		}
		e.pair(orgE, orgW, west, true)
		within(t, 10*time.Second, "ACTIVE again", w.holds(pairW, act))
	})
}

// A rename and a disabling reach the sites that hold an association, and no
// outage makes them miss it.
func TestDirectory_RenamesAndStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, we, ew := newAssociated(t)
		w.pair(orgW, orgE, east, true)
		e.pair(orgE, orgW, west, true)
		time.Sleep(15 * time.Second)
		e.named(orgE, "Initech", false)
		within(t, 13*time.Second, "the new name", func() bool { a := w.org(pairW); return a.RemoteName == "Initech" && !a.RemoteEnabled })
		we.set(true)
		ew.set(true)
		e.named(orgE, "Hooli", true)
		for range 2 * maxRemembered { // more than is remembered
			e.record(journal.Entry{Action: journal.OrganizationUpdated, Subject: journal.Subject{Kind: journal.KindOrganization, ID: tenants.NewID()}})
		}
		time.Sleep(5 * time.Minute)
		we.set(false)
		ew.set(false)
		within(t, 20*time.Second, "the newest name", func() bool { a := w.org(pairW); return a.RemoteName == "Hooli" && a.RemoteEnabled })
		if a := w.org(pairW); a.Status != act {
			t.Errorf("status %s", a.Status)
		}
		e.named(orgE, "with\x00control", true)
		time.Sleep(30 * time.Second)
		if a := w.org(pairW); a.RemoteName != "Hooli" {
			t.Errorf("a name that none can have was believed: %q", a.RemoteName)
		}
	})
}

// A site whose organization takes the name of another does not change what that
// name means here: the old one stays, and everything else is believed.
func TestDirectory_R10_ARenameTakesNobodysName(t *testing.T) {
	const namesake, third = tenants.OrgID("cccccccc-0000-4000-8000-000000000001"), tenants.SiteID("33333333-3333-4333-8333-333333333333")
	synctest.Test(t, func(t *testing.T) {
		w, e, _, _ := newAssociated(t)
		w.pair(orgW, namesake, third, true)
		other := federation.Pair{Local: orgW, Remote: namesake}
		w.memory.mu.Lock()
		held := w.orgs[other]
		held.RemoteName = "Initech"
		w.orgs[other] = held
		w.memory.mu.Unlock()
		w.pair(orgW, orgE, east, true)
		e.pair(orgE, orgW, west, true)
		within(t, 10*time.Second, "ACTIVE", w.holds(pairW, act))
		enabled := true
		for _, name := range []string{"iNITECH", "ACME", "system"} {
			enabled = !enabled
			e.named(orgE, name, enabled)
			within(t, 13*time.Second, "whether it is enabled", func() bool { return w.org(pairW).RemoteEnabled == enabled })
			if got := w.org(pairW).RemoteName; got != "Globex" {
				t.Errorf("%q was taken over: %q", name, got)
			}
		}
		e.named(orgE, "GLOBEX", true)
		within(t, 13*time.Second, "its own name in other letters", func() bool { return w.org(pairW).RemoteName == "GLOBEX" })
		e.named(orgE, "Hooli", true)
		within(t, 13*time.Second, "a name of its own", func() bool { return w.org(pairW).RemoteName == "Hooli" })
	})
}

// A directory that cannot be read whole, because some tenant there fills it, keeps
// nobody's own associations from being asked about.
func TestDirectory_R10_I8_OneTenantFillsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, we, _ := newPair(t)
		we.answers(func(r *http.Request) *http.Response {
			if r.URL.Path == OrgsPath && !r.URL.Query().Has("pair") {
				return response(http.StatusServiceUnavailable, nil)
			}
			return nil
		})
		w.associate(east, act)
		e.associate(west, act)
		e.named(orgE, "Globex", true)
		time.Sleep(time.Minute)
		w.pair(orgW, orgE, east, true)
		e.pair(orgE, orgW, west, true)
		within(t, 15*time.Second, "ACTIVE", w.holds(pairW, act))
	})
}

// A site that always has news and never says which, has us read its directory now
// and then, not with each of its heartbeats.
func TestDirectory_R10_WholeReadingsAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, we, _ := newAssociated(t)
		for i := range 240 {
			e.record(journal.Entry{Action: journal.OrganizationDeleted, Subject: journal.Subject{Kind: journal.KindOrganization, ID: fmt.Sprint(i)}})
			if _, err := w.Hear(t.Context(), east, Heartbeat{Site: east, Head: e.Applied(), HoldsYou: true}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		// Two questions each: what changed, and then everything.
		if n := we.asked(OrgsPath); n > 2*(240/30+4) {
			t.Errorf("%d questions about organizations in four minutes", n)
		}
		e.named(orgE, "Hooli", true)
		w.pair(orgW, orgE, east, true)
		e.pair(orgE, orgW, west, true)
		within(t, 10*time.Second, "what was touched here is asked about at once", w.holds(pairW, act))
	})
}

// Thousands of pairs are read in pages, and a quiet minute asks for none of them.
func TestDirectory_Pages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, we, _ := newPair(t)
		const n = maxPairs + 7
		for i := range n {
			one, other := tenants.OrgID(fmt.Sprintf("cccccccc-0000-4000-8000-%012d", i)), tenants.OrgID(fmt.Sprintf("dddddddd-0000-4000-8000-%012d", i))
			w.pair(one, other, east, true)
			if i%3 > 0 {
				e.pair(other, one, west, true)
				e.names[other] = federation.Shared{Name: "as posted", Enabled: true}
			}
		}
		w.associate(east, act)
		e.associate(west, act)
		count := func() (active int) {
			for _, a := range w.orgs {
				if a.Status == act {
					active++
				}
			}
			return active
		}
		want := n - (n+2)/3
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := count(); got != want {
			t.Errorf("%d of %d pairs are ACTIVE, want %d", got, n, want)
		}
		before := we.asked(OrgsPath)
		time.Sleep(3 * time.Minute)
		if asked := we.asked(OrgsPath) - before; asked > 0 {
			t.Errorf("%d questions about organizations although nothing changed", asked)
		}
	})
}

// TestDirectory_R10_GoesOnAfterARefusal: a page that was asked for too soon is
// asked for again, and those before it are not.
func TestDirectory_R10_GoesOnAfterARefusal(t *testing.T) {
	for name, tt := range map[string]struct {
		refusals int
		says     string
		pages    int // asked for in the first two minutes
	}{
		"once":            {1, "", 4},
		"as it says":      {2, "3", 5},
		"again and again": {1000, "0", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, e, we, _ := newPair(t)
				for i := range 2*maxPairs + 7 {
					one, other := tenants.OrgID(fmt.Sprintf("cccccccc-0000-4000-8000-%012d", i)), tenants.OrgID(fmt.Sprintf("dddddddd-0000-4000-8000-%012d", i))
					if e.pair(other, one, west, true); i%50 == 0 {
						w.pair(one, other, east, true)
					}
				}
				first, asked, refused, lastRefused := 0, 0, 0, time.Now()
				we.answers(func(r *http.Request) *http.Response {
					if r.URL.Path != OrgsPath || r.URL.Query().Has("pair") || r.URL.Query().Has("since") {
						return nil
					}
					asked++
					if !r.URL.Query().Has("after") {
						first++
						lastRefused = time.Time{}
						return nil
					}
					if refused > 0 && refused < tt.refusals && time.Since(lastRefused) < slower {
						t.Errorf("asked again after %v", time.Since(lastRefused))
					}
					if refused == tt.refusals {
						return nil
					}
					refused++
					lastRefused = time.Now()
					no := response(http.StatusTooManyRequests, nil)
					no.Header.Set("Retry-After", tt.says)
					return no
				})
				w.associate(east, act)
				e.associate(west, act)
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				we.mu.Lock()
				defer we.mu.Unlock()
				if tt.pages > 0 && (first != 1 || asked != tt.pages) {
					t.Errorf("%d pages were asked for, the first one %d times", asked, first)
				}
				if tt.pages == 0 && (asked > 100 || first < 2) {
					t.Errorf("a site that only refuses was asked %d times, and %d times from the beginning", asked, first)
				}
			})
		})
	}
}

// However often a site changes its mind, rows of ours change at a bounded rate.
func TestDirectory_R10_APeerCannotMakeUsWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, _, _ := newPair(t)
		for i := range 200 {
			one, other := tenants.OrgID(fmt.Sprintf("cccccccc-0000-4000-8000-%012d", i)), tenants.OrgID(fmt.Sprintf("dddddddd-0000-4000-8000-%012d", i))
			w.pair(one, other, east, true)
			e.pair(other, one, west, true)
		}
		w.associate(east, act)
		e.associate(west, act)
		for round := range 20 {
			e.memory.mu.Lock()
			for p := range e.orgs {
				e.names[p.Local] = federation.Shared{Name: fmt.Sprint("round ", round), Enabled: round%2 == 0}
			}
			e.memory.mu.Unlock()
			for range maxRemembered / 20 {
				e.record(journal.Entry{Action: journal.OrganizationDeleted, Subject: journal.Subject{Kind: journal.KindOrganization, ID: "x"}})
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		if n, limit := w.written(), writesAtOnce+200*writesPerSecond+2*200; n > limit {
			t.Errorf("%d rows were changed in three minutes, more than %d", n, limit)
		}
	})
}

// A site is told about what is held with it, whatever it asks (R6).
func TestOrgs_R6_NothingAboutOthers(t *testing.T) {
	const third = tenants.SiteID("33333333-3333-4333-8333-333333333333")
	e := newCell(east)
	e.associate(west, act)
	e.associate(third, act)
	e.named(orgE, "Globex", true)
	since := e.Applied()
	e.pair(orgE, orgW, third, true) // even with an organization that has the asker's id
	e.named(orgE, "Initech", true)
	for name, q := range map[string]OrgQuery{
		"everything": {Limit: 100}, "what changed": {Since: since, Limit: 100}, "the pair": {Pairs: []federation.Pair{pairE}},
	} {
		page, err := e.Orgs(t.Context(), west, q)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, p := range page.Pairs {
			if p.Held || p.Name != "" || p.Enabled || name != "the pair" {
				t.Errorf("%s: told of %+v", name, p)
			}
		}
		theirs, err := e.Orgs(t.Context(), third, q)
		if err != nil || len(theirs.Pairs) != 1 || theirs.Pairs[0].Name != "Initech" {
			t.Errorf("%s: its own site is told %+v, %v", name, theirs, err)
		}
	}
	if _, err := e.Orgs(t.Context(), "44444444-4444-4444-8444-444444444444", OrgQuery{}); err == nil {
		t.Error("a stranger is answered")
	}
}

func FuzzParseOrgQuery(f *testing.F) {
	f.Add("since=3&limit=10&after=" + url.QueryEscape(pairText(pairE)))
	f.Add("pair=" + url.QueryEscape(pairText(pairE)) + "&pair=a,b")
	f.Add("since=-1&limit=99999999999999999999")
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := ParseOrgQuery(v)
		if err != nil {
			return
		}
		if q.Since < 0 || q.Limit < 1 || q.Limit > maxPairs || len(q.Pairs) > maxAsked {
			t.Errorf("%q: %+v", raw, q)
		}
		again, err := ParseOrgQuery(q.values())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(q) {
			t.Errorf("%q: %+v, written and read %+v, %v", raw, q, again, err)
		}
	})
}

// FuzzRetryAfter: whatever a site says, it is a time that has an end.
func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"", "3", "-1", "99999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "0x10", "1.5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d := retryAfter(http.Header{"Retry-After": {text}}); d < 0 || d > 65535*time.Second {
			t.Errorf("%q is %v", text, d)
		}
	})
}
