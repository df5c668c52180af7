package appshttp

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// everywhere as a resource is each instance, as in the perms of tokens.
const everywhere = "*"

// roleBody is a role that is given. Clients also write just its name.
type roleBody struct {
	Name      string  `json:"name"`
	Resource  *string `json:"resource"`
	ExpiresAt *int64  `json:"expiresAt"` // seconds since 1970
}

func (b *roleBody) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		return json.Unmarshal(text, &b.Name)
	}
	type plain roleBody
	return json.Unmarshal(text, (*plain)(b))
}

// lastSecond is the end of the year 9999: what lies after it was meant as
// milliseconds.
const lastSecond = 253402300799

func (b roleBody) grant(kind services.GrantKind, definition services.DefinitionID) (services.Grant, error) {
	g := services.Grant{Kind: kind, Definition: definition, Role: b.Name}
	if b.Resource != nil && *b.Resource != everywhere {
		g.Resource = *b.Resource
	}
	if b.ExpiresAt == nil || *b.ExpiresAt == 0 {
		return g, nil
	}
	if *b.ExpiresAt < 0 || *b.ExpiresAt > lastSecond {
		return g, problem.New(problem.BadRequest, "expiresAt is a time in seconds since 1970.")
	}
	g.ExpiresAt = time.Unix(*b.ExpiresAt, 0).UTC()
	return g, nil
}

func grants(kind services.GrantKind, definition services.DefinitionID, roles []roleBody) ([]services.Grant, error) {
	list := make([]services.Grant, 0, len(roles))
	for _, r := range roles {
		g, err := r.grant(kind, definition)
		if err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}

func definitionID(text string) (services.DefinitionID, error) {
	id, err := tenants.ParseUUID(text)
	if err != nil {
		return "", problem.New(problem.BadRequest, "serviceDefinitionId must be a UUID.")
	}
	return services.DefinitionID(id), nil
}

// changesBody is how the roles of somebody change.
type changesBody struct {
	Organization rolesChange          `json:"organizationRoles"`
	Services     []serviceRolesChange `json:"serviceRoles"`
	Custom       rolesChange          `json:"customRoles"`
}

type rolesChange struct {
	Add    []roleBody `json:"rolesToAdd"`
	Remove []roleBody `json:"rolesToRemove"`
	Update []roleBody `json:"rolesToUpdate"`
}

type serviceRolesChange struct {
	Definition string `json:"serviceDefinitionId"`
	rolesChange
}

func (b changesBody) change() (c apps.RoleChange, err error) {
	if err := b.Organization.into(&c, services.GrantOrganization, ""); err != nil {
		return c, err
	}
	if err := b.Custom.into(&c, services.GrantCustom, ""); err != nil {
		return c, err
	}
	for _, s := range b.Services {
		id, err := definitionID(s.Definition)
		if err != nil {
			return c, err
		}
		if err := s.into(&c, services.GrantService, id); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (r rolesChange) into(c *apps.RoleChange, kind services.GrantKind, definition services.DefinitionID) error {
	for _, part := range []struct {
		from []roleBody
		to   *[]services.Grant
	}{{r.Add, &c.Add}, {r.Remove, &c.Remove}, {r.Update, &c.Update}} {
		list, err := grants(kind, definition, part.from)
		if err != nil {
			return err
		}
		*part.to = append(*part.to, list...)
	}
	return nil
}

// heldBody is what somebody holds.
type heldBody struct {
	Organization []shownRole         `json:"organizationRoles"`
	Services     []shownServiceRoles `json:"serviceRoles"`
	Custom       []shownRole         `json:"customRoles"`
}

type shownRole struct {
	Name        string  `json:"name"`
	DisplayName string  `json:"displayName,omitempty"`
	Resource    *string `json:"resource"`
	ExpiresAt   *int64  `json:"expiresAt"`
}

type shownServiceRoles struct {
	Definition services.DefinitionID `json:"serviceDefinitionId"`
	Roles      []shownRole           `json:"serviceRoles"`
	Names      []string              `json:"serviceRoleNames"`
}

func newHeldBody(list []services.Grant) heldBody {
	b := heldBody{Organization: []shownRole{}, Services: []shownServiceRoles{}, Custom: []shownRole{}}
	for _, g := range list {
		switch g.Kind {
		case services.GrantOrganization:
			b.Organization = append(b.Organization, newOrgRole(g))
		case services.GrantCustom:
			b.Custom = append(b.Custom, newShownRole(g))
		default:
			b.addService(g)
		}
	}
	return b
}

func (b *heldBody) addService(g services.Grant) {
	i := slices.IndexFunc(b.Services, func(s shownServiceRoles) bool { return s.Definition == g.Definition })
	if i < 0 {
		i = len(b.Services)
		b.Services = append(b.Services, shownServiceRoles{Definition: g.Definition})
	}
	s := &b.Services[i]
	s.Roles = append(s.Roles, newShownRole(g))
	if !slices.Contains(s.Names, g.Role) {
		s.Names = append(s.Names, g.Role)
	}
}

func newShownRole(g services.Grant) shownRole {
	r := shownRole{Name: g.Role}
	if g.Resource != "" {
		r.Resource = &g.Resource
	}
	if !g.ExpiresAt.IsZero() {
		at := g.ExpiresAt.Unix()
		r.ExpiresAt = &at
	}
	return r
}

func newOrgRole(g services.Grant) shownRole {
	r := newShownRole(g)
	for _, info := range services.OrgRoles() {
		if string(info.Name) == g.Role {
			r.DisplayName = info.DisplayName
		}
	}
	return r
}
