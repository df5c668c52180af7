package services

import (
	"slices"
	"time"

	"causeway/tenants"
)

// mayHold reports whether h can have roles in an instance at all: it is granted one,
// and the instance takes such holders (CSP-3).
func (h Held) mayHold(in ServiceInstance, now time.Time) bool {
	if h.Kind == tenants.KindApp && in.Mode == Original {
		return false
	}
	return slices.ContainsFunc(h.Grants, func(g Grant) bool { return g.onInstance(in) && g.Live(now) })
}

// onInstance reports whether g is of a service role in an instance.
func (g Grant) onInstance(in ServiceInstance) bool {
	return g.Kind == GrantService && g.Definition == in.Definition && (g.Resource == "" || g.Resource == string(in.ID))
}

// ServiceRoles are the roles of d that count for h in an instance of it: granted
// there, not over, known to the service, and allowed by the app's owner.
func (h Held) ServiceRoles(d Definition, in ServiceInstance, now time.Time) []string {
	if !h.mayHold(in, now) {
		return nil
	}
	var roles []string
	for _, g := range h.Grants {
		if !g.onInstance(in) || !g.Live(now) || slices.Contains(roles, g.Role) {
			continue
		}
		if _, known := d.Role(g.Role); known && h.Ceiling.allowsService(d.ID, g.Role, in.ID) {
			roles = append(roles, g.Role)
		}
	}
	return roles
}

// Role finds a role of d by its name.
func (d Definition) Role(name string) (ServiceRole, bool) {
	i := slices.IndexFunc(d.Roles, func(r ServiceRole) bool { return r.Name == name })
	if i < 0 {
		return ServiceRole{}, false
	}
	return d.Roles[i], true
}
