package services_test

import (
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/services"
	"causeway/tenants"
)

// Before a definition or an instance goes, people are told who would notice.
func TestUses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		one, two := f.instance(f.a, draft("one")), f.instance(f.a, draft("two"))
		elsewhere := f.instance(f.b, draft("three"))
		app, other := f.app(f.a, f.everything()), f.app(f.a, f.everything())
		onOne := f.role("aoa:alerts")
		onOne.Resource = string(one.ID)
		f.give(f.a, app, onOne, f.role("aoa:metrics"))
		f.give(f.a, other, f.role("aoa:metrics"))
		f.give(f.b, f.app(f.b, f.everything()), f.role("aoa:metrics"))
		_, err := f.service.CreateAccount(t.Context(), f.person(f.a, tenants.RightOrgOwner), f.a, one.ID, "grafana")
		f.must(err)

		for _, tt := range []struct {
			in   services.ServiceInstance
			want services.InstanceUses
		}{
			{one, services.InstanceUses{Apps: 2, Manual: 1, Grants: 1}},
			{two, services.InstanceUses{Apps: 2}},
			{elsewhere, services.InstanceUses{Apps: 1}},
		} {
			got, err := f.service.InstanceUses(t.Context(), tt.in.Org, tt.in.ID)
			f.must(err)
			if got != tt.want {
				t.Errorf("%s: %+v, want %+v", tt.in.Name, got, tt.want)
			}
		}
		got, err := f.service.DefinitionUses(t.Context(), f.kind.ID)
		f.must(err)
		if len(got.Instances) != 3 || got.Holders["aoa:metrics"] != 3 || got.Holders["aoa:alerts"] != 1 || got.Holders["aoa:admin"] != 0 {
			t.Errorf("of the definition: %d instances, %v", len(got.Instances), got.Holders)
		}
	})
}
