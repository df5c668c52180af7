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
	ledger *ledger
	// Lost is told, where set, of wrong passwords that could not be counted.
	Lost func(error)
}

// NewLogins makes a checker that hashes behind hasher's gate. A cell has one:
// it knows the wrong passwords that are not yet written.
func NewLogins(store Store, hasher *secret.PasswordHasher, now func() time.Time) *Logins {
	l := &Logins{store: store, hasher: hasher, now: now}
	l.ledger = newLedger(store, func(err error) {
		if l.Lost != nil {
			l.Lost(err)
		}
	})
	return l
}

// Stop writes what is not yet written, until ctx ends. Nobody logs in any more.
func (l *Logins) Stop(ctx context.Context) error { return l.ledger.stop(ctx) }

// Origin is where an attempt to log in comes from.
type Origin struct {
	Source string // as limits count it (Caller.Source)
	Known  bool   // the user has logged in from there before
}

// Check returns the user whose password this is. Unknown organization (nil, for
// which the caller has asked the database as it is asked here for a user),
// unknown, disabled or imported user, disabled organization, wrong password and
// an address that is locked out are one problem.Unauthenticated, and take the
// same time: the same reads and one hash. Nobody waits for a write: what has to
// be counted is written after the answer.
func (l *Logins) Check(ctx context.Context, org *Snapshot, name string, password secret.Text, from Origin) (User, error) {
	leave, err := l.ledger.enter()
	if err != nil {
		return User{}, err
	}
	defer leave()
	u, err := l.named(ctx, org, name)
	if err != nil {
		return User{}, err
	}
	right, err := l.verify(ctx, u, password)
	if err != nil {
		return User{}, err
	}
	locked, err := l.settle(ctx, org, u, from, right)
	if err != nil {
		return User{}, err
	}
	if !right || locked || !u.Enabled || !org.Enabled {
		return User{}, problem.New(problem.Unauthenticated, "The login is not valid.").With(problem.FactReason, whyNot(org, u, right, locked))
	}
	return u, nil
}

// whyNot is for the audit trail alone: the client gets one answer, and the order
// is that of what an administrator would look at.
func whyNot(org *Snapshot, u User, right, locked bool) string {
	switch {
	case org == nil:
		return problem.ReasonNoSuchRealm
	case u.ID == "":
		return problem.ReasonUnknown
	case locked:
		return problem.ReasonLocked
	case !right:
		return problem.ReasonPassword
	}
	return problem.ReasonDisabled
}

// named is the user with this name, or the zero User, who has no password.
func (l *Logins) named(ctx context.Context, org *Snapshot, name string) (u User, err error) {
	if org == nil {
		return User{}, nil
	}
	err = l.store.View(ctx, func(r Reader) (err error) {
		u, err = r.UserByName(org.ID, name, l.now())
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return User{}, nil
	}
	return u, err
}

// verify takes as long for a user without a password.
func (l *Logins) verify(ctx context.Context, u User, password secret.Text) (bool, error) {
	if u.Imported() || u.PasswordHash == "" {
		return false, l.hasher.VerifyDummy(ctx, password)
	}
	return l.hasher.Verify(ctx, u.PasswordHash, password)
}

// Counterpart is the enabled user of org with the name of somebody at another
// site, for associations that map people. They are the same only if they are known
// in the same way: a name that a directory vouches for is another's elsewhere.
func (l *Logins) Counterpart(ctx context.Context, org OrgID, name, provider string) (Principal, error) {
	var u User
	var quota *Quota
	err := l.store.View(ctx, func(r Reader) (err error) {
		if u, err = r.UserByName(org, name, l.now()); err != nil {
			return err
		}
		quota, err = currentQuota(r, org, u.Quota)
		return err
	})
	if problem.Has(err, problem.NotFound) || (err == nil && (!u.Enabled || u.ProviderType != provider)) {
		return Principal{}, problem.New(problem.Forbidden, "The fulfilling organization has no enabled user named %q of the same identity provider.", name).
			With(problem.FactReason, problem.ReasonNoCounter)
	}
	return Principal{Kind: KindUser, ID: string(u.ID), Name: u.Name, Org: u.Org, Role: u.Role, Quota: quota}, err
}
