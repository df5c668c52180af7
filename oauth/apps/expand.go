package apps

import (
	"slices"
	"time"

	"causeway/internal/problem"
	"causeway/services"
)

// heldRole is a role that counts for its holder until it ends, as tokens say it. What
// tokens say is for their readers: what a request may do is asked of what is held when
// it comes.
type heldRole struct {
	until  time.Time // zero: never
	scopes []string
	// beside are the definitions of which the holder must have a service role for the
	// scope at the same position to count (CSP-29); nil for other roles than custom ones.
	beside []services.DefinitionID
	of     services.DefinitionID // of a service role
}

func (h heldRole) live(now time.Time) bool { return h.until.IsZero() || now.Before(h.until) }

// heldRoles are the roles that somebody holds in an organization, less what the app's
// owner does not allow, and what there is no more.
func heldRoles(r Reader, held services.Held) ([]heldRole, error) {
	var all []heldRole
	definitions := map[services.DefinitionID]*services.Definition{}
	for _, g := range held.Grants {
		var one heldRole
		var err error
		switch g.Kind {
		case services.GrantOrganization:
			one = organizationRole(held, g)
		case services.GrantService:
			one, err = serviceRole(r, definitions, held, g)
		case services.GrantCustom:
			one, err = customRole(r, held, g)
		}
		if err != nil {
			return nil, err
		}
		if one.scopes != nil {
			one.until = g.ExpiresAt
			all = append(all, one)
		}
	}
	return all, nil
}

func organizationRole(held services.Held, g services.Grant) heldRole {
	g.ExpiresAt = time.Time{}
	held.Grants = []services.Grant{g}
	if len(held.OrgRoles(time.Time{})) == 0 {
		return heldRole{}
	}
	return heldRole{scopes: []string{orgScope(services.OrgRole(g.Role))}}
}

func orgScope(role services.OrgRole) string { return "csp:" + string(role) }

// serviceRole says a role of every instance twice, as clients look for it in either
// way, and that of one instance once: without the instance it would say more.
func serviceRole(r Reader, known map[services.DefinitionID]*services.Definition, held services.Held, g services.Grant) (heldRole, error) {
	d, err := definition(r, known, g.Definition)
	if err != nil || d == nil {
		return heldRole{}, err
	}
	if _, there := d.Role(g.Role); !there {
		return heldRole{}, nil
	}
	role := heldRole{of: g.Definition}
	prefix := "external/" + string(g.Definition) + "/"
	for _, resource := range held.Ceiling.Reach(g) {
		if resource == "" {
			role.scopes = append(role.scopes, prefix+"*/"+g.Role, prefix+g.Role)
			continue
		}
		role.scopes = append(role.scopes, prefix+resource+"/"+g.Role)
	}
	return role, nil
}

func definition(r Reader, known map[services.DefinitionID]*services.Definition, id services.DefinitionID) (*services.Definition, error) {
	if d, ok := known[id]; ok {
		return d, nil
	}
	d, err := r.Definition(id)
	if problem.Has(err, problem.NotFound) {
		known[id] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	known[id] = &d
	return &d, nil
}

func customRole(r Reader, held services.Held, g services.Grant) (heldRole, error) {
	c, err := r.CustomRole(held.Org, g.Role)
	if problem.Has(err, problem.NotFound) {
		return heldRole{}, nil
	}
	if err != nil {
		return heldRole{}, err
	}
	role := heldRole{scopes: []string{}, beside: []services.DefinitionID{}}
	for _, p := range c.Permissions {
		role.scopes, role.beside = append(role.scopes, p.String()), append(role.beside, p.Definition)
	}
	return role, nil
}

// scopesAt are what the roles say at a time, each once. any reports whether there is
// a role at all, also one that says nothing.
func scopesAt(held []heldRole, now time.Time) (scopes []string, any bool) {
	scopes = make([]string, 0, 2*len(held))
	in := func(d services.DefinitionID) bool {
		return slices.ContainsFunc(held, func(h heldRole) bool { return h.of == d && h.live(now) })
	}
	for _, h := range held {
		if !h.live(now) {
			continue
		}
		any = true
		for i, scope := range h.scopes {
			if (h.beside == nil || in(h.beside[i])) && !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	return scopes, any
}
