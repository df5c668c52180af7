package tenants

import (
	"context"
	"maps"
	"slices"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// Roles returns a page of the roles that can be held in org, without their
// rights, and the number on all pages (VCD-44).
func (s *Service) Roles(ctx context.Context, org OrgID, q Query) (list []Role, total int, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.RolePage(org, q)
		return err
	})
	return list, total, err
}

// Role returns a role that can be held in org.
func (s *Service) Role(ctx context.Context, org OrgID, id RoleID) (role Role, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		role, err = r.Role(org, id)
		return err
	})
	return role, err
}

// CreateRole makes a role of org's own that allows these rights: none, if it is
// given them later.
func (s *Service) CreateRole(ctx context.Context, by Caller, org *Snapshot, text RoleText, rights ...Right) (Role, error) {
	if err := text.check("role"); err != nil {
		return Role{}, err
	}
	role := Role{
		ID: RoleID(NewID()), Org: org.ID, Name: text.Name, Description: text.Description, BundleKey: text.BundleKey, Rights: Distinct(rights),
	}
	now := s.clock()
	err := s.change(ctx, by, func(tx Tx) error {
		if err := free(tx, role); err != nil {
			return err
		}
		if err := mayGiveRights(tx, by, org.ID, role.Rights); err != nil {
			return err
		}
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		return record(tx, by, now, org.ID, journal.RoleCreated, role.subject(), rightChanges(nil, role.Rights))
	})
	return role, err
}

// UpdateRole replaces how a role of org's own is named and described.
func (s *Service) UpdateRole(ctx context.Context, by Caller, org *Snapshot, id RoleID, text RoleText) (Role, error) {
	if err := text.check("role"); err != nil {
		return Role{}, err
	}
	return s.changeRole(ctx, by, org, id, func(tx Tx, role *Role) (map[string]string, error) {
		return retitle(tx, role, text)
	})
}

// ReplaceRole replaces everything of a role of org's own in one step. seen is the
// version that the caller looked at: of another one it is problem.Conflict.
func (s *Service) ReplaceRole(ctx context.Context, by Caller, org *Snapshot, id RoleID, seen string, text RoleText, rights []Right) (Role, error) {
	if err := text.check("role"); err != nil {
		return Role{}, err
	}
	return s.changeRole(ctx, by, org, id, func(tx Tx, role *Role) (map[string]string, error) {
		if role.Version() != seen {
			return nil, changedMeanwhile("role")
		}
		detail, err := retitle(tx, role, text)
		if err != nil {
			return nil, err
		}
		more, err := regive(tx, by, role, rights, func([]Right) []Right { return rights })
		maps.Copy(detail, more)
		return detail, err
	})
}

func retitle(tx Tx, role *Role, text RoleText) (map[string]string, error) {
	detail := role.text().changes(text)
	role.Name, role.Description, role.BundleKey = text.Name, text.Description, text.BundleKey
	if err := free(tx, *role); err != nil {
		return nil, err
	}
	return detail, tx.UpdateRole(*role)
}

// SetRoleRights replaces the rights of a role of org's own. What is not
// available to the organization goes, too: it must not come back unasked when
// it is published again.
func (s *Service) SetRoleRights(ctx context.Context, by Caller, org *Snapshot, id RoleID, rights []Right) (Role, error) {
	return s.changeRights(ctx, by, org, id, rights, func([]Right) []Right { return rights })
}

// AddRoleRights adds to the rights of a role of org's own. What they imply is
// not stored with them: clients count what they gave.
func (s *Service) AddRoleRights(ctx context.Context, by Caller, org *Snapshot, id RoleID, rights []Right) (Role, error) {
	return s.changeRights(ctx, by, org, id, rights, func(before []Right) []Right {
		return slices.Concat(before, without(rights, before))
	})
}

func (s *Service) changeRights(ctx context.Context, by Caller, org *Snapshot, id RoleID, given []Right, become func([]Right) []Right) (Role, error) {
	return s.changeRole(ctx, by, org, id, func(tx Tx, role *Role) (map[string]string, error) {
		return regive(tx, by, role, given, become)
	})
}

func regive(tx Tx, by Caller, role *Role, given []Right, become func([]Right) []Right) (map[string]string, error) {
	if err := mayGiveRights(tx, by, role.Org, given); err != nil {
		return nil, err
	}
	before := role.Rights
	role.Rights = Distinct(become(before))
	return rightChanges(before, role.Rights), tx.SetRoleRights(role.Org, role.ID, role.Rights)
}

// mayGiveRights answers nil when roles of org can have the rights and the caller
// has them.
func mayGiveRights(tx Tx, by Caller, org OrgID, given []Right) error {
	set, err := availableIn(tx, org)
	if err != nil {
		return err
	}
	if err := available(set, given); err != nil {
		return err
	}
	return holds(tx, by.Principal, SetOf(given...))
}

// DeleteRole removes a role of org's own that nobody holds; otherwise it is
// problem.Conflict.
func (s *Service) DeleteRole(ctx context.Context, by Caller, org *Snapshot, id RoleID) error {
	now := s.clock()
	return s.change(ctx, by, func(tx Tx) error {
		role, err := ownRole(tx, by, org, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteRole(org.ID, id); err != nil {
			return err
		}
		return record(tx, by, now, org.ID, journal.RoleDeleted, role.subject(), rightChanges(role.Rights, nil))
	})
}

// changeRole runs change while it holds a role of org's own, and records what
// change says it did.
func (s *Service) changeRole(ctx context.Context, by Caller, org *Snapshot, id RoleID, change func(Tx, *Role) (map[string]string, error)) (role Role, err error) {
	now := s.clock()
	err = s.change(ctx, by, func(tx Tx) error {
		if role, err = ownRole(tx, by, org, id); err != nil {
			return err
		}
		detail, err := change(tx, &role)
		if err != nil || len(detail) == 0 {
			return err
		}
		return record(tx, by, now, org.ID, journal.RoleUpdated, role.subject(), detail)
	})
	return role, err
}

// ownRole holds a role of org's own that the caller may change: nobody rules
// over a role that allows more than they may do.
func ownRole(tx Tx, by Caller, org *Snapshot, id RoleID) (Role, error) {
	if err := tx.LockRole(org.ID, id); err != nil && !problem.Has(err, problem.NotFound) {
		return Role{}, err
	}
	role, err := tx.Role(org.ID, id)
	switch {
	case err != nil:
		return Role{}, err
	case role.Global:
		return Role{}, problem.New(problem.Forbidden, "The role %q is published by the provider, who alone can change it.", role.Name)
	case role.ReadOnly:
		return Role{}, problem.New(problem.Forbidden, "The role %q is read-only.", role.Name)
	}
	return role, MayGive(tx, by.Principal, role, KindUser)
}

// free answers nil unless another role that can be held in the organization has
// the name: registering an account by the name of a role must find one.
func free(tx Tx, role Role) error {
	other, err := tx.RoleByName(role.Org, role.Name)
	switch {
	case problem.Has(err, problem.NotFound):
		return nil
	case err == nil && other.ID != role.ID:
		return problem.New(problem.DuplicateName, "Another role is named %q.", role.Name)
	}
	return err
}

// available answers nil when every right is in the set of those that can be
// given. What an organization cannot have looks like what does not exist.
func available(set RightSet, rights []Right) error {
	for _, right := range rights {
		if !set.Has(right) {
			return problem.New(problem.BadRequest, "There is no right %.200q that could be given here.", string(right))
		}
	}
	return nil
}

// Distinct is rights in order, each once.
func Distinct(rights []Right) []Right {
	rights = slices.Clone(rights)
	slices.Sort(rights)
	return slices.Compact(rights)
}
