package services

import (
	"slices"
	"time"
)

// takesApps reports whether apps can have anything in an instance (CSP-3).
func (in ServiceInstance) takesApps() bool { return in.Mode != Original }

// ServiceRoles are the roles of d that count for h in an instance of it: granted
// there, not over, known to the service, and allowed by the app's owner.
func (h Held) ServiceRoles(d Definition, in InstanceID, now time.Time) []string {
	var roles []string
	for _, g := range h.Grants {
		if !g.onInstance(d.ID, in) || !g.Live(now) || slices.Contains(roles, g.Role) {
			continue
		}
		if _, known := d.Role(g.Role); known && h.Ceiling.allowsService(d.ID, g.Role, in) {
			roles = append(roles, g.Role)
		}
	}
	return roles
}

// onInstance reports whether g is of a service role in an instance of d.
func (g Grant) onInstance(d DefinitionID, in InstanceID) bool {
	return g.Kind == GrantService && g.Definition == d && (g.Resource == "" || g.Resource == string(in))
}

// Role finds a role of d by its name.
func (d Definition) Role(name string) (ServiceRole, bool) {
	i := slices.IndexFunc(d.Roles, func(r ServiceRole) bool { return r.Name == name })
	if i < 0 {
		return ServiceRole{}, false
	}
	return d.Roles[i], true
}
