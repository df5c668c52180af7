package store_test

import (
	"net/netip"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// What contact finds out never overwrites what has changed since it looked.
func TestSetStatus_ASeenStatusOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		site := newID[tenants.SiteID]()
		active := federation.StatusChange{Status: federation.StatusActive, At: now}
		inFederation(t, db, func(tx federation.Tx) error {
			ok(t, tx.PutSiteAssociation(federation.SiteAssociation{
				Site: site, Name: "there", PublicKey: "one", Status: federation.Asymmetric, Allowed: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
			}))
			for _, tt := range []struct {
				what string
				seen federation.Status
				want bool
			}{{"seen as it is not", federation.Unreachable, false}, {"seen as it is", federation.Asymmetric, true}, {"changed since", federation.Asymmetric, false}, {"no change", federation.StatusActive, false}} {
				if got, err := tx.SetSiteStatus(site, tt.seen, active); got != tt.want || err != nil {
					t.Errorf("%s: %v, %v", tt.what, got, err)
				}
			}
			return nil
		})
		inFederation(t, db, func(tx federation.Tx) error {
			for _, tt := range []struct {
				what, pinned string
				seq          uint64
				want         bool
			}{{"the first", "one", 7, true}, {"an older one", "two", 6, false}, {"signed by a key that is pinned no more", "one", 8, false}, {"the next", "two", 8, true}} {
				got, err := tx.SetBundle(site, tt.pinned, federation.Pinned{PublicKey: "two", NextKey: "three", Bundle: "signed", Seq: tt.seq})
				if got != tt.want || err != nil {
					t.Errorf("bundle: %s: %v, %v", tt.what, got, err)
				}
			}
			a, err := tx.SiteAssociation(site)
			if err != nil || a.PublicKey != "two" || a.NextKey != "three" || a.BundleSeq != 8 || len(a.Allowed) != 1 || a.Status != federation.StatusActive {
				t.Errorf("%+v, %v", a, err)
			}
			return nil
		})
	})
}

// An assertion is used once, whichever cell of the site it is shown to (R10).
func TestUseAssertion_R10_Once(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		one, two := newID[tenants.SiteID](), newID[tenants.SiteID]()
		for i, want := range []struct {
			site  tenants.SiteID
			first bool
		}{{one, true}, {one, false}, {two, true}} {
			if got, err := db.Federation().UseAssertion(t.Context(), want.site, "id", now.Add(time.Minute)); got != want.first || err != nil {
				t.Errorf("%d: %v, %v", i, got, err)
			}
		}
	})
}

// All associations with a site can be read in pages.
func TestAssociatedWith_Pages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "acme")
		inFederation(t, db, func(tx federation.Tx) error {
			for range 6 {
				ok(t, tx.PutOrgAssociation(federation.OrgAssociation{
					Local: w.org, Remote: newID[tenants.OrgID](), RemoteName: "r", Site: w.remote.Site, Status: federation.Asymmetric, CreatedAt: now,
				}))
			}
			seen := map[tenants.OrgID]bool{}
			var after federation.Pair
			for pages := 1; ; pages++ {
				list, err := tx.AssociatedWith(w.remote.Site, after, 3)
				ok(t, err)
				for _, a := range list {
					seen[a.Remote] = true
					after = federation.Pair{Local: a.Local, Remote: a.Remote}
				}
				if len(list) < 3 {
					if pages != 3 || len(seen) != 7 {
						t.Errorf("%d associations in %d pages", len(seen), pages)
					}
					return nil
				}
			}
		})
	})
}

// A site is told of organizations that are associated with its own, and of no
// others (R6, R10).
func TestShared_R6_OfOneSite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		one, two := newTenant(t, db, "acme"), newTenant(t, db, "globex") // each with an association of its own
		inFederation(t, db, func(tx federation.Tx) error {
			want := federation.Shared{Pair: federation.Pair{Local: one.org, Remote: one.remote.Org}, Name: "acme", Enabled: true}
			list, err := tx.Shared(one.remote.Site, federation.Pair{}, 10)
			if err != nil || len(list) != 1 || list[0] != want {
				t.Errorf("shared: %+v, %v; want %+v", list, err, want)
			}
			list, err = tx.SharedBy(one.remote.Site, []tenants.OrgID{one.org, two.org}, 10)
			if err != nil || len(list) != 1 || list[0] != want {
				t.Errorf("shared by two: %+v, %v", list, err)
			}
			list, err = tx.SharedPairs(one.remote.Site, []federation.Pair{want.Pair, {Local: two.org, Remote: two.remote.Org}, {Local: one.org, Remote: two.remote.Org}})
			if err != nil || len(list) != 1 || list[0] != want {
				t.Errorf("shared among pairs: %+v, %v", list, err)
			}
			if list, err := tx.SharedBy(one.remote.Site, nil, 10); err != nil || len(list) != 0 {
				t.Errorf("shared by nobody: %+v, %v", list, err)
			}
			if sites, err := tx.DirectSites(); err != nil || len(sites) != 0 {
				t.Errorf("direct before: %v, %v", sites, err)
			}
			a, err := tx.OrgAssociation(one.org, one.remote)
			ok(t, err)
			a.Direct = true
			ok(t, tx.PutOrgAssociation(a))
			if sites, err := tx.DirectSites(); err != nil || len(sites) != 1 || sites[0] != one.remote.Site {
				t.Errorf("direct: %v, %v", sites, err)
			}
			only := federation.Pair{Local: one.org, Remote: one.remote.Org}
			if pairs, err := tx.DirectPairs(one.remote.Site); err != nil || len(pairs) != 1 || pairs[0] != only {
				t.Errorf("direct pairs: %v, %v", pairs, err)
			}
			return nil
		})
	})
}
