package route

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"causeway/federation"
	"causeway/tenants"
)

// The order in which associations are read must change no decision: each cell
// reads them by itself (I9). A name that exists at no site and one that exists
// where this session is not associated give one answer (I5).
func TestDecide_I5_I9_OrderAndOtherTenantsChangeNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	statuses := []federation.Status{federation.Asymmetric, federation.StatusActive, federation.Unreachable, federation.StatusError}
	names := []string{"Acme", "acme", "Beta", "Gamma", "System", "Shared"}
	orgs := []tenants.OrgID{acme, shared, hidden, remoteB, remoteC, sysOrgID}
	sites := []tenants.SiteID{self, siteB, siteC}
	for range 3000 {
		w := newWorld()
		taken := map[tenants.LocationID]bool{}
		for range r.IntN(8) {
			l := tenants.LocationID{Org: orgs[r.IntN(len(orgs))], Site: sites[r.IntN(len(sites))]}
			if !taken[l] {
				taken[l] = true
				w.associate(acme, l.Org, names[r.IntN(len(names))], l.Site, statuses[r.IntN(len(statuses))])
			}
		}
		in := Input{Self: self, Session: tenantSession, View: w, AuthContext: append(names, at(remoteB, siteB), "Elsewhere")[r.IntN(len(names)+2)]}
		if r.IntN(2) == 0 {
			in.TenantContext = string(orgs[r.IntN(len(orgs))])
		}
		want := Decide(in)
		shuffled := *w
		shuffled.assocs = slices.Clone(w.assocs)
		r.Shuffle(len(shuffled.assocs), func(i, j int) {
			shuffled.assocs[i], shuffled.assocs[j] = shuffled.assocs[j], shuffled.assocs[i]
		})
		shuffled.associate(hidden, nowhere, "Elsewhere", siteC, federation.StatusActive) // another tenant's
		in.View = &shuffled
		if got := Decide(in); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q %q\n%+v\ngot  %+v\nwant %+v", in.AuthContext, in.TenantContext, w.assocs, got, want)
		}
	}
}

// A book finds what a search through the list finds.
func TestBook_FindsWhatTheListHolds(t *testing.T) {
	w := newWorld()
	for i := range 500 {
		w.associate(acme, numbered(i%300), fmt.Sprintf("Name%d", i%7), []tenants.SiteID{siteB, siteC}[i/300], federation.StatusActive)
	}
	b := w.Associations(acme)
	if b.Len() != 500 {
		t.Fatalf("%d associations", b.Len())
	}
	for _, a := range w.assocs {
		i, ok := b.Find(a.Location())
		if !ok || b.At(i).Name != a.RemoteName {
			t.Fatalf("%v is not found", a.Location())
		}
	}
	for i := range 300 {
		n := 0
		b.ofOrg(numbered(i), func(Held) { n++ })
		if want := 1 + (500-i-1)/300; n != want {
			t.Fatalf("organization %d: %d associations, want %d", i, n, want)
		}
	}
	named := 0
	for i := range 7 {
		b.Named(fmt.Sprintf("name%d", i), func(Held) { named++ })
	}
	if named != 500 {
		t.Errorf("%d found by name", named)
	}
	var none *Book
	if _, ok := none.Find(tenants.LocationID{}); ok || none.Len() != 0 {
		t.Error("nothing holds something")
	}
	if _, ok := b.get(tenants.LocationID{Org: nowhere, Site: siteB}); ok {
		t.Error("what is not held is found")
	}
}

func numbered(i int) tenants.OrgID {
	return tenants.OrgID(fmt.Sprintf("30000000-0000-4000-8000-%012d", i))
}

// large holds many associations of one organization.
type large struct {
	*world
	book *Book
}

func (l large) Associations(tenants.OrgID) *Book { return l.book }

// BenchmarkDecide is one decision for an organization with that many
// associations: a few, a provider's with every other site, and all that a large
// site has.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{5, 300, 100_000} {
		w := newWorld()
		for i := range n {
			w.associate(acme, numbered(i), fmt.Sprintf("Tenant%d", i), siteB, federation.StatusActive)
		}
		view := large{w, NewBook(w.assocs)}
		for name, in := range map[string]Input{
			"name":     {AuthContext: fmt.Sprintf("tenant%d", n/2)},
			"location": {AuthContext: at(numbered(n/2), siteB)},
			"tenant":   {TenantContext: string(numbered(n / 2))},
			"unknown":  {AuthContext: "tenant"},
		} {
			in.Self, in.Session, in.View = self, tenantSession, view
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Decide(in)
				}
			})
		}
	}
}
