package tenants

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
)

// Users returns a page of org's users and the number on all pages.
func (s *Service) Users(ctx context.Context, org OrgID, query Query) (list []User, total int, err error) {
	now := s.clock()
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.Users(org, query, now)
		return err
	})
	return list, total, err
}

// User returns one user of org.
func (s *Service) User(ctx context.Context, org OrgID, id UserID) (u User, err error) {
	now := s.clock()
	err = s.store.View(ctx, func(r Reader) error {
		u, err = r.User(org, id, now)
		return err
	})
	return u, err
}

// UserOrg tells whose user this is, for providers who name it by id alone.
func (s *Service) UserOrg(ctx context.Context, id UserID) (org OrgID, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		org, err = r.UserOrg(id)
		return err
	})
	return org, err
}

// CreateUser makes a user in org, with a password unless it is imported. The
// identifier and what else is not the caller's to say are set here.
func (s *Service) CreateUser(ctx context.Context, by Caller, org *Snapshot, u User, password secret.Text) (User, error) {
	m := s.userManager(by, org)
	u, err := u.named(u.Name)
	if err != nil {
		return User{}, err
	}
	hash, err := s.firstHash(ctx, m, u, password)
	if err != nil {
		return User{}, err
	}
	u.ID, u.Org, u.CreatedAt, u.Quota, u.Locked, u.PasswordHash = UserID(NewID()), org.ID, m.now, "", false, ""
	if u, err = u.withHash(hash); err != nil {
		return User{}, err
	}
	return u, s.change(ctx, by, func(tx Tx) error { return m.create(tx, u) })
}

// UserEdit is a change of a user. Change is applied to the user as it is when
// its row is held, perhaps more than once; the name stays, and what is not a
// client's to say as well. An empty Password stays, too. Unlock lets every
// address try again.
type UserEdit struct {
	Change   func(*User)
	Password secret.Text
	Unlock   bool
}

// UpdateUser changes a user of org. Disabling a user and giving another password
// end the user's sessions; another role counts from the next request on.
func (s *Service) UpdateUser(ctx context.Context, by Caller, org *Snapshot, id UserID, edit UserEdit) (User, error) {
	m := s.userManager(by, org)
	hash, err := s.newHash(ctx, m, id, edit)
	if err != nil {
		return User{}, err
	}
	var u User
	err = s.change(ctx, by, func(tx Tx) error {
		u, err = m.update(tx, id, edit, hash)
		return err
	})
	return u, err
}

// firstHash is the hash of a new user's password, or empty without one.
func (s *Service) firstHash(ctx context.Context, m userManager, u User, password secret.Text) (string, error) {
	if password == "" {
		return "", nil
	}
	if err := s.store.View(ctx, func(r Reader) error { return m.foreseeNew(r, u) }); err != nil {
		return "", err
	}
	return hashOf(ctx, s.hasher, u.Name, password)
}

// newHash is the hash of the password that the edit gives, or empty without one.
func (s *Service) newHash(ctx context.Context, m userManager, id UserID, edit UserEdit) (string, error) {
	if edit.Password == "" {
		return "", nil
	}
	var u User
	err := s.store.View(ctx, func(r Reader) (err error) {
		u, err = m.foresee(r, id, edit)
		return err
	})
	if err != nil {
		return "", err
	}
	return hashOf(ctx, s.hasher, u.Name, edit.Password)
}

// DeleteUser removes a user of org and ends the user's sessions.
func (s *Service) DeleteUser(ctx context.Context, by Caller, org *Snapshot, id UserID) error {
	m := s.userManager(by, org)
	return s.change(ctx, by, func(tx Tx) error { return m.remove(tx, id) })
}

// TakeOwnership gives the caller what a user of org owns, which is nothing that
// the gateway keeps: clients ask before they delete a user, and the instances
// behind the gateway read of it in the audit trail.
func (s *Service) TakeOwnership(ctx context.Context, by Caller, org *Snapshot, id UserID) error {
	m := s.userManager(by, org)
	return s.change(ctx, by, func(tx Tx) error {
		u, err := tx.User(org.ID, id, m.now)
		if err != nil {
			return err
		}
		if _, err := m.mayRule(tx, u); err != nil {
			return err
		}
		return record(tx, by, m.now, org.ID, journal.UserTakenOver, u.subject(), nil)
	})
}

// named is u as it is kept under the name, if it can be.
func (u User) named(name string) (_ User, err error) {
	if u.Name, err = userName(name); err != nil {
		return User{}, err
	}
	u = u.complete()
	return u, u.check()
}

// complete is u with what its absence stands for.
func (u User) complete() User {
	if u.ProviderType == "" {
		u.ProviderType = ProviderIntegrated
	}
	if u.Profile.NameInSource == "" {
		u.Profile.NameInSource = u.Name
	}
	return u
}

// holdUser reads a user whose row is held: no session opens and nobody else
// changes it until the end of the transaction.
func holdUser(tx Tx, org OrgID, id UserID, now time.Time) (User, error) {
	if err := tx.LockUser(org, id); err != nil {
		return User{}, err
	}
	return tx.User(org, id, now)
}

// apply is what the edit makes of u.
func (e UserEdit) apply(u User, hash string) (User, error) {
	after := u
	if e.Change != nil {
		e.Change(&after)
	}
	if after.Name != u.Name {
		if name, err := userName(after.Name); err != nil || name != u.Name {
			return User{}, problem.New(problem.BadRequest, "The name of a user stays.")
		}
	}
	after.ID, after.Org, after.Name, after.CreatedAt = u.ID, u.Org, u.Name, u.CreatedAt
	after.PasswordHash, after.Quota, after.Locked = u.PasswordHash, u.Quota, u.Locked && !e.Unlock
	after = after.complete()
	if err := after.check(); err != nil {
		return User{}, err
	}
	return after.withHash(hash)
}
