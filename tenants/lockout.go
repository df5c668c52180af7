package tenants

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
)

// settle books an attempt to log in as u, where the organization locks out who
// fails too often. It counts by address: if it counted by user alone, strangers
// could lock everybody out. It comes after the password was verified, and a
// right password is told only then that the address is locked out: attempts made
// at once gain nothing, and the answer costs what a wrong password does.
func (l *Logins) settle(ctx context.Context, org *Snapshot, u User, source string, right bool) (locked bool, err error) {
	if !org.Settings.Passwords.LockoutEnabled {
		return false, nil
	}
	err = l.store.View(ctx, func(r Reader) error {
		_, err := r.LoginFailures(org.ID, u.ID, source)
		return err
	})
	if right && problem.Has(err, problem.NotFound) {
		return false, nil // as nearly always, and without a transaction
	}
	if err != nil && !problem.Has(err, problem.NotFound) {
		return false, err
	}
	now := l.now().UTC().Truncate(time.Microsecond)
	err = l.store.InTx(ctx, func(tx Tx) error {
		f, err := holdFailures(tx, org.ID, u.ID, source)
		if err != nil {
			return err
		}
		locked = now.Before(f.LockedUntil)
		if right && !locked {
			return tx.ClearLoginFailures(org.ID, u.ID, source)
		}
		return tx.PutLoginFailures(f.failed(org.Settings.Passwords, now))
	})
	if problem.Has(err, problem.NotFound) { // deleted meanwhile
		return true, nil
	}
	return locked, err
}

// holdFailures reads the failures of a user whose row is held, so that each of
// several at once counts.
func holdFailures(tx Tx, org OrgID, u UserID, source string) (LoginFailures, error) {
	if err := tx.LockUser(org, u); err != nil {
		return LoginFailures{}, err
	}
	f, err := tx.LoginFailures(org, u, source)
	if problem.Has(err, problem.NotFound) {
		return LoginFailures{Org: org, User: u, Source: source}, nil
	}
	return f, err
}

// failed is f after one more wrong password. Failures that are longer ago than a
// lock-out lasts are forgotten; an address that is locked out is not locked out
// for longer by trying on.
func (f LoginFailures) failed(p PasswordPolicy, now time.Time) LoginFailures {
	if now.Before(f.LockedUntil) {
		f.LastAt = now
		return f
	}
	if !f.LockedUntil.IsZero() || now.Sub(f.LastAt) >= p.LockedFor() {
		f.Failures, f.LockedUntil = 0, time.Time{}
	}
	f.Failures++
	f.LastAt = now
	if f.Failures >= p.Attempts() {
		f.LockedUntil = now.Add(p.LockedFor())
	}
	return f
}

// nobody does what is done for a wrong password, as nobody's. Where failures are
// counted that includes a write: the line of no address, which is never looked
// at, of whichever user comes first.
func (l *Logins) nobody(ctx context.Context, org *Snapshot, password secret.Text) error {
	if err := l.hasher.VerifyDummy(ctx, password); err != nil || !org.Settings.Passwords.LockoutEnabled {
		return err
	}
	var users []User
	err := l.store.View(ctx, func(r Reader) (err error) {
		users, _, err = r.Users(org.ID, Query{Page: 1, PageSize: 1, Total: 1}, l.now())
		return err
	})
	if err != nil || len(users) == 0 {
		return err
	}
	now := l.now().UTC().Truncate(time.Microsecond)
	err = l.store.InTx(ctx, func(tx Tx) error {
		f, err := holdFailures(tx, org.ID, users[0].ID, "")
		if err != nil {
			return err
		}
		f.LastAt = now
		return tx.PutLoginFailures(f)
	})
	if problem.Has(err, problem.NotFound) {
		return nil
	}
	return err
}
