package instances

import (
	"slices"
	"strings"

	"causeway/services"
)

// difference is what replacing a definition changes.
type difference struct {
	Facts       []change // name, prefix and description
	Permissions []change
	Roles       []change
	Routes      []change
	// Reordered reports whether routes that stay come in another order: the first
	// that fits counts.
	Reordered bool
}

// change is of one thing. Before is empty of what is new, and After of what goes.
type change struct{ Name, Before, After string }

// Added and Removed are false of what is changed.
func (c change) Added() bool   { return c.Before == "" }
func (c change) Removed() bool { return c.After == "" }

// None reports whether both definitions say the same.
func (d difference) None() bool {
	return len(d.Facts)+len(d.Permissions)+len(d.Roles)+len(d.Routes) == 0 && !d.Reordered
}

// Lost are the names of the roles that go.
func (d difference) Lost() (names []string) {
	for _, c := range d.Roles {
		if c.Removed() {
			names = append(names, c.Name)
		}
	}
	return names
}

// item is something of a definition: its name, which is its own in its list, and what
// else there is to say of it. Of what is there the text is never empty.
type item struct{ name, text string }

// words are those of the portal by which a difference is told: of what has nothing
// else to say, of all permissions, and of routes for people.
type words struct{ Nothing, All, People string }

func (w words) compare(before, after services.Definition) difference {
	old, now := w.routes(before), w.routes(after)
	return difference{
		Facts:       changes(w.facts(before), w.facts(after)),
		Permissions: changes(w.permissions(before), w.permissions(after)),
		Roles:       changes(w.roles(before), w.roles(after)),
		Routes:      changes(old, now),
		Reordered:   !slices.Equal(kept(old, now), kept(now, old)),
	}
}

func changes(before, after []item) (list []change) {
	old, now := byName(before), byName(after)
	for _, i := range before {
		if now[i.name] != i.text {
			list = append(list, change{i.name, i.text, now[i.name]})
		}
	}
	for _, i := range after {
		if _, was := old[i.name]; !was {
			list = append(list, change{i.name, "", i.text})
		}
	}
	return list
}

func byName(list []item) map[string]string {
	m := make(map[string]string, len(list))
	for _, i := range list {
		m[i.name] = i.text
	}
	return m
}

// kept are the names of list that are in other, too, in list's order.
func kept(list, other []item) (names []string) {
	in := byName(other)
	for _, i := range list {
		if _, ok := in[i.name]; ok {
			names = append(names, i.name)
		}
	}
	return names
}

func (w words) facts(d services.Definition) []item {
	return []item{{"name", d.Name}, {"prefix", d.Prefix}, {"description", w.said(d.Description)}}
}

func (w words) permissions(d services.Definition) (list []item) {
	for _, p := range d.Permissions {
		list = append(list, item{string(p.Name), w.said(p.DisplayName, p.Description)})
	}
	return list
}

func (w words) roles(d services.Definition) (list []item) {
	for _, r := range d.Roles {
		permits := w.All
		if !r.All {
			names := make([]string, len(r.Permissions))
			for i, p := range r.Permissions {
				names[i] = string(p)
			}
			slices.Sort(names)
			permits = strings.Join(names, ", ")
		}
		list = append(list, item{r.Name, w.said(permits, r.DisplayName, r.Description)})
	}
	return list
}

// routes are named by their methods and path. One that is there again can never be
// reached, and is told apart by how often it was there before.
func (w words) routes(d services.Definition) (list []item) {
	seen := map[string]int{}
	for _, r := range d.Routes {
		name := strings.Join(slices.Sorted(slices.Values(r.Methods)), ", ") + " " + r.Path
		if seen[name]++; seen[name] > 1 {
			name += strings.Repeat("′", seen[name]-1)
		}
		text := string(r.Permission)
		if r.People {
			list = append(list, item{name, w.said(text, w.People)})
			continue
		}
		list = append(list, item{name, text})
	}
	return list
}

func (w words) said(texts ...string) string {
	texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
	if len(texts) == 0 {
		return w.Nothing
	}
	return strings.Join(texts, " · ")
}
