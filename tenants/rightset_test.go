package tenants_test

import (
	"slices"
	"testing"

	"causeway/tenants"
)

func TestRightSet(t *testing.T) {
	t.Parallel()
	var s tenants.RightSet
	if !s.Empty() || s.Len() != 0 || len(s.List()) != 0 || s.Has(viewCatalogs) {
		t.Errorf("the zero set is %v", s.List())
	}
	s.Add(manageSites)
	s.Add(viewCatalogs)
	s.Add("Anything: At All")
	if want := []tenants.Right{manageSites, viewCatalogs}; s != tenants.SetOf(want...) || s.Len() != 2 ||
		!slices.Equal(s.List(), inCatalogOrder(want)) {
		t.Errorf("the set is %v, want %v", s.List(), want)
	}
	if s.Has("Anything: At All") || s.Has("") || s.Has(viewSites) || !s.Has(manageSites) {
		t.Errorf("the set %v has what it has not, or the reverse", s.List())
	}
	if whole := tenants.AllRights(); whole.Has("Anything: At All") || whole.Has("") || whole.Len() != len(tenants.Catalog()) {
		t.Errorf("the whole catalog is %v", whole.List())
	}
	for _, outside := range []int{-1, 512, 1 << 30} {
		if s.HasIndex(outside) {
			t.Errorf("the set has position %d", outside)
		}
	}
}

// Every position is a bit of its own.
func TestRightSet_Positions(t *testing.T) {
	t.Parallel()
	var all tenants.RightSet
	for i, info := range tenants.Catalog() {
		one := tenants.SetOf(info.Name)
		if info.Index != i || !one.HasIndex(i) || !one.Has(info.Name) || one.Len() != 1 || one.Intersect(all) != (tenants.RightSet{}) {
			t.Fatalf("%q at %d is %v", info.Name, info.Index, one)
		}
		all = all.Union(one)
	}
	if all.Len() != len(tenants.Catalog()) {
		t.Errorf("the whole catalog is %d rights", all.Len())
	}
}

func TestRightSet_Operations(t *testing.T) {
	t.Parallel()
	const a, b, c = viewCatalogs, manageSites, viewSites
	left, right := tenants.SetOf(a, b), tenants.SetOf(b, c)
	for name, tt := range map[string]struct{ got, want tenants.RightSet }{
		"union":        {left.Union(right), tenants.SetOf(a, b, c)},
		"intersection": {left.Intersect(right), tenants.SetOf(b)},
		"difference":   {left.Minus(right), tenants.SetOf(a)},
		"without":      {left.Without(a, c, "Anything: At All"), tenants.SetOf(b)},
		"unchanged":    {left, tenants.SetOf(a, b)},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", name, tt.got.List(), tt.want.List())
		}
	}
}

// What every request asks must cost nothing that grows.
func TestRightSet_HasAllocatesNothing(t *testing.T) {
	s := tenants.TenantRights()
	if n := testing.AllocsPerRun(100, func() { _ = s.Has(viewCatalogs) && s.Has("Anything: At All") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func inCatalogOrder(rights []tenants.Right) []tenants.Right {
	rights = slices.Clone(rights)
	slices.SortFunc(rights, func(a, b tenants.Right) int {
		left, _ := tenants.LookUpRight(a)
		right, _ := tenants.LookUpRight(b)
		return left.Index - right.Index
	})
	return rights
}
