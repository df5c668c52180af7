package apps

import (
	"slices"
	"time"

	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// RoleChange is what is to be different about the roles that somebody holds.
type RoleChange struct {
	Add, Remove, Update []services.Grant
}

// maxChange bounds one change, and maxGrants what somebody holds in an organization,
// so that it can be read at once.
const (
	maxChange = 200
	maxGrants = 500
)

func (c RoleChange) all() []services.Grant { return slices.Concat(c.Add, c.Remove, c.Update) }

// check judges what a change says by itself.
func (c RoleChange) check() error {
	all := c.all()
	if len(all) > maxChange {
		return problem.New(problem.BadRequest, "At most %d roles change at once.", maxChange)
	}
	for i, g := range all {
		if !tenants.ValidName(g.Role) || g.Definition != "" && !tenants.ValidName(string(g.Definition)) || g.Resource != "" && !tenants.ValidName(g.Resource) {
			return problem.New(problem.BadRequest, "A role, a service definition or a resource has no name that there could be.")
		}
		if slices.ContainsFunc(all[:i], g.Same) {
			return problem.New(problem.BadRequest, "The role %q is named twice.", g.Role)
		}
	}
	return nil
}

// ruler is who changes roles, by what they are in the organization.
type ruler struct{ services.Standing }

// mayTouch answers nil unless the member was given an organization role over the
// caller's: an Administrator never touches an Owner's. What the app's owner does not
// allow now counts as well, since it may be allowed later.
func (r ruler) mayTouch(member services.Held, now time.Time) error {
	member.Ceiling = nil
	if rank(member.OrgRoles(now)) <= rank(r.Roles) {
		return nil
	}
	return outranked()
}

// outranked does not tell where somebody was given more: that is for the organization
// to know that gave it.
func outranked() error {
	return problem.New(problem.Forbidden, "The app has an organization role above the caller's.").With(problem.FactReason, problem.ReasonGives)
}

// mayAssign answers nil when the caller may change these roles of an app: Owners any;
// Administrators any but the Owner's; who is only Developer what reaches no service.
func (r ruler) mayAssign(c RoleChange) error {
	for _, g := range c.all() {
		if r.assigns(g) {
			continue
		}
		return problem.New(problem.Forbidden, "The caller's organization roles do not suffice to give or take %q.", g.Role).
			With(problem.FactReason, problem.ReasonRole)
	}
	return nil
}

func (r ruler) assigns(g services.Grant) bool {
	organization := g.Kind == services.GrantOrganization
	switch {
	case r.Is(services.OrgOwner):
		return true
	case organization && services.OrgRole(g.Role) == services.OrgOwner:
		return false
	case r.Is(services.OrgAdmin):
		return true
	}
	return organization && (services.OrgRole(g.Role) == services.OrgMember || services.OrgRole(g.Role) == services.Developer)
}

// mayAssignPeople answers nil when the caller may change these roles of a user.
func (r ruler) mayAssignPeople(by tenants.Caller, c RoleChange) error {
	if by.Principal.Kind == tenants.KindApp {
		return problem.New(problem.Forbidden, "Apps do not give roles to people.").With(problem.FactReason, problem.ReasonRole)
	}
	if !r.AssignsRoles() {
		return problem.New(problem.Forbidden, "Only Organization Owners and Administrators give roles to people.").
			With(problem.FactReason, problem.ReasonRole)
	}
	for _, g := range c.all() {
		if g.Kind == services.GrantOrganization {
			return problem.New(problem.BadRequest, "The organization roles of a user come from the user's role: give the user another role, or change what that role allows.")
		}
	}
	return nil
}

// exists answers nil when g names something that the organization has.
func exists(r Reader, org tenants.OrgID, g services.Grant) error {
	switch g.Kind {
	case services.GrantOrganization:
		if !services.KnownOrgRole(g.Role) {
			return problem.New(problem.BadRequest, "There is no organization role %.128q.", g.Role)
		}
		if g.Resource != "" {
			return problem.New(problem.BadRequest, "An organization role counts in all of the organization and takes no resource.")
		}
		return nil
	case services.GrantCustom:
		if g.Resource != "" {
			return problem.New(problem.BadRequest, "A custom role counts wherever its holder has a service role and takes no resource.")
		}
		return nil
	}
	return serviceRoleExists(r, org, g)
}

func serviceRoleExists(r Reader, org tenants.OrgID, g services.Grant) error {
	d, err := r.Definition(g.Definition)
	if problem.Has(err, problem.NotFound) {
		return problem.New(problem.BadRequest, "There is no service definition %.64q.", string(g.Definition))
	}
	if err != nil {
		return err
	}
	if _, ok := d.Role(g.Role); !ok {
		return problem.New(problem.BadRequest, "The service %s has no role %.128q.", d.Name, g.Role)
	}
	if g.Resource == "" {
		return nil
	}
	in, err := r.ServiceInstance(org, services.InstanceID(g.Resource))
	if err == nil && in.Definition != g.Definition {
		err = problem.Hidden()
	}
	if problem.Has(err, problem.NotFound) {
		return problem.New(problem.BadRequest, "The organization has no instance %.64q of %s.", g.Resource, d.Name)
	}
	return err
}
