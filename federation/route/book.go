package route

import (
	"cmp"
	"slices"

	"causeway/federation"
	"causeway/tenants"
)

// Held is one association as routing sees it.
type Held struct {
	Org    tenants.OrgID
	Site   tenants.SiteID
	Name   string
	Status federation.Status

	folded string
}

// Complete reports whether both sides hold the association.
func (h Held) Complete() bool { return held(h.Status) }

func (h Held) location() tenants.LocationID { return tenants.LocationID{Org: h.Org, Site: h.Site} }

// Book is what one local organization is associated with, found by identifier
// and by name without reading through it: a provider's organization may hold
// hundreds, and the largest sites 100,000 in all. It never changes; the zero Book
// and nil are empty.
type Book struct {
	held   []Held  // by organization and site
	byName []int32 // places in held, by folded name
}

// NewBook makes a Book, and keeps nothing of list but its texts. Of two entries
// for one location the later counts.
func NewBook(list []federation.OrgAssociation) *Book {
	b := &Book{held: make([]Held, 0, len(list))}
	for _, a := range list {
		b.held = append(b.held, Held{
			Org: a.Remote, Site: a.Site, Name: a.RemoteName, Status: known(a.Status), folded: tenants.FoldName(a.RemoteName),
		})
	}
	slices.Reverse(b.held)
	slices.SortStableFunc(b.held, func(x, y Held) int { return compareLocations(x.location(), y.location()) })
	b.held = slices.CompactFunc(b.held, func(x, y Held) bool { return x.location() == y.location() })
	b.byName = make([]int32, len(b.held))
	for i := range b.byName {
		b.byName[i] = int32(i)
	}
	slices.SortStableFunc(b.byName, func(x, y int32) int { return cmp.Compare(b.held[x].folded, b.held[y].folded) })
	return b
}

// known is one of our own constants, so that what was read from the database is
// not kept for each row.
func known(s federation.Status) federation.Status {
	for _, c := range []federation.Status{federation.Asymmetric, federation.StatusActive, federation.Unreachable, federation.StatusError} {
		if s == c {
			return c
		}
	}
	return federation.StatusError // nothing crosses
}

// Len is the number of associations.
func (b *Book) Len() int {
	if b == nil {
		return 0
	}
	return len(b.held)
}

// Find is the place of a location among the associations in the order of
// locations, by which a caller may keep more about each.
func (b *Book) Find(l tenants.LocationID) (int, bool) {
	if b == nil {
		return 0, false
	}
	return slices.BinarySearchFunc(b.held, l, func(h Held, l tenants.LocationID) int { return compareLocations(h.location(), l) })
}

// At is the association at a place.
func (b *Book) At(i int) Held { return b.held[i] }

// get is the association with a location.
func (b *Book) get(l tenants.LocationID) (Held, bool) {
	i, ok := b.Find(l)
	if !ok {
		return Held{}, false
	}
	return b.held[i], true
}

// ofOrg calls see for each association with an identifier, in the order of sites.
func (b *Book) ofOrg(id tenants.OrgID, see func(Held)) {
	if b == nil {
		return
	}
	for i, _ := b.Find(tenants.LocationID{Org: id}); i < len(b.held) && b.held[i].Org == id; i++ {
		see(b.held[i])
	}
}

// Named calls see for each association with a folded name, in the order of
// locations.
func (b *Book) Named(folded string, see func(Held)) {
	if b == nil {
		return
	}
	i, _ := slices.BinarySearchFunc(b.byName, folded, func(place int32, name string) int { return cmp.Compare(b.held[place].folded, name) })
	for ; i < len(b.byName) && b.held[b.byName[i]].folded == folded; i++ {
		see(b.held[b.byName[i]])
	}
}

func compareLocations(a, b tenants.LocationID) int {
	return cmp.Or(cmp.Compare(a.Org, b.Org), cmp.Compare(a.Site, b.Site))
}
