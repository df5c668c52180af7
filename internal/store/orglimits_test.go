package store_test

import (
	"reflect"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/ratelimit"
	"causeway/tenants"
)

func TestOrganizationLimits_R13_AreReplacedAndListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		one, two := newOrg(t, db, "One"), newOrg(t, db, "Two")
		set := func(w *tenant, limits ratelimit.Limits) {
			t.Helper()
			inTenants(t, db, func(tx tenants.Tx) error { return tx.SetOrganizationLimits(w.org, limits) })
		}
		want := func(w *tenant, own ratelimit.Limits, listed int) {
			t.Helper()
			_ = db.Tenants().View(t.Context(), func(r tenants.Reader) error {
				got, err := r.OrganizationLimits(w.org)
				if err != nil || !reflect.DeepEqual(got, own) {
					t.Errorf("%v, %v; want %v", got, err, own)
				}
				all, err := r.EveryOrganizationLimits()
				if err != nil || len(all) != listed {
					t.Errorf("%d organizations are listed, want %d: %v, %v", len(all), listed, all, err)
				}
				for _, o := range all {
					if o.ID == string(w.org) && (!reflect.DeepEqual(o.Limits, own) || o.Name != "one") {
						t.Errorf("%+v is listed", o)
					}
				}
				return nil
			})
		}
		first := ratelimit.Limits{
			ratelimit.Management: {ratelimit.PerOrg: {Tokens: 1, Per: time.Second, Burst: 2}, ratelimit.PerAccount: {Tokens: 3, Per: time.Minute, Burst: 4}},
			ratelimit.UserCode:   {ratelimit.PerOrg: {Tokens: 5, Per: time.Hour, Burst: 5}},
		}
		second := ratelimit.Limits{ratelimit.TokenRefresh: {ratelimit.PerOrg: {Tokens: 1, Per: 1500 * time.Millisecond, Burst: 1}}}
		want(one, ratelimit.Limits{}, 0)
		set(one, first)
		want(one, first, 1)
		set(two, first)
		set(one, second)
		want(one, second, 2)
		inTenants(t, db, func(tx tenants.Tx) error { return tx.DeleteOrganization(two.org, now) })
		want(one, second, 1)
		set(one, nil)
		want(one, ratelimit.Limits{}, 0)
	})
}
