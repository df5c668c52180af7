package tenants

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
)

// Logins checks people's passwords.
type Logins struct {
	store  Store
	hasher *secret.PasswordHasher
	now    func() time.Time
}

// NewLogins makes a checker that hashes behind hasher's gate.
func NewLogins(store Store, hasher *secret.PasswordHasher, now func() time.Time) *Logins {
	return &Logins{store: store, hasher: hasher, now: now}
}

// Check returns the user whose password this is. source is where the attempt
// comes from, as limits count it (Caller.Source). Unknown organization (nil),
// unknown, disabled or imported user, wrong password and an address that is
// locked out are one problem.Unauthenticated and take the same time.
func (l *Logins) Check(ctx context.Context, org *Snapshot, name string, password secret.Text, source string) (User, error) {
	refused := problem.New(problem.Unauthenticated, "The login is not valid.")
	if org == nil {
		return User{}, orElse(l.hasher.VerifyDummy(ctx, password), refused)
	}
	var u User
	err := l.store.View(ctx, func(r Reader) (err error) {
		u, err = r.UserByName(org.ID, name, l.now())
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return User{}, orElse(l.nobody(ctx, org, password), refused)
	}
	if err != nil {
		return User{}, err
	}
	right, err := l.verify(ctx, u, password)
	if err != nil {
		return User{}, err
	}
	locked, err := l.settle(ctx, org, u, source, right)
	if err != nil {
		return User{}, err
	}
	if !right || locked || !u.Enabled || !org.Enabled {
		return User{}, refused
	}
	return u, nil
}

// verify takes as long for a user without a password.
func (l *Logins) verify(ctx context.Context, u User, password secret.Text) (bool, error) {
	if u.Imported() || u.PasswordHash == "" {
		return false, l.hasher.VerifyDummy(ctx, password)
	}
	return l.hasher.Verify(ctx, u.PasswordHash, password)
}

// Counterpart is the enabled user of org with the name of somebody at another
// site, for associations that map people.
func (l *Logins) Counterpart(ctx context.Context, org OrgID, name string) (Principal, error) {
	var u User
	var quota *Quota
	err := l.store.View(ctx, func(r Reader) (err error) {
		if u, err = r.UserByName(org, name, l.now()); err != nil {
			return err
		}
		quota, err = currentQuota(r, org, u.Quota)
		return err
	})
	if problem.Has(err, problem.NotFound) || (err == nil && !u.Enabled) {
		return Principal{}, problem.New(problem.Forbidden, "The fulfilling organization has no enabled user named %q.", name)
	}
	return Principal{Kind: KindUser, ID: string(u.ID), Name: u.Name, Org: u.Org, Role: u.Role, Quota: quota}, err
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
