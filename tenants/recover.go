package tenants

import (
	"context"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
)

// RecoverAdministrator lets the provider in again: the user gets the password, every
// right, and is enabled and unlocked; one that is not there is made. Sessions of the
// user end. by is who has the machine and the master key, and so may do anything.
func (p *Provisioner) RecoverAdministrator(ctx context.Context, by journal.Actor, name string, password secret.Text) (u User, created bool, err error) {
	fresh, err := User{ID: UserID(NewID()), Org: SystemOrgID, Enabled: true, CreatedAt: p.clock()}.named(name)
	if err != nil {
		return User{}, false, err
	}
	if fresh.PasswordHash, err = hashOf(ctx, p.hasher, fresh.Name, password); err != nil {
		return User{}, false, err
	}
	err = p.store.InTx(ctx, func(tx Tx) error {
		role, err := tx.RoleByName(SystemOrgID, SystemAdministrator)
		if err != nil {
			return err
		}
		u = fresh
		u.Role = role.ID
		known, err := tx.UserByName(SystemOrgID, u.Name, u.CreatedAt)
		if created = problem.Has(err, problem.NotFound); created {
			if err := tx.CreateUser(u); err != nil {
				return err
			}
			return tx.Record(recovered(by, fresh, u, journal.UserCreated, map[string]string{"role": role.Name}))
		}
		if err != nil {
			return err
		}
		u, err = p.reset(tx, by, known, fresh, role)
		return err
	})
	return u, created, err
}

// reset gives a user who is there what fresh has.
func (p *Provisioner) reset(tx Tx, by journal.Actor, known, fresh User, role Role) (User, error) {
	now := fresh.CreatedAt
	u, err := holdUser(tx, SystemOrgID, known.ID, now)
	if err != nil {
		return User{}, err
	}
	if u.Imported() {
		return User{}, problem.New(problem.BadRequest, "The user %s is imported: another place keeps the password. Name another user.", u.Name)
	}
	was := u
	u.Role, u.Enabled, u.PasswordHash = role.ID, true, fresh.PasswordHash
	if err := tx.UpdateUser(u); err != nil {
		return User{}, err
	}
	if err := tx.ClearLoginFailures(u.Org, u.ID, ""); err != nil {
		return User{}, err
	}
	if err := tx.EndUserSessions(u.Org, u.ID, "", now); err != nil {
		return User{}, err
	}
	detail := was.changes(u, func(id RoleID) string { return string(id) })
	if len(detail) > 0 {
		if err := tx.Record(recovered(by, fresh, u, journal.UserUpdated, detail)); err != nil {
			return User{}, err
		}
	}
	if was.Locked {
		if err := tx.Record(recovered(by, fresh, u, journal.UserUnlocked, nil)); err != nil {
			return User{}, err
		}
	}
	return u, tx.Record(recovered(by, fresh, u, journal.UserPasswordChanged, nil))
}

func recovered(by journal.Actor, fresh, u User, action journal.Action, detail map[string]string) journal.Entry {
	return journal.Entry{At: fresh.CreatedAt, Org: string(SystemOrgID), Actor: by, Action: action, Subject: u.subject(), Detail: detail}
}
