package people

import (
	"causeway/portal/ui"
	"causeway/tenants"
)

// difference is what a change of rights adds and removes.
type difference struct {
	Added, Removed tree
	Same           int
}

func differ(before, after tenants.RightSet) difference {
	added, removed := after.Minus(before), before.Minus(after)
	return difference{
		Added: holding(added, added, tenants.AllRights()), Removed: holding(removed, removed, tenants.AllRights()),
		Same: before.Intersect(after).Len(),
	}
}

// Any reports whether there is a difference.
func (d difference) Any() bool { return d.Added.Chosen+d.Removed.Chosen > 0 }

// retitled is a text that changes.
type retitled struct{ Label, Old, New string }

func retitles(s *ui.Screen, before, after tenants.RoleText) (list []retitled) {
	if before.Name != after.Name {
		list = append(list, retitled{s.T("roles.name"), before.Name, after.Name})
	}
	if before.Description != after.Description {
		list = append(list, retitled{s.T("roles.description"), before.Description, after.Description})
	}
	return list
}

// along is a right that comes with others, and which.
type along struct {
	Right tenants.Right
	For   []tenants.Right
}

// alongWith lists what was added to chosen because something of it implies it.
func alongWith(chosen, all tenants.RightSet) (list []along) {
	for _, added := range all.Minus(chosen).List() {
		a := along{Right: added}
		for _, info := range chosen.Infos() {
			if tenants.SetOf(info.Implies...).Has(added) {
				a.For = append(a.For, info.Name)
			}
		}
		list = append(list, a)
	}
	return list
}
