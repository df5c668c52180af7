package apps

import (
	"slices"
	"strings"
	"time"

	"causeway/internal/fiql"
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
	more        int    // instances that are not among these
	find        string // of which instances they are; empty is any
	words       func(key string, args ...any) string
	look        func(id string) (services.ServiceInstance, bool)
}

// mostInstances bounds a page: each has all roles of its service.
const mostInstances = 40

// catalog reads it as far as who looks may see it: who sees no custom roles is
// offered none. Of instances it has the first whose names hold find, which can be
// empty.
func (p Pages) catalog(s *ui.Screen, find string) (c catalog, err error) {
	ctx := s.Request.Context()
	c.words, c.find = s.T, find
	known := map[string]services.ServiceInstance{} // also those that are not there, with no id
	c.look = func(id string) (services.ServiceInstance, bool) {
		in, asked := known[id]
		if !asked {
			// What cannot be read is shown as its identifier.
			in, _ = p.Services.OrgInstance(ctx, s.By(), s.Org().ID, services.InstanceID(id))
			known[id] = in
		}
		return in, in.ID != ""
	}
	if c.definitions, err = p.Services.Definitions(ctx); err != nil {
		return c, err
	}
	q := tenants.Query{Page: 1, PageSize: mostInstances, SortBy: "name"}
	if find != "" {
		named := fiql.Comparison{Selector: "name", Op: fiql.Equal, Value: "*" + strings.ReplaceAll(find, "*", "") + "*"}
		if q.Where, q.Args, err = fiql.Compile(named, services.InstanceFields); err != nil {
			return c, err
		}
	}
	instances, total, err := p.Services.OrgInstances(ctx, s.By(), s.Org().ID, q)
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
		return c.look(id)
	}
	return c.instances[i], true
}

// including is c with the instances of list: what is chosen stays in sight, whatever
// is searched for.
func (c catalog) including(list []services.Grant) catalog {
	c.instances = slices.Clone(c.instances)
	for _, g := range list {
		if g.Resource == "" || slices.ContainsFunc(c.instances, func(in services.ServiceInstance) bool { return string(in.ID) == g.Resource }) {
			continue
		}
		if in, ok := c.look(g.Resource); ok {
			if c.instances = append(c.instances, in); strings.Contains(strings.ToLower(in.Name), strings.ToLower(c.find)) {
				c.more = max(0, c.more-1)
			}
		}
	}
	return c
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
