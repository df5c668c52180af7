package people

import (
	"strings"

	"causeway/portal/ui"
	"causeway/tenants"
)

// tree shows rights by category: to choose from, or those that something has.
type tree struct {
	Choose   bool
	Branches []branch
	Chosen   int
}

// Long trees begin with their categories closed.
func (t tree) Long() bool { return t.Chosen > 40 }

type branch struct {
	Name          string
	Leaves        []leaf
	Chosen, Total int
}

type leaf struct {
	tenants.RightInfo
	Chosen bool
	// Why the box cannot be ticked; empty if it can.
	Why     string
	Implies []tenants.RightInfo
	// Unpublished rights are stored and allow nothing here.
	Unpublished bool
}

// Modify reports whether the right lets its holder change something.
func (l leaf) Modify() bool { return l.Kind == "MODIFY" }

// PeopleOnly reports that no machine ever has the right.
func (l leaf) PeopleOnly() bool { return !l.ForMachines() }

// Values are the identifiers of what the right implies, for the script.
func (l leaf) Values() string {
	ids := make([]string, 0, len(l.Implies))
	for _, r := range l.Implies {
		ids = append(ids, r.ID())
	}
	return strings.Join(ids, " ")
}

// With are the names of what the right implies.
func (l leaf) With() string {
	names := make([]string, 0, len(l.Implies))
	for _, r := range l.Implies {
		names = append(names, string(r.Name))
	}
	return strings.Join(names, ", ")
}

// choice is a tree of what can be chosen: offered are the rights there are, own
// those that whoever looks can give.
func choice(s *ui.Screen, offered, own, chosen tenants.RightSet) tree {
	t := grow(offered, offered, func(l *leaf) {
		l.Chosen = chosen.HasIndex(l.Index)
		if !own.HasIndex(l.Index) {
			l.Why = s.T("rights.lacking")
		}
	})
	t.Choose = true
	return t
}

// holding is a tree of what something has; effective is as much of it as counts.
func holding(rights, effective, known tenants.RightSet) tree {
	return grow(rights, known, func(l *leaf) {
		l.Chosen, l.Unpublished = true, !effective.HasIndex(l.Index)
	})
}

// grow puts rights into their categories, in catalog order.
func grow(rights, known tenants.RightSet, fill func(*leaf)) (t tree) {
	for _, info := range rights.Infos() {
		if n := len(t.Branches); n == 0 || t.Branches[n-1].Name != info.Category {
			t.Branches = append(t.Branches, branch{Name: info.Category})
		}
		b := &t.Branches[len(t.Branches)-1]
		l := leaf{RightInfo: info, Implies: impliedBy(info, known)}
		fill(&l)
		if l.Chosen {
			b.Chosen++
			t.Chosen++
		}
		b.Leaves, b.Total = append(b.Leaves, l), b.Total+1
	}
	return t
}

// impliedBy are the rights that a right implies, as far as they are known here.
func impliedBy(info tenants.RightInfo, known tenants.RightSet) (list []tenants.RightInfo) {
	for _, name := range info.Implies {
		if r, ok := tenants.LookUpRight(name); ok && known.HasIndex(r.Index) {
			list = append(list, r)
		}
	}
	return list
}

// completed is chosen with what it implies, as far as that can be given.
func completed(chosen, can tenants.RightSet) tenants.RightSet {
	all := chosen
	for _, info := range chosen.Infos() {
		all = all.Union(tenants.SetOf(info.Implies...).Intersect(can))
	}
	return all
}

// chosenRights reads the boxes of a tree. What is no right, and what cannot be given
// here, stays among them: the rules refuse it.
func chosenRights(v ui.Values) (rights []tenants.Right) {
	for _, id := range v.Values["right"] {
		if info, ok := tenants.LookUpRightID(id); ok {
			rights = append(rights, info.Name)
		} else {
			rights = append(rights, tenants.Right(id))
		}
	}
	return rights
}
