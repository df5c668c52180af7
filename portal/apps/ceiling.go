package apps

import (
	"slices"

	"causeway/services"
)

// What an app may be given at most is shown and chosen like roles that are given:
// each entry is a grant, and * stands for any role.

// bounds are the entries of a ceiling. General scopes are not among them: they mean
// nothing here and stay as they are.
func bounds(c services.Ceiling) (list []services.Grant) {
	if c.AllOrg {
		list = append(list, services.Grant{Kind: services.GrantOrganization, Role: anyRole})
	}
	for _, name := range c.Org {
		list = append(list, services.Grant{Kind: services.GrantOrganization, Role: name})
	}
	for _, s := range c.Services {
		if s.All {
			list = append(list, services.Grant{Kind: services.GrantService, Definition: s.Definition, Role: anyRole})
		}
		for _, r := range s.Roles {
			list = append(list, services.Grant{Kind: services.GrantService, Definition: s.Definition, Role: r.Name, Resource: r.Resource})
		}
	}
	return list
}

// ceiling is the opposite of bounds. Custom roles are bounded by nothing, and left
// out.
func ceiling(list []services.Grant) (c services.Ceiling) {
	for _, g := range list {
		switch {
		case g.Kind == services.GrantCustom:
		case g.Kind == services.GrantOrganization && g.Role == anyRole:
			c.AllOrg = true
		case g.Kind == services.GrantOrganization:
			c.Org = append(c.Org, g.Role)
		default:
			s := serviceOf(&c, g.Definition)
			if g.Role == anyRole {
				s.All = true
			} else {
				s.Roles = append(s.Roles, services.ScopedRole{Name: g.Role, Resource: g.Resource})
			}
		}
	}
	return c
}

func serviceOf(c *services.Ceiling, id services.DefinitionID) *services.ServiceCeiling {
	i := slices.IndexFunc(c.Services, func(s services.ServiceCeiling) bool { return s.Definition == id })
	if i < 0 {
		i = len(c.Services)
		c.Services = append(c.Services, services.ServiceCeiling{Definition: id})
	}
	return &c.Services[i]
}
