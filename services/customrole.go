package services

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// The bounds of custom roles as CSP's clients know them, and how many an
// organization can have, so that all can be read at once.
const (
	maxDisplayName       = 100
	maxDescription       = 256
	maxRolePermissions   = 100
	maxCustomRolesPerOrg = 500
)

var customRoleName = regexp.MustCompile(`^[a-zA-Z0-9_-]{2,30}$`)

// CustomRoleText is how a custom role is shown.
type CustomRoleText struct{ DisplayName, Description string }

// CustomRoles lists an organization's custom roles, by name.
func (s *Service) CustomRoles(ctx context.Context, by tenants.Caller, org tenants.OrgID) (roles []CustomRole, err error) {
	err = s.readCustom(ctx, by, org, func(r Reader) error {
		roles, err = r.CustomRoles(org)
		return err
	})
	return roles, err
}

// CustomRole reads one.
func (s *Service) CustomRole(ctx context.Context, by tenants.Caller, org tenants.OrgID, name string) (role CustomRole, err error) {
	err = s.readCustom(ctx, by, org, func(r Reader) error {
		role, err = r.CustomRole(org, name)
		return err
	})
	return role, err
}

// CreateCustomRole makes a role of permissions that services have.
func (s *Service) CreateCustomRole(ctx context.Context, by tenants.Caller, org tenants.OrgID, role CustomRole) (CustomRole, error) {
	if err := role.check(); err != nil {
		return CustomRole{}, err
	}
	role.Org, role.Permissions = org, distinct(role.Permissions)
	role.CreatedAt, role.CreatedBy = s.clock(), by.Principal.Name
	role.UpdatedAt, role.UpdatedBy = role.CreatedAt, role.CreatedBy
	err := s.changeCustom(ctx, by, org, func(tx Tx) error {
		if err := known(tx, role.Permissions); err != nil {
			return err
		}
		there, err := tx.CustomRoles(org)
		if err != nil {
			return err
		}
		if len(there) >= maxCustomRolesPerOrg {
			return problem.New(problem.BadRequest, "An organization has at most %d custom roles.", maxCustomRolesPerOrg)
		}
		if err := tx.CreateCustomRole(role); err != nil {
			return err
		}
		return tx.Record(entry(by, role.CreatedAt, org, journal.CustomRoleCreated, role.subject(), map[string]string{
			"displayName": role.DisplayName, "permissions": listed(role.Permissions),
		}))
	})
	return role, err
}

// DescribeCustomRole changes how a role is shown; what is nil stays.
func (s *Service) DescribeCustomRole(ctx context.Context, by tenants.Caller, org tenants.OrgID, name string, displayName, description *string) (role CustomRole, err error) {
	err = s.editCustom(ctx, by, org, name, func(_ Tx, r *CustomRole) (map[string]string, error) {
		before := *r
		if displayName != nil {
			r.DisplayName = *displayName
		}
		if description != nil {
			r.Description = *description
		}
		role = *r
		return tenants.Changed(map[string][2]string{
			"displayName": {before.DisplayName, r.DisplayName}, "description": {before.Description, r.Description},
		}), r.check()
	})
	return role, err
}

// ChangeCustomPermissions adds permissions to a role and takes others from it. Those
// that it did not have are returned: they could not be taken.
func (s *Service) ChangeCustomPermissions(ctx context.Context, by tenants.Caller, org tenants.OrgID, name string, add, remove []ServicePermission) (absent []ServicePermission, err error) {
	if max(len(add), len(remove)) > maxRolePermissions {
		return nil, problem.New(problem.BadRequest, "A custom role has at most %d permissions.", maxRolePermissions)
	}
	if slices.ContainsFunc(add, func(p ServicePermission) bool { return slices.Contains(remove, p) }) {
		return nil, problem.New(problem.BadRequest, "A permission is both added and removed.")
	}
	err = s.editCustom(ctx, by, org, name, func(tx Tx, r *CustomRole) (map[string]string, error) {
		if err := known(tx, add); err != nil {
			return nil, err
		}
		before := r.Permissions
		absent = slices.DeleteFunc(slices.Clone(remove), func(p ServicePermission) bool { return slices.Contains(before, p) })
		left := slices.DeleteFunc(slices.Clone(before), func(p ServicePermission) bool { return slices.Contains(remove, p) })
		r.Permissions = distinct(append(left, add...))
		return tenants.Changed(map[string][2]string{"permissions": {listed(before), listed(r.Permissions)}}), r.check()
	})
	return absent, err
}

// DeleteCustomRole takes the role from everybody who has it.
func (s *Service) DeleteCustomRole(ctx context.Context, by tenants.Caller, org tenants.OrgID, name string) error {
	now := s.clock()
	return s.changeCustom(ctx, by, org, func(tx Tx) error {
		role, err := takeCustom(tx, by, org, name)
		if err != nil {
			return err
		}
		if err := tx.DeleteCustomRole(org, name); err != nil {
			return err
		}
		return tx.Record(entry(by, now, org, journal.CustomRoleDeleted, role.subject(), nil))
	})
}

// takeCustom holds a role that the caller may change.
func takeCustom(tx Tx, by tenants.Caller, org tenants.OrgID, name string) (CustomRole, error) {
	if err := tx.LockCustomRole(org, name); err != nil {
		return CustomRole{}, err
	}
	role, err := tx.CustomRole(org, name)
	if err != nil {
		return CustomRole{}, err
	}
	return role, notItsOwn(tx, by, org, name)
}

// editCustom changes a role by f, which says what is different for the audit trail.
func (s *Service) editCustom(ctx context.Context, by tenants.Caller, org tenants.OrgID, name string, f func(Tx, *CustomRole) (map[string]string, error)) error {
	now := s.clock()
	return s.changeCustom(ctx, by, org, func(tx Tx) error {
		role, err := takeCustom(tx, by, org, name)
		if err != nil {
			return err
		}
		detail, err := f(tx, &role)
		if err != nil || len(detail) == 0 {
			return err
		}
		role.UpdatedAt, role.UpdatedBy = now, by.Principal.Name
		if err := tx.UpdateCustomRole(role); err != nil {
			return err
		}
		return tx.Record(entry(by, now, org, journal.CustomRoleUpdated, role.subject(), detail))
	})
}

// changeCustom is change for Organization Owners and Administrators.
func (s *Service) changeCustom(ctx context.Context, by tenants.Caller, org tenants.OrgID, f func(Tx) error) error {
	now := s.clock()
	return s.change(ctx, by, now, func(tx Tx) error {
		standing, err := StandingOf(tx, by.Principal, org, now)
		if err != nil {
			return err
		}
		if !standing.AssignsRoles() {
			return problem.New(problem.Forbidden, "Only Organization Owners and Administrators change custom roles.")
		}
		return f(tx)
	})
}

// notItsOwn refuses an app that would change a custom role which it holds: nothing
// that its owner allows bounds those.
func notItsOwn(r Reader, by tenants.Caller, org tenants.OrgID, name string) error {
	if by.Principal.Kind != tenants.KindApp {
		return nil
	}
	held, err := r.Held(org, HolderOf(by.Principal))
	if err != nil {
		return err
	}
	if slices.ContainsFunc(held.Grants, func(g Grant) bool { return g.Kind == GrantCustom && g.Role == name }) {
		return problem.New(problem.Forbidden, "An app does not change a custom role that it holds.").With(problem.FactReason, problem.ReasonRole)
	}
	return nil
}

// readCustom is for Organization Members, too.
func (s *Service) readCustom(ctx context.Context, by tenants.Caller, org tenants.OrgID, f func(Reader) error) error {
	now := s.clock()
	return s.store.View(ctx, func(r Reader) error {
		standing, err := StandingOf(r, by.Principal, org, now)
		if err != nil {
			return err
		}
		if !standing.SeesRoles() {
			return problem.New(problem.Forbidden, "Only Organization Owners, Administrators and Members see custom roles.")
		}
		return f(r)
	})
}

func (r CustomRole) subject() journal.Subject {
	return journal.Subject{Kind: journal.KindCustomRole, ID: r.Name, Name: r.DisplayName}
}

func (r CustomRole) check() error {
	switch {
	case !customRoleName.MatchString(r.Name):
		return problem.New(problem.BadRequest, "The name of a custom role has 2 to 30 characters of A-Z, a-z, 0-9, _ and -.")
	case r.DisplayName == "" || !shortText(r.DisplayName, maxDisplayName):
		return problem.New(problem.BadRequest, "displayName has 1 to %d characters, none of them a control character.", maxDisplayName)
	case !shortText(r.Description, maxDescription):
		return problem.New(problem.BadRequest, "description has at most %d characters, none of them a control character.", maxDescription)
	case len(r.Permissions) > maxRolePermissions:
		return problem.New(problem.BadRequest, "A custom role has at most %d permissions.", maxRolePermissions)
	}
	return nil
}

func shortText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

// known answers nil when the services have all these permissions (CSP-30).
func known(r Reader, permissions []ServicePermission) error {
	definitions := map[DefinitionID]Definition{}
	for _, p := range permissions {
		d, ok := definitions[p.Definition]
		if !ok {
			var err error
			d, err = r.Definition(p.Definition)
			if problem.Has(err, problem.NotFound) {
				return problem.New(problem.BadRequest, "There is no service definition %s.", p.Definition)
			}
			if err != nil {
				return err
			}
			definitions[p.Definition] = d
		}
		if !slices.ContainsFunc(d.Permissions, func(i PermissionInfo) bool { return i.Name == p.Permission }) {
			return problem.New(problem.BadRequest, "The service %s has no permission %q.", d.Name, string(p.Permission))
		}
	}
	return nil
}

func distinct(permissions []ServicePermission) []ServicePermission {
	var once []ServicePermission
	for _, p := range permissions {
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	return once
}

func listed(permissions []ServicePermission) string {
	texts := make([]string, len(permissions))
	for i, p := range permissions {
		texts[i] = p.String()
	}
	return strings.Join(texts, " ")
}
