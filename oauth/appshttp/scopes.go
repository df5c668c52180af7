package appshttp

import (
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// scopes are allowedScopes on the wire: the most that an app can be given.
type scopes struct {
	General      []string        `json:"generalScopes"`
	Organization roleScopes      `json:"organizationScopes"`
	Services     []serviceScopes `json:"servicesScopes"`
}

type roleScopes struct {
	All   bool        `json:"allRoles"`
	Roles []roleScope `json:"roles"`
}

type serviceScopes struct {
	Definition string      `json:"serviceDefinitionId"`
	All        bool        `json:"allRoles"`
	Roles      []roleScope `json:"roles"`
}

type roleScope struct {
	Name     string  `json:"name"`
	Resource *string `json:"resource"`
}

// ceiling is s as the domain has it. An organization's roles have no resource; * is
// every one.
func (s scopes) ceiling() (services.Ceiling, error) {
	c := services.Ceiling{General: s.General, AllOrg: s.Organization.All}
	for _, r := range s.Organization.Roles {
		c.Org = append(c.Org, r.Name)
	}
	for _, in := range s.Services {
		id, err := tenants.ParseUUID(in.Definition)
		if err != nil {
			return c, problem.New(problem.BadRequest, "serviceDefinitionId must be the id of a service definition.")
		}
		one := services.ServiceCeiling{Definition: services.DefinitionID(id), All: in.All}
		for _, r := range in.Roles {
			one.Roles = append(one.Roles, services.ScopedRole{Name: r.Name, Resource: r.resource()})
		}
		c.Services = append(c.Services, one)
	}
	return c, nil
}

func (r roleScope) resource() string {
	if r.Resource == nil || *r.Resource == "*" {
		return ""
	}
	return *r.Resource
}

func newScopes(c services.Ceiling) scopes {
	s := scopes{General: c.General, Organization: roleScopes{All: c.AllOrg, Roles: []roleScope{}}, Services: []serviceScopes{}}
	if s.General == nil {
		s.General = []string{}
	}
	for _, name := range c.Org {
		s.Organization.Roles = append(s.Organization.Roles, roleScope{Name: name})
	}
	for _, in := range c.Services {
		one := serviceScopes{Definition: string(in.Definition), All: in.All, Roles: []roleScope{}}
		for _, r := range in.Roles {
			role := roleScope{Name: r.Name}
			if r.Resource != "" {
				role.Resource = &r.Resource
			}
			one.Roles = append(one.Roles, role)
		}
		s.Services = append(s.Services, one)
	}
	return s
}
