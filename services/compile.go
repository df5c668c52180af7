package services

import (
	"math/bits"
	"slices"
	"strings"
	"time"
)

// maxPermissions is how many permissions one definition can have.
const maxPermissions = 256

// permissionSet is a set of permissions of one definition, by their position there.
type permissionSet [maxPermissions / 64]uint64

func (s *permissionSet) add(i int)     { s[i/64] |= 1 << (i % 64) }
func (s permissionSet) has(i int) bool { return i >= 0 && s[i/64]&(1<<(i%64)) != 0 }

func (s permissionSet) union(o permissionSet) permissionSet {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}

func (s permissionSet) size() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// Compiled is a definition as calls are judged by it. It never changes.
type Compiled struct {
	Definition
	index  map[Permission]int
	roles  map[string]permissionSet
	routes *routeNode
}

// Compile makes d ready to judge by. What [CheckDefinition] would refuse may compile
// to less than it says, never to more.
func Compile(d Definition) *Compiled {
	c := &Compiled{Definition: d, index: map[Permission]int{}, roles: map[string]permissionSet{}}
	for i, p := range d.Permissions[:min(len(d.Permissions), maxPermissions)] {
		c.index[p.Name] = i
	}
	for _, r := range d.Roles {
		c.roles[r.Name] = c.set(r)
	}
	c.routes = compileRoutes(d.Routes, c.index)
	return c
}

func (c *Compiled) set(r ServiceRole) (s permissionSet) {
	for p, i := range c.index {
		if r.All || slices.Contains(r.Permissions, p) {
			s.add(i)
		}
	}
	return s
}

// list are the permissions of a set, in the definition's order.
func (c *Compiled) list(s permissionSet) []Permission {
	list := make([]Permission, 0, s.size())
	for i, p := range c.Permissions {
		if i < maxPermissions && s.has(i) {
			list = append(list, p.Name)
		}
	}
	return list
}

// text is list for a header.
func (c *Compiled) text(s permissionSet) string {
	var b strings.Builder
	for i, p := range c.list(s) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(p))
	}
	return b.String()
}

// effect is what a holder may do in an instance, and until when that is so.
type effect struct {
	set   permissionSet
	roles []string  // service roles that count
	until time.Time // when the next grant ends; zero is never
}

// effective is what h may do in an instance of c: nothing without a service role
// there, else what those roles permit and what its custom roles permit in this
// service (CSP-29, CSP-31).
func (c *Compiled) effective(h Held, custom []CustomRole, in InstanceID, now time.Time) effect {
	e := effect{roles: h.ServiceRoles(c.Definition, in, now)}
	for _, g := range h.Grants {
		if g.Live(now) && !g.ExpiresAt.IsZero() && (e.until.IsZero() || g.ExpiresAt.Before(e.until)) {
			e.until = g.ExpiresAt
		}
	}
	if len(e.roles) == 0 {
		return e
	}
	for _, r := range e.roles {
		e.set = e.set.union(c.roles[r])
	}
	for _, p := range h.CustomPermissions(custom, now) {
		if i, known := c.index[p.Permission]; known && p.Definition == c.ID {
			e.set.add(i)
		}
	}
	return e
}
