package store_test

import (
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// The number of what a site says of itself never goes back, whatever the clock
// does, and what is retired has no private part any more (R10, R12).
func TestRoots_R10_R12(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		seq := func() (n uint64) {
			t.Helper()
			ok(t, db.Federation().View(t.Context(), func(r federation.Reader) error {
				self, err := r.Self()
				n = self.BundleSeq
				return err
			}))
			return n
		}
		inFederation(t, db, func(tx federation.Tx) error {
			return tx.CreateSelf(federation.Self{ID: newID[tenants.SiteID](), Name: "here", Root: []byte("sealed"), CreatedAt: now, BundleSeq: 7})
		})
		for _, tt := range []struct {
			at   time.Time
			want uint64
		}{{now, uint64(now.Unix())}, {now, uint64(now.Unix()) + 1}, {now.Add(-time.Hour), uint64(now.Unix()) + 2}, {now.Add(time.Hour), uint64(now.Unix()) + 3600}} {
			inFederation(t, db, func(tx federation.Tx) error { return tx.RenewBundle(tt.at) })
			if got := seq(); got != tt.want {
				t.Errorf("number %d, want %d", got, tt.want)
			}
		}
		before := seq()
		inFederation(t, db, func(tx federation.Tx) error { return tx.RenameSelf("elsewhere") })
		if seq() <= before {
			t.Error("a new name has the old number")
		}

		inFederation(t, db, func(tx federation.Tx) error {
			ok(t, tx.CreateRoot(federation.Root{ID: "a", Sealed: []byte("sealed"), CreatedAt: now, SignsFrom: now.Add(time.Hour), Succession: "said"}))
			ok(t, tx.AdvanceRoot("a", now))
			return nil
		})
		inFederation(t, db, func(tx federation.Tx) error {
			roots, err := tx.Roots()
			ok(t, err)
			if len(roots) != 1 || roots[0].Succession != "" || !roots[0].SignsFrom.Equal(now) || string(roots[0].Sealed) != "sealed" {
				t.Errorf("%+v", roots)
			}
			ok(t, tx.RetireRoot("a", now))
			roots, err = tx.Roots()
			ok(t, err)
			if len(roots[0].Sealed) != 0 || !roots[0].RetiredAt.Equal(now) {
				t.Errorf("retired: %+v", roots)
			}
			for what, err := range map[string]error{"retire again": tx.RetireRoot("a", now), "advance a retired one": tx.AdvanceRoot("a", now)} {
				if !problem.Has(err, problem.NotFound) {
					t.Errorf("%s: %v", what, err)
				}
			}
			return nil
		})
	})
}
