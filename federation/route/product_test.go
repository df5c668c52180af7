package route

import (
	"slices"
	"testing"

	"causeway/federation"
	"causeway/tenants"
)

// TestEveryCombinationMatchesTheTable_R10_VCD39 walks the whole product of small
// domains and compares each decision with the oracle's.
func TestEveryCombinationMatchesTheTable_R10_VCD39(t *testing.T) {
	rows := map[Row]int{}
	n := 0
	everyInput(func(in Input, w *world) {
		n++
		want := oracle(in, w)
		got := Decide(in)
		rows[got.Row]++
		if !same(got, want) {
			t.Fatalf("%+v\nassociations %+v\npeers %+v\ngot  %+v\nwant %+v", in, w.assocs, w.peers, got, want)
		}
		checkInvariants(t, in, w, got)
	})
	for _, row := range []Row{"0", "1", "2", "3", "3b", "4", "4b", "5", "6", "7", "8", "9", "10", "11", "malformed"} {
		if rows[row] == 0 {
			t.Errorf("row %s was never reached", row)
		}
	}
	t.Logf("%d combinations, by row %v", n, rows)
}

func same(d Decision, want expect) bool {
	if d.Row != want.row || d.Kind != want.kind || d.Org != want.loc.Org || d.Site != want.loc.Site {
		return false
	}
	if (d.Problem == nil) != (want.code == "") || d.Problem != nil && d.Problem.Code != want.code {
		return false
	}
	var also []string
	for _, c := range d.Candidates {
		also = append(also, c.String())
	}
	return slices.Equal(also, want.also)
}

// checkInvariants holds for each input alone.
func checkInvariants(t *testing.T, in Input, w *world, d Decision) {
	t.Helper()
	if in.Forwarded && d.Kind == Peer {
		t.Fatalf("I3: forwarded twice: %+v", in)
	}
	if (d.Kind == Refuse) != (d.Problem != nil) {
		t.Fatalf("a refusal and a problem belong together: %+v", d)
	}
	if d.Kind == Peer {
		// I1: nothing leaves without both associations complete.
		ok, through := w.peers[d.Site].Status == federation.StatusActive, d.Org
		if d.Row == RowTheirTenant {
			through = sysOrgID
		}
		ok = ok && slices.ContainsFunc(w.associations(in.Session.Org), func(a federation.OrgAssociation) bool {
			return a.Remote == through && a.Site == d.Site && a.Status == federation.StatusActive
		})
		if !ok || d.Site == in.Self {
			t.Fatalf("I1: left the site without an association: %+v", in)
		}
		if d.Row == RowTheirTenant && !in.Session.Provider {
			t.Fatalf("R6: a tenant acts as another site's provider: %+v", in)
		}
	}
	if d.Kind == Local && !in.Forwarded && !in.Session.Provider && d.Org != in.Session.Org &&
		!slices.ContainsFunc(w.associations(in.Session.Org), func(a federation.OrgAssociation) bool {
			return a.Remote == d.Org && a.Site == in.Self && a.Status != federation.Asymmetric
		}) {
		t.Fatalf("R6: a tenant reached %s unasked: %+v", d.Org, in)
	}
}

// everyInput calls f for each element of the product.
func everyInput(f func(Input, *world)) {
	auths := []string{
		"", "acme", "ACME", "System", "Shared", "Hidden", "Beta", "Nobody", "näme", "a@b",
		at(acme, self), at(shared, self), at(hidden, self), at(remoteB, siteB), at(remoteC, siteC), at(remoteB, siteC),
		at(nowhere, siteB), at(sysOrgID, siteB),
	}
	malformed := []string{"bad\x00name", "bad\u0085name", "\xff"}
	tenantValues := []string{
		"", string(acme), "urn:vcloud:org:" + string(acme), string(shared), string(hidden), string(remoteB),
		"urn:vcloud:org:" + string(remoteB), string(sysOrgID), string(nowhere),
	}
	badTenants := []string{"urn:vcloud:user:" + string(acme), "acme", "urn:vcloud:org:", "\x7f"}
	for i, w := range everyWorld() {
		for _, s := range []Session{tenantSession, providerSession} {
			for _, via := range []bool{false, true} {
				if s.Provider && i%3 != 0 {
					continue // what a tenant is associated with changes nothing for a provider
				}
				if via && w.peers[siteB] != (PeerState{Status: federation.StatusActive}) {
					continue // row 11 only shows where rows 9 and 10 do not
				}
				auths, tenantValues := auths, tenantValues
				if i%100 == 0 { // malformed values are refused before the world is looked at
					auths, tenantValues = append(auths, malformed...), append(tenantValues, badTenants...)
				}
				for _, auth := range auths {
					for _, tenant := range tenantValues {
						in := Input{Self: self, Session: s, AuthContext: auth, TenantContext: tenant, ViaSelf: via, View: w}
						f(in, w)
					}
				}
			}
		}
	}
	// Row 0 looks at no association.
	w := newWorld()
	auths, tenantValues = append(auths, malformed...), append(tenantValues, badTenants...)
	for _, dst := range []tenants.OrgID{acme, shared, sysOrgID, remoteB} {
		for i := range 4 {
			via, s := i%2 == 0, []Session{tenantSession, providerSession}[i/2]
			for _, auth := range auths {
				for _, tenant := range tenantValues {
					f(Input{Self: self, Session: s, AuthContext: auth, TenantContext: tenant, Forwarded: true, Dst: dst, ViaSelf: via, View: w}, w)
				}
			}
		}
	}
}

// everyWorld varies what is associated, how completely, and under which name.
func everyWorld() []*world {
	states := []federation.Status{"", federation.Asymmetric, federation.StatusActive, federation.Unreachable}
	peers := []*PeerState{
		nil, {Status: federation.Asymmetric}, {Status: federation.StatusActive},
		{Status: federation.Unreachable}, {Status: federation.StatusError}, {Status: federation.StatusActive, Open: true},
	}
	var worlds []*world
	for _, inSite := range states {
		for _, b := range append(states, federation.StatusError) {
			for _, c := range states[:3] {
				for i, names := range [][2]string{{"Beta", "Gamma"}, {"beta", "BETA"}, {"Acme", "Shared"}} {
					for j, p := range peers {
						if i > 0 && j != 2 {
							continue // each peer state with one set of names, each set with one state
						}
						w := newWorld()
						if p == nil {
							delete(w.peers, siteB)
						} else {
							w.peers[siteB] = *p
						}
						if inSite != "" {
							w.associate(acme, shared, "Shared", self, inSite)
						}
						if b != "" {
							w.associate(acme, remoteB, names[0], siteB, b)
							w.associate(sysOrgID, sysOrgID, "System", siteB, b)
						}
						if c != "" {
							w.associate(acme, remoteC, names[1], siteC, c)
							w.associate(acme, remoteB, names[1], siteC, c) // the same id at a second site
							w.associate(acme, hidden, "Ours", siteC, c)    // a site that claims one of ours
						}
						worlds = append(worlds, w)
					}
				}
			}
		}
	}
	return worlds
}
