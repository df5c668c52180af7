package services

import (
	"slices"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Standing is which organization roles somebody has in an organization now.
type Standing struct {
	Org   tenants.OrgID
	Roles []OrgRole
}

// StandingOf reads what p is in org: a user by the rights of the user's role, an app
// by what was granted to it there and its owner allows. Who is of another
// organization is nothing there; a person of the provider is in each what the role in
// System makes of it, and an app only where its token is for (CSP-16).
func StandingOf(r Reader, p tenants.Principal, org tenants.OrgID, now time.Time) (Standing, error) {
	s := Standing{Org: org}
	if p.Org != org && (!p.Provider() || p.Kind == tenants.KindApp) {
		return s, problem.Hidden()
	}
	if p.Kind == tenants.KindApp {
		held, err := r.Held(org, HolderOf(p))
		if err != nil {
			return s, err
		}
		s.Roles = held.OrgRoles(now)
		return s, nil
	}
	rights, err := rightsOf(r, p)
	if err != nil {
		return s, err
	}
	s.Roles = RolesByRight(rights.Has)
	return s, nil
}

// rightsOf are the rights of p's role as they are now.
func rightsOf(r Reader, p tenants.Principal) (tenants.RightSet, error) {
	o, err := r.Organization(p.Org)
	if err != nil {
		return tenants.RightSet{}, err
	}
	role, err := r.Role(p.Org, p.Role)
	if err != nil {
		return tenants.RightSet{}, err
	}
	published, err := r.PublishedRights(p.Org)
	if err != nil {
		return tenants.RightSet{}, err
	}
	return tenants.Compile(o, []tenants.Role{role}, published).RightsOf(p.Role, p.Kind), nil
}

// Is reports whether s has a role.
func (s Standing) Is(role OrgRole) bool { return slices.Contains(s.Roles, role) }

// ManagesApps is the rule of who may create, see and manage apps: an Organization
// Owner, or who has any other organization role and is Developer beside (CSP-22).
// admins lets Organization Administrators without it, too.
func (s Standing) ManagesApps(admins bool) bool {
	if s.Is(OrgOwner) || admins && s.Is(OrgAdmin) {
		return true
	}
	return s.Is(Developer) && len(s.Roles) > 1
}

// AssignsRoles is the rule of who makes custom roles, and gives roles to people.
func (s Standing) AssignsRoles() bool { return s.Is(OrgOwner) || s.Is(OrgAdmin) }

// SeesRoles is the rule of who sees what roles there are, and who has which.
func (s Standing) SeesRoles() bool { return s.AssignsRoles() || s.Is(OrgMember) }

// OrgRoles are the organization roles that count at a time: granted, not over, and
// allowed by the app's owner.
func (h Held) OrgRoles(now time.Time) []OrgRole {
	var roles []OrgRole
	for _, g := range h.Grants {
		if g.Kind == GrantOrganization && g.Live(now) && h.Ceiling.allowsOrg(g.Role) && !slices.Contains(roles, OrgRole(g.Role)) {
			roles = append(roles, OrgRole(g.Role))
		}
	}
	return roles
}

func (c *Ceiling) allowsOrg(role string) bool {
	return c == nil || c.AllOrg || slices.Contains(c.Org, role)
}

// allowsService reports whether a service role may be held on an instance.
func (c *Ceiling) allowsService(d DefinitionID, role string, in InstanceID) bool {
	if c == nil {
		return true
	}
	for _, s := range c.Services {
		if s.Definition != d {
			continue
		}
		if s.All || slices.ContainsFunc(s.Roles, func(r ScopedRole) bool {
			return r.Name == role && (r.Resource == "" || r.Resource == string(in))
		}) {
			return true
		}
	}
	return false
}
