package route

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	active     = federation.StatusActive
	asymmetric = federation.Asymmetric
)

func TestRows_R10_VCD39(t *testing.T) {
	twoBetas := newWorld().associate(acme, remoteB, "Beta", siteB, active).associate(acme, remoteC, "BETA", siteC, active)
	oneBeta := newWorld().associate(acme, remoteB, "Beta", siteB, active)
	halfBeta := newWorld().associate(acme, remoteB, "Beta", siteB, asymmetric)
	namesake := newWorld().associate(acme, remoteB, "Acme", siteB, active)
	inSite := newWorld().associate(acme, shared, "Shared", self, active)
	systems := newWorld().associate(sysOrgID, sysOrgID, "System", siteB, active)
	down := newWorld().associate(acme, remoteB, "Beta", siteB, active)
	down.peers[siteB] = PeerState{Status: active, Open: true, RetryAfter: 17 * time.Second}
	noSite := newWorld().associate(acme, remoteB, "Beta", siteB, active)
	delete(noSite.peers, siteB)

	for _, tt := range []struct {
		name         string
		w            *world
		s            Session
		auth, tenant string
		row          Row
		want         string // org@site, or a problem code
	}{
		{"no context", oneBeta, tenantSession, "", "", "1", at(acme, self)},
		{"only blanks are no context", oneBeta, tenantSession, "  ", "\t", "1", at(acme, self)},
		{"SDK names the own organization", oneBeta, tenantSession, "Acme", string(acme), "2", at(acme, self)},
		{"provider acts as tenant", oneBeta, providerSession, "Hidden", string(hidden), "2", at(hidden, self)},
		{"provider acts as tenant, URN alone", oneBeta, providerSession, "", "urn:vcloud:org:" + string(hidden), "2", at(hidden, self)},
		{"names differ", oneBeta, providerSession, "Acme", string(hidden), "2", string(problem.BadRequest)},
		{"associated inside the site", inSite, tenantSession, "Shared", string(shared), "2", at(shared, self)},
		{"a tenant may not act as another", oneBeta, tenantSession, "Hidden", string(hidden), "4b", string(problem.Forbidden)},
		{"nor learn its name", oneBeta, tenantSession, "Wrong", string(hidden), "4b", string(problem.Forbidden)},
		{"location elsewhere", twoBetas, tenantSession, at(remoteC, siteC), "", "3", at(remoteC, siteC)},
		{"location here", inSite, tenantSession, at(shared, self), "", "3", at(shared, self)},
		{"location in capitals", twoBetas, tenantSession, strings.ToUpper(at(remoteC, siteC)), "", "3", at(remoteC, siteC)},
		{"location not associated", oneBeta, tenantSession, at(remoteC, siteC), "", "8", string(problem.Forbidden)},
		{"location of a hidden organization", oneBeta, tenantSession, at(hidden, self), "", "8", string(problem.Forbidden)},
		{"location and tenant differ", twoBetas, tenantSession, at(remoteC, siteC), string(remoteB), "3", string(problem.BadRequest)},
		{"remote tenant", oneBeta, tenantSession, "", string(remoteB), "4", at(remoteB, siteB)},
		{"remote tenant with its name", oneBeta, tenantSession, "bETA", "urn:vcloud:org:" + string(remoteB), "4", at(remoteB, siteB)},
		{"remote tenant with another's name", oneBeta, tenantSession, "Acme", string(remoteB), "4", string(problem.BadRequest)},
		{"tenant nobody knows", oneBeta, tenantSession, "", string(nowhere), "4b", string(problem.Forbidden)},
		{"own name stays here", namesake, tenantSession, "aCME", "", "5", at(acme, self)},
		{"the namesake by location", namesake, tenantSession, at(remoteB, siteB), "", "3", at(remoteB, siteB)},
		{"the namesake by tenant", namesake, tenantSession, "Acme", string(remoteB), "4", at(remoteB, siteB)},
		{"System is a no-op for the provider", systems, providerSession, "system", "", "5", at(sysOrgID, self)},
		{"the other System by location", systems, providerSession, at(sysOrgID, siteB), "", "3", at(sysOrgID, siteB)},
		{"a service account's AUTH-CONTEXT", oneBeta, tenantSession, "beta", "", "6", at(remoteB, siteB)},
		{"a name inside the site", inSite, tenantSession, "shared", "", "6", at(shared, self)},
		{"ambiguous", twoBetas, tenantSession, "beta", "", "7", string(problem.AmbiguousAuthContext)},
		{"unknown name", oneBeta, tenantSession, "Nobody", "", "8", string(problem.Forbidden)},
		{"hidden name", oneBeta, tenantSession, "Hidden", "", "8", string(problem.Forbidden)},
		{"System is not a tenant's", systems, tenantSession, "System", "", "8", string(problem.Forbidden)},
		{"percent signs mean themselves", oneBeta, tenantSession, "%42eta", "", "8", string(problem.Forbidden)},
		{"half-made", halfBeta, tenantSession, "Beta", "", "9", string(problem.Forbidden)},
		{"site association missing", noSite, tenantSession, "Beta", "", "9", string(problem.Forbidden)},
		{"breaker open", down, tenantSession, "Beta", "", "10", string(problem.SiteUnreachable)},
		{"tenant not an identifier", oneBeta, tenantSession, "", "Acme", "malformed", string(problem.BadRequest)},
		{"tenant of another kind", oneBeta, tenantSession, "", "urn:vcloud:user:" + string(acme), "malformed", string(problem.BadRequest)},
		{"control character", oneBeta, tenantSession, "Ac\x1bme", "", "malformed", string(problem.BadRequest)},
		{"not UTF-8", oneBeta, tenantSession, "Acme\xc3", "", "malformed", string(problem.BadRequest)},
		{"too long", oneBeta, tenantSession, strings.Repeat("a", 256), "", "malformed", string(problem.BadRequest)},
		{"as long as it may be", oneBeta, tenantSession, strings.Repeat("a", 255), "", "8", string(problem.Forbidden)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Decide(Input{Self: self, Session: tt.s, AuthContext: tt.auth, TenantContext: tt.tenant, View: tt.w})
			if got := outcome(d); d.Row != tt.row || got != tt.want {
				t.Fatalf("row %s, %s; want row %s, %s", d.Row, got, tt.row, tt.want)
			}
		})
	}
}

func outcome(d Decision) string {
	if d.Kind == Refuse {
		return string(d.Problem.Code)
	}
	return at(d.Org, d.Site)
}

func TestForwardedIsNeverForwarded_R10_I3(t *testing.T) {
	w := newWorld().associate(acme, remoteB, "Beta", siteB, active)
	for _, tt := range []struct {
		name              string
		dst               tenants.OrgID
		auth, tenant, via string
		want              string
	}{
		{"here", acme, "", "", "", at(acme, self)},
		{"named again", acme, "ACME", "", "", at(acme, self)},
		{"located again", acme, at(acme, self), string(acme), "", at(acme, self)},
		{"not here", remoteB, "", "", "", string(problem.Misdirected)},
		{"a third organization", acme, "Beta", "", "", string(problem.Misdirected)},
		{"a third, by location", acme, at(remoteB, siteB), "", "", string(problem.Misdirected)},
		{"another local one", acme, "Shared", "", "", string(problem.Misdirected)},
		{"another tenant", acme, "", string(shared), "", string(problem.Misdirected)},
		{"a loop", acme, "", "", "via", string(problem.LoopDetected)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Decide(Input{
				Self: self, Forwarded: true, Dst: tt.dst, AuthContext: tt.auth, TenantContext: tt.tenant,
				ViaSelf: tt.via != "", View: w, Session: tenantSession, // which must not matter
			})
			if got := outcome(d); got != tt.want {
				t.Fatalf("%s; want %s", got, tt.want)
			}
		})
	}
}

// TestUnknownAndForbiddenAreOneAnswer_R6_R10_I5: not only the code, every byte.
func TestUnknownAndForbiddenAreOneAnswer_R6_R10_I5(t *testing.T) {
	w := newWorld().associate(shared, remoteB, "Beta", siteB, active) // somebody else's
	ask := func(auth, tenant string) Decision {
		d := Decide(Input{Self: self, Session: tenantSession, AuthContext: auth, TenantContext: tenant, View: w})
		d.Row, d.Problem.Facts = "", nil // stay inside
		return d
	}
	want := ask("Nobody", "")
	for _, q := range [][2]string{
		{"Hidden", ""}, {"Beta", ""}, {at(hidden, self), ""}, {at(remoteB, siteB), ""}, {at(nowhere, self), ""},
		{"", string(hidden)}, {"", string(nowhere)}, {"", string(remoteB)},
		{"Hidden", string(hidden)}, {"Wrong", string(hidden)}, {"Hidden", string(nowhere)}, {at(hidden, self), string(hidden)},
	} {
		if got := ask(q[0], q[1]); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", q, got, want)
		}
	}
}

// TestOrderDoesNotMatter_R10_I9: cells read associations in any order.
func TestOrderDoesNotMatter_R10_I9(t *testing.T) {
	for _, w := range everyWorld() {
		for _, auth := range []string{"beta", "Shared", at(remoteB, siteC), string(remoteB)} {
			in := Input{Self: self, Session: tenantSession, AuthContext: auth, View: w}
			if auth == string(remoteB) { // at two sites
				in.AuthContext, in.TenantContext = "", auth
			}
			want := Decide(in)
			shuffled := *w
			shuffled.assocs = slices.Clone(w.assocs)
			rand.Shuffle(len(shuffled.assocs), func(i, j int) {
				shuffled.assocs[i], shuffled.assocs[j] = shuffled.assocs[j], shuffled.assocs[i]
			})
			in.View = &shuffled
			if got := Decide(in); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: %+v, then %+v", auth, want, got)
			}
		}
	}
}

// TestForeignClaimOpensNothingHere_R6_R10: a hostile site may say that one of our
// organizations is its own. Being associated with that claim must not lead to ours.
func TestForeignClaimOpensNothingHere_R6_R10(t *testing.T) {
	w := newWorld().associate(acme, hidden, "Hidden", siteB, active)
	for _, in := range []Input{
		{TenantContext: string(hidden)}, {AuthContext: "Hidden"}, {AuthContext: "Hidden", TenantContext: string(hidden)},
		{AuthContext: at(hidden, self)}, {AuthContext: at(hidden, siteB)},
	} {
		in.Self, in.Session, in.View = self, tenantSession, w
		if d := Decide(in); d.Kind == Local {
			t.Errorf("%q %q: row %s", in.AuthContext, in.TenantContext, d.Row)
		}
	}
}

func TestAmbiguousNamesOnlyWhatTheSessionMayReach_R6_VCD39(t *testing.T) {
	w := newWorld().associate(acme, remoteB, "Hidden", siteB, active).associate(acme, remoteC, "hidden", siteC, active)
	d := Decide(Input{Self: self, Session: tenantSession, AuthContext: "Hidden", View: w})
	if d.Row != RowAmbiguous || !strings.Contains(d.Problem.Detail, at(remoteB, siteB)) || !strings.Contains(d.Problem.Detail, at(remoteC, siteC)) {
		t.Fatalf("%+v", d)
	}
	if strings.Contains(d.Problem.Detail, string(hidden)) {
		t.Fatal("an organization that the session may not reach is listed")
	}
}

// TestHalfMadeAssociationLeavesNamesAlone_R10: whoever uploads a site's data
// must not break a name that works.
func TestHalfMadeAssociationLeavesNamesAlone_R10(t *testing.T) {
	w := newWorld().associate(acme, shared, "Shared", self, active).associate(acme, remoteB, "Shared", siteB, asymmetric)
	d := Decide(Input{Self: self, Session: tenantSession, AuthContext: "shared", View: w})
	if d.Row != RowByName || d.Org != shared {
		t.Fatalf("%+v", d)
	}
}

func TestRetryAfterOfAnUnreachableSite_R13(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{0: 5 * time.Second, 17 * time.Second: 17 * time.Second, time.Hour: 30 * time.Second} {
		w := newWorld().associate(acme, remoteB, "Beta", siteB, active)
		w.peers[siteB] = PeerState{Status: active, Open: true, RetryAfter: wait}
		d := Decide(Input{Self: self, Session: tenantSession, AuthContext: "Beta", View: w})
		if d.Problem.RetryAfter != want {
			t.Errorf("%v: %v", wait, d.Problem.RetryAfter)
		}
	}
}
