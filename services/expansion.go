package services

import (
	"slices"
	"strings"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// scopeExternal begins what tokens and custom roles say of a service.
const scopeExternal = "external/"

// String is p as tokens and custom roles have it.
func (p ServicePermission) String() string {
	return scopeExternal + string(p.Definition) + "/" + string(p.Permission)
}

// ParseServicePermission reads external/<definition>/<permission>. Whether the
// service has such a permission is not judged.
func ParseServicePermission(text string) (ServicePermission, error) {
	refused := problem.New(problem.BadRequest, "%.200q is not a permission: it must be like external/<service definition>/<permission>.", text)
	rest, ok := strings.CutPrefix(text, scopeExternal)
	if !ok {
		return ServicePermission{}, refused
	}
	definition, name, _ := strings.Cut(rest, "/")
	id, err := tenants.ParseUUID(definition)
	// A second slash would be a resource, and custom roles count in all instances.
	if err != nil || !tenants.ValidName(name) || strings.Contains(name, "/") {
		return ServicePermission{}, refused
	}
	return ServicePermission{DefinitionID(id), Permission(name)}, nil
}

// CustomPermissions are what custom roles allow h at a time, where h has a service
// role beside (CSP-29). roles are those of the organization.
func (h Held) CustomPermissions(roles []CustomRole, now time.Time) []ServicePermission {
	var all []ServicePermission
	for _, r := range roles {
		if !h.holdsCustom(r.Name, now) {
			continue
		}
		for _, p := range r.Permissions {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

func (h Held) holdsCustom(name string, now time.Time) bool {
	return slices.ContainsFunc(h.Grants, func(g Grant) bool { return g.Kind == GrantCustom && g.Role == name && g.Live(now) })
}

// String is g as people read of it in the audit trail.
func (g Grant) String() string {
	text := string(g.Kind) + ":" + g.Role
	if g.Kind == GrantService {
		resource := g.Resource
		if resource == "" {
			resource = "*"
		}
		text = scopeExternal + string(g.Definition) + "/" + resource + "/" + g.Role
	}
	if !g.ExpiresAt.IsZero() {
		text += " until " + g.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return text
}

// Same reports whether two grants are of one role at one place, whatever they say of
// their end.
func (g Grant) Same(o Grant) bool {
	g.ExpiresAt, o.ExpiresAt = time.Time{}, time.Time{}
	return g == o
}

// Inactive are the grants of h that do nothing at a time: what the app's owner does
// not allow, and custom roles of no service in which h has a service role (CSP-29).
// roles are those of the organization.
func (h Held) Inactive(roles []CustomRole, now time.Time) []Grant {
	var idle []Grant
	for _, g := range h.Grants {
		if g.Live(now) && !h.active(g, roles, now) {
			idle = append(idle, g)
		}
	}
	return idle
}

func (h Held) active(g Grant, roles []CustomRole, now time.Time) bool {
	switch g.Kind {
	case GrantOrganization:
		return h.Ceiling.allowsOrg(g.Role)
	case GrantService:
		return len(h.Ceiling.Reach(g)) > 0
	}
	i := slices.IndexFunc(roles, func(r CustomRole) bool { return r.Name == g.Role })
	return i >= 0 && slices.ContainsFunc(roles[i].Permissions, func(p ServicePermission) bool {
		return slices.ContainsFunc(h.Grants, func(s Grant) bool {
			return s.Kind == GrantService && s.Definition == p.Definition && s.Live(now) && len(h.Ceiling.Reach(s)) > 0
		})
	})
}
