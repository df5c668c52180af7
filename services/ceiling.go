package services

import (
	"slices"
	"time"
)

// Within reports whether c allows nothing that outer does not allow.
func (c Ceiling) Within(outer Ceiling) bool {
	if c.AllOrg && !outer.AllOrg {
		return false
	}
	if slices.ContainsFunc(c.Org, func(role string) bool { return !outer.allowsOrg(role) }) ||
		slices.ContainsFunc(c.General, func(scope string) bool { return !slices.Contains(outer.General, scope) }) {
		return false
	}
	for _, s := range c.Services {
		if s.All && !outer.allowsAll(s.Definition) {
			return false
		}
		if slices.ContainsFunc(s.Roles, func(r ScopedRole) bool { return !outer.allowsService(s.Definition, r.Name, InstanceID(r.Resource)) }) {
			return false
		}
	}
	return true
}

func (c *Ceiling) allowsAll(d DefinitionID) bool {
	return slices.ContainsFunc(c.Services, func(s ServiceCeiling) bool { return s.Definition == d && s.All })
}

// Knows reports whether c names a service, and a role of it unless that is empty.
func (c Ceiling) Knows(d DefinitionID, role string) bool {
	return slices.ContainsFunc(c.Services, func(s ServiceCeiling) bool {
		return s.Definition == d && (role == "" || slices.ContainsFunc(s.Roles, func(r ScopedRole) bool { return r.Name == role }))
	})
}

// Activated are the grants of h that count, maybe on one instance only, once the
// bounds are after, and did not when they were before.
func (h Held) Activated(before, after Ceiling, now time.Time) []Grant {
	return slices.DeleteFunc(slices.Clone(h.Grants), func(g Grant) bool {
		return !g.Live(now) || !after.admitsBeyond(&before, g)
	})
}

func (c *Ceiling) admitsBeyond(before *Ceiling, g Grant) bool {
	switch g.Kind {
	case GrantOrganization:
		return c.allowsOrg(g.Role) && !before.allowsOrg(g.Role)
	case GrantService:
		return slices.ContainsFunc(c.placesOf(g), func(in InstanceID) bool {
			return c.allowsService(g.Definition, g.Role, in) && !before.allowsService(g.Definition, g.Role, in)
		})
	}
	return false // custom roles are not bounded
}

// placesOf are the instances to ask about for all that c may allow of g; empty is each.
func (c *Ceiling) placesOf(g Grant) []InstanceID {
	if g.Resource != "" {
		return []InstanceID{InstanceID(g.Resource)}
	}
	places := []InstanceID{""}
	for _, s := range c.Services {
		for _, r := range s.Roles {
			if s.Definition == g.Definition && r.Name == g.Role {
				places = append(places, InstanceID(r.Resource))
			}
		}
	}
	return places
}

// AllowedOrgRoles are those of roles that c allows.
func (c *Ceiling) AllowedOrgRoles(roles []OrgRole) []OrgRole {
	return slices.DeleteFunc(slices.Clone(roles), func(r OrgRole) bool { return !c.allowsOrg(string(r)) })
}
