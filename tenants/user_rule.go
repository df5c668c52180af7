package tenants

import (
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// userManager is somebody who changes users of an organization, for the length
// of one request.
type userManager struct {
	by  Caller
	org *Snapshot // the users'
	now time.Time
}

func (s *Service) userManager(by Caller, org *Snapshot) userManager {
	return userManager{by: by, org: org, now: s.clock()}
}

// foresee answers nil when the edit, which gives a password, would succeed: to
// hash one takes long, and is not for whoever asks.
func (m userManager) foresee(r Reader, id UserID, edit UserEdit) (User, error) {
	if err := Stands(r, m.by.Principal, m.now); err != nil {
		return User{}, err
	}
	before, err := r.User(m.org.ID, id, m.now)
	if err != nil {
		return User{}, err
	}
	after, err := edit.apply(before, notHashed)
	if err != nil {
		return User{}, err
	}
	return before, m.mayUpdate(r, before, after)
}

// foreseeNew is foresee for a user that is not there yet.
func (m userManager) foreseeNew(r Reader, u User) error {
	if err := Stands(r, m.by.Principal, m.now); err != nil {
		return err
	}
	if _, err := u.withHash(notHashed); err != nil {
		return err
	}
	_, err := m.mayAssign(r, u.Role)
	return err
}

func (m userManager) create(tx Tx, u User) error {
	role, err := m.mayAssign(tx, u.Role)
	if err != nil {
		return err
	}
	if err := tx.CreateUser(u); err != nil {
		return err
	}
	return m.record(tx, journal.UserCreated, u, map[string]string{"role": role.Name, "providerType": u.ProviderType})
}

func (m userManager) update(tx Tx, id UserID, edit UserEdit, hash string) (User, error) {
	before, err := m.hold(tx, id)
	if err != nil {
		return User{}, err
	}
	after, err := edit.apply(before, hash)
	if err != nil {
		return User{}, err
	}
	if err := m.mayUpdate(tx, before, after); err != nil {
		return User{}, err
	}
	if err := m.write(tx, before, after); err != nil {
		return User{}, err
	}
	if edit.Unlock {
		return after, m.unlock(tx, before)
	}
	return after, nil
}

// write replaces before by after, in the journal too, if they differ.
func (m userManager) write(tx Tx, before, after User) error {
	locked := after
	if locked.Locked = before.Locked; locked == before { // a lock is no part of the row
		return nil
	}
	if err := tx.UpdateUser(after); err != nil {
		return err
	}
	replaced := before.PasswordHash != after.PasswordHash
	if replaced || before.Enabled && !after.Enabled {
		if err := tx.EndUserSessions(after.Org, after.ID, m.ownSession(after), m.now); err != nil {
			return err
		}
	}
	if detail := before.changes(after, m.roleName); len(detail) > 0 {
		if err := m.record(tx, journal.UserUpdated, after, detail); err != nil {
			return err
		}
	}
	if replaced {
		return m.record(tx, journal.UserPasswordChanged, after, nil)
	}
	return nil
}

func (m userManager) unlock(tx Tx, u User) error {
	if err := tx.ClearLoginFailures(u.Org, u.ID, ""); err != nil || !u.Locked {
		return err
	}
	return m.record(tx, journal.UserUnlocked, u, nil)
}

func (m userManager) remove(tx Tx, id UserID) error {
	u, err := m.hold(tx, id)
	if err != nil {
		return err
	}
	if m.self(u) {
		return problem.New(problem.Forbidden, "Nobody deletes their own user.")
	}
	if _, err := m.mayRule(tx, u); err != nil {
		return err
	}
	if err := m.stays(tx, u, false); err != nil {
		return err
	}
	if err := tx.EndUserSessions(u.Org, u.ID, "", m.now); err != nil {
		return err
	}
	if err := tx.DeleteUser(u.Org, u.ID); err != nil {
		return err
	}
	return m.record(tx, journal.UserDeleted, u, map[string]string{"role": m.roleName(u.Role)})
}

// hold is holdUser. Of the provider's administrators it holds the role as well
// and before anything reads it: of two that remove each other one comes second,
// and sees it.
func (m userManager) hold(tx Tx, id UserID) (User, error) {
	u, err := holdUser(tx, m.org.ID, id, m.now)
	if err == nil && m.administers(u) {
		err = tx.LockRole(u.Org, u.Role)
	}
	return u, err
}

// mayUpdate answers nil when the caller may make after of before (R7). A
// password, a role and whether somebody can log in are for those to say who may
// do as much: else whoever manages users could be any of them.
func (m userManager) mayUpdate(r Reader, before, after User) error {
	if m.self(before) && !after.Enabled {
		return problem.New(problem.Forbidden, "Nobody disables their own user.")
	}
	if before.PasswordHash != after.PasswordHash || before.Role != after.Role || before.Enabled != after.Enabled ||
		before.ProviderType != after.ProviderType {
		withdrawn, err := m.mayRule(r, before)
		if err != nil {
			return err
		}
		if withdrawn && before.opens(after) {
			return problem.New(problem.Forbidden, "The user's role is not published here now, and nobody can say what it will allow: give another first.")
		}
	}
	if before.Role != after.Role {
		if _, err := m.mayAssign(r, after.Role); err != nil {
			return err
		}
	}
	return m.stays(r, before, m.administers(after))
}

// opens reports whether after lets somebody in, in the role of before, who was
// not let in before.
func (u User) opens(after User) bool {
	return u.Role == after.Role &&
		(u.PasswordHash != after.PasswordHash || !u.Enabled && after.Enabled || u.ProviderType != after.ProviderType)
}

// mayAssign reads a role that the caller wants to give somebody.
func (m userManager) mayAssign(g Ground, id RoleID) (Role, error) {
	role, err := g.Role(m.org.ID, id)
	if problem.Has(err, problem.NotFound) {
		return Role{}, problem.New(problem.BadRequest, "Organization %s has no such role.", m.org.Name)
	}
	if err != nil {
		return Role{}, err
	}
	return role, MayGive(g, m.by.Principal, role, KindUser)
}

// mayRule answers nil when the caller has every right of u, or u's role is
// withdrawn and allows nothing until it is published again.
func (m userManager) mayRule(g Ground, u User) (withdrawn bool, err error) {
	role, err := g.Role(m.org.ID, u.Role)
	if problem.Has(err, problem.NotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	err = MayGive(g, m.by.Principal, role, KindUser)
	if problem.Has(err, problem.Forbidden) {
		return false, problem.New(problem.Forbidden, "The user may do more than the caller.")
	}
	return false, err
}

// stays answers nil unless u is the last who administers the provider and will
// not be that any more.
func (m userManager) stays(r Reader, u User, administers bool) error {
	if administers || !m.administers(u) {
		return nil
	}
	_, others, err := r.Users(u.Org, Query{
		Where: "role_id = ? AND enabled = ? AND provider_type = ? AND id <> ?", Args: []any{string(u.Role), true, ProviderIntegrated, string(u.ID)},
		Page: 1, PageSize: 1,
	}, m.now)
	if err == nil && others == 0 {
		err = problem.New(problem.Conflict, "The provider's last administrator stays.")
	}
	return err
}

// administers reports whether u can log in to administer the site.
func (m userManager) administers(u User) bool {
	return m.org.System() && u.Enabled && !u.Imported() && m.roleName(u.Role) == SystemAdministrator
}

func (m userManager) self(u User) bool {
	p := m.by.Principal
	return p.Kind == KindUser && p.Org == u.Org && p.ID == string(u.ID)
}

// ownSession is the session to spare when u's sessions end.
func (m userManager) ownSession(u User) SessionID {
	if m.self(u) {
		return m.by.Principal.Session
	}
	return ""
}

// roleName is for the records: what was withdrawn has no name any more.
func (m userManager) roleName(id RoleID) string {
	if name, ok := m.org.RoleName(id); ok {
		return name
	}
	return string(id)
}

func (m userManager) record(tx Tx, action journal.Action, u User, detail map[string]string) error {
	return record(tx, m.by, m.now, u.Org, action, u.subject(), detail)
}
