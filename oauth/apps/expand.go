package apps

import (
	"time"

	"causeway/internal/problem"
	"causeway/services"
)

// heldRole is a role that counts for its holder until it ends, as tokens say it. What
// tokens say is for their readers: what a request may do is asked of what is held when
// it comes.
type heldRole struct {
	until  time.Time // zero: never
	scopes []scope
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
	return heldRole{scopes: []scope{{text: orgScope(services.OrgRole(g.Role)), rank: ofOrganization}}}
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
			role.scopes = append(role.scopes, scope{text: prefix + "*/" + g.Role, rank: everywhere}, scope{text: prefix + g.Role, rank: everywhereBare})
			continue
		}
		role.scopes = append(role.scopes, scope{text: prefix + resource + "/" + g.Role, rank: ofInstance, role: prefix + g.Role})
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
	role := heldRole{scopes: []scope{}}
	for _, p := range c.Permissions {
		role.scopes = append(role.scopes, scope{text: p.String(), rank: ofCustom, beside: p.Definition})
	}
	return role, nil
}

// scopesAt are what the roles say at a time, each once. any reports whether there is
// a role at all, also one that says nothing.
func scopesAt(held []heldRole, now time.Time) (scopes []scope, any bool) {
	in := make(map[services.DefinitionID]bool, 1)
	most := 0
	for _, h := range held {
		if h.live(now) {
			any = true
			most += len(h.scopes)
			in[h.of] = true
		}
	}
	scopes = make([]scope, 0, most)
	seen := make(map[string]bool, most)
	for _, h := range held {
		if !h.live(now) {
			continue
		}
		for _, s := range h.scopes {
			if (s.beside == "" || in[s.beside]) && !seen[s.text] {
				seen[s.text] = true
				scopes = append(scopes, s)
			}
		}
	}
	return scopes, any
}
