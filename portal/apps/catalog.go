package apps

import (
	"slices"
	"time"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

// catalog is what roles an organization can give.
type catalog struct {
	definitions []services.Definition
	instances   []services.ServiceInstance
	custom      []services.CustomRole
	more        int // instances that are not among these
	words       func(key string, args ...any) string
}

// mostInstances bounds a page: each has all roles of its service.
const mostInstances = 40

// catalog reads it as far as who looks may see it: who sees no custom roles is
// offered none.
func (p Pages) catalog(s *ui.Screen) (c catalog, err error) {
	ctx := s.Request.Context()
	c.words = s.T
	if c.definitions, err = p.Services.Definitions(ctx); err != nil {
		return c, err
	}
	instances, total, err := p.Services.OrgInstances(ctx, s.By(), s.Org().ID, tenants.Query{Page: 1, PageSize: mostInstances, SortBy: "name"})
	if err != nil && !problem.Has(err, problem.Forbidden) {
		return c, err
	}
	c.instances, c.more = instances, total-len(instances)
	c.custom, err = p.Services.CustomRoles(ctx, s.By(), s.Org().ID)
	if problem.Has(err, problem.Forbidden) {
		err = nil
	}
	return c, err
}

func (c catalog) definition(id services.DefinitionID) (services.Definition, bool) {
	i := slices.IndexFunc(c.definitions, func(d services.Definition) bool { return d.ID == id })
	if i < 0 {
		return services.Definition{}, false
	}
	return c.definitions[i], true
}

func (c catalog) instance(id string) (services.ServiceInstance, bool) {
	i := slices.IndexFunc(c.instances, func(in services.ServiceInstance) bool { return string(in.ID) == id })
	if i < 0 {
		return services.ServiceInstance{}, false
	}
	return c.instances[i], true
}

// roleView is a role as people read of it.
type roleView struct {
	Label, Name string // in words, and as programs name it
	About       string
	Of, Where   string // the service or the kind, and the instance
	Ends        time.Time
	Over, Idle  bool // it counts no more; it does nothing as things are
}

func (c catalog) view(g services.Grant) roleView {
	v := roleView{Label: g.Role, Name: g.Role, Ends: g.ExpiresAt}
	switch g.Kind {
	case services.GrantOrganization:
		v.Of = c.words("apps.kind.organization")
		if g.Role == anyRole {
			v.Label, v.Name = c.words("apps.any.organization"), ""
		}
		for _, r := range services.OrgRoles() {
			if string(r.Name) == g.Role {
				v.Label, v.About = r.DisplayName, r.Description
			}
		}
	case services.GrantCustom:
		v.Of = c.words("apps.kind.custom")
		for _, r := range c.custom {
			if r.Name == g.Role {
				v.Label, v.About = r.DisplayName, r.Description
			}
		}
	default:
		c.viewService(g, &v)
	}
	return v
}

func (c catalog) viewService(g services.Grant, v *roleView) {
	v.Of, v.Where = string(g.Definition), c.words("apps.everywhere")
	if d, ok := c.definition(g.Definition); ok {
		v.Of = d.Name
		if r, ok := d.Role(g.Role); ok {
			v.Label, v.About = r.DisplayName, r.Description
		}
	}
	if g.Role == anyRole {
		v.Label, v.Name = c.words("apps.any.service"), ""
	}
	if g.Resource != "" {
		v.Where = g.Resource
		if in, ok := c.instance(g.Resource); ok {
			v.Where = in.Name
		}
	}
}

func (c catalog) views(list []services.Grant) []roleView {
	views := make([]roleView, 0, len(list))
	for _, g := range list {
		views = append(views, c.view(g))
	}
	return views
}

// held are the roles that somebody has, with what comes of each.
func (c catalog) held(h services.Held, now time.Time) []roleView {
	idle := h.Inactive(c.custom, now)
	views := c.views(h.Grants)
	for i, g := range h.Grants {
		views[i].Over = !g.Live(now)
		views[i].Idle = slices.Contains(idle, g)
	}
	return views
}

// everything names the services of which list has all roles (CSP-27).
func (c catalog) everything(list []services.Grant) (names []string) {
	for _, d := range c.definitions {
		has := func(r services.ServiceRole) bool {
			return slices.ContainsFunc(list, func(g services.Grant) bool {
				return g.Kind == services.GrantService && g.Definition == d.ID && (g.Role == r.Name || g.Role == anyRole)
			})
		}
		if len(d.Roles) > 0 && !slices.ContainsFunc(d.Roles, func(r services.ServiceRole) bool { return !has(r) }) {
			names = append(names, d.Name)
		}
	}
	return names
}

// warnings are what is said before roles are given.
func (c catalog) warnings(added, after []services.Grant) (list []string) {
	for _, name := range c.everything(after) {
		if slices.ContainsFunc(added, func(g services.Grant) bool { d, _ := c.definition(g.Definition); return d.Name == name }) {
			list = append(list, c.words("apps.warn.all", name))
		}
	}
	strong := func(g services.Grant) bool {
		return g.Kind == services.GrantOrganization && (g.Role == string(services.OrgOwner) || g.Role == anyRole)
	}
	if slices.ContainsFunc(added, strong) {
		list = append(list, c.words("apps.warn.owner"))
	}
	custom := func(g services.Grant) bool { return g.Kind == services.GrantCustom }
	if slices.ContainsFunc(added, custom) && !slices.ContainsFunc(after, func(g services.Grant) bool { return g.Kind == services.GrantService }) {
		list = append(list, c.words("apps.warn.custom"))
	}
	return list
}
