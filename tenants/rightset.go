package tenants

import (
	"math/bits"
	"slices"
)

// RightSet is a set of rights of the catalog, one bit for each position. It is a
// plain value: assigning it copies it, == compares it, and the zero value is
// empty. It holds good within one process only, as positions do.
type RightSet [8]uint64

// maxRights is how many rights a set can hold, and so how long the catalog may be.
const maxRights = len(RightSet{}) * 64

// SetOf is the set of the given rights, without those that are unknown.
func SetOf(rights ...Right) RightSet {
	var s RightSet
	for _, r := range rights {
		s.Add(r)
	}
	return s
}

// AllRights is the whole catalog.
func AllRights() RightSet { return rightsCatalog().all }

// TenantRights is every right that can be published to tenants.
func TenantRights() RightSet { return rightsCatalog().tenant }

// MachineRights is every right that a machine principal can ever have (VCD-30…36).
func MachineRights() RightSet { return rightsCatalog().machine }

// Add puts a right into the set. An unknown one is ignored.
func (s *RightSet) Add(r Right) {
	if i, ok := rightsCatalog().byName[r]; ok {
		s.addIndex(i)
	}
}

func (s *RightSet) addIndex(i int) { s[i/64] |= 1 << (i % 64) }

// Has reports whether the set has the right. No set has an unknown one.
func (s RightSet) Has(r Right) bool {
	i, ok := rightsCatalog().byName[r]
	return ok && s.HasIndex(i)
}

// HasIndex is Has by the position in the catalog.
func (s RightSet) HasIndex(i int) bool {
	return i >= 0 && i < maxRights && s[i/64]&(1<<(i%64)) != 0
}

// Union is what is in either set.
func (s RightSet) Union(o RightSet) RightSet {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}

// Intersect is what is in both sets.
func (s RightSet) Intersect(o RightSet) RightSet {
	for i := range s {
		s[i] &= o[i]
	}
	return s
}

// Minus is what is in s and not in o.
func (s RightSet) Minus(o RightSet) RightSet {
	for i := range s {
		s[i] &^= o[i]
	}
	return s
}

// Without is s less the given rights.
func (s RightSet) Without(rights ...Right) RightSet { return s.Minus(SetOf(rights...)) }

// Empty reports whether nothing is in the set.
func (s RightSet) Empty() bool { return s == RightSet{} }

// Len is the number of rights in the set.
func (s RightSet) Len() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// List is the rights of the set in catalog order.
func (s RightSet) List() []Right {
	list := slices.Grow([]Right(nil), s.Len())
	for _, info := range s.Infos() {
		list = append(list, info.Name)
	}
	return list
}

// Infos are the catalog's rows of the rights in the set, in catalog order.
func (s RightSet) Infos() []RightInfo {
	list := make([]RightInfo, 0, s.Len())
	for i, info := range Catalog() {
		if s.HasIndex(i) {
			list = append(list, info)
		}
	}
	return list
}
