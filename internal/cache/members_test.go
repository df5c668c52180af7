package cache

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever comes and goes, members are what a set would hold.
func TestMembers_AreASet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var m members[int]
	want := map[int]bool{}
	for range 10_000 {
		if key := r.IntN(4); r.IntN(2) == 0 {
			m, want[key] = m.with(key), true
		} else {
			m = m.without(key)
			delete(want, key)
		}
		got := m.keys()
		slices.Sort(got)
		if len(got) != len(want) || len(slices.Compact(got)) != len(want) || m.none() != (len(want) == 0) {
			t.Fatalf("%v, want %v", got, want)
		}
		for _, key := range got {
			if !want[key] {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	}
}
