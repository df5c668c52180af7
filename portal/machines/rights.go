package machines

import (
	"slices"
	"strings"

	"causeway/oauth"
	"causeway/tenants"
)

// rightGroup is rights of one category.
type rightGroup struct {
	Category string
	Changes  int // how many of them change something
	Rights   []tenants.RightInfo
}

// Changing and Looking are the names of those that change something, and that do not.
func (g rightGroup) Changing() string { return namesOf(g.Rights[:g.Changes]) }
func (g rightGroup) Looking() string  { return namesOf(g.Rights[g.Changes:]) }

func namesOf(rights []tenants.RightInfo) string {
	names := make([]string, len(rights))
	for i, r := range rights {
		names[i] = string(r.Name)
	}
	return strings.Join(names, ", ")
}

// grouped puts rights in groups, what changes something before what only looks: the
// first thing that an administrator reads must be the worst that can happen.
func grouped(rights []tenants.Right) (groups []rightGroup) {
	for _, name := range rights {
		info, ok := tenants.LookUpRight(name)
		if !ok {
			continue
		}
		i := slices.IndexFunc(groups, func(g rightGroup) bool { return g.Category == info.Category })
		if i < 0 {
			i, groups = len(groups), append(groups, rightGroup{Category: info.Category})
		}
		groups[i].Rights = append(groups[i].Rights, info)
		if modifies(info) {
			groups[i].Changes++
		}
	}
	for _, g := range groups {
		slices.SortStableFunc(g.Rights, func(a, b tenants.RightInfo) int { return after(modifies(a), modifies(b)) })
	}
	slices.SortStableFunc(groups, func(a, b rightGroup) int { return after(a.Changes > 0, b.Changes > 0) })
	return groups
}

func modifies(r tenants.RightInfo) bool { return r.Kind == "MODIFY" }

// after sorts what is true first.
func after(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// can is a role and what it would allow a machine.
type can struct {
	ID     tenants.RoleID
	Name   string
	About  string
	Groups []rightGroup
	Looks  int
	Edits  int
	Chosen bool
}

func newCan(id tenants.RoleID, name, about string, rights []tenants.Right) can {
	c := can{ID: id, Name: name, About: about, Groups: grouped(rights)}
	for _, g := range c.Groups {
		c.Edits += g.Changes
		c.Looks += len(g.Rights) - g.Changes
	}
	return c
}

// badgeOf is how a status looks.
func badgeOf(status oauth.Status) string {
	switch status {
	case oauth.Active:
		return "good"
	case oauth.Requested:
		return "busy"
	case oauth.Granted:
		return "warn"
	}
	return "plain"
}
