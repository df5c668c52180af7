package tenants

import (
	"context"
	"time"

	"causeway/internal/problem"
)

// SourcesPerUser bounds the failures that strangers can make us keep for one
// user. It is more than the limiter lets lock themselves out in the ten minutes
// of a usual lock-out.
const SourcesPerUser = 128

// settle counts an attempt to log in as u, where the organization locks out who
// fails too often, and reports whether its source is locked out. It counts by
// source: if it counted by user alone, strangers could lock everybody out. It
// comes after the password was verified, and takes in what is not yet written:
// attempts made at once gain nothing. For nobody it reads the same.
func (l *Logins) settle(ctx context.Context, org *Snapshot, u User, from Origin, right bool) (locked bool, err error) {
	a := attempt{User: u.ID, Source: from.Source}
	if org != nil {
		a.Org = org.ID
	}
	at := l.now().UTC().Truncate(time.Microsecond)
	waiting := l.ledger.waiting(a) // first: what is written meanwhile is then in the database
	f, crowded, err := l.failures(ctx, a, at)
	if err != nil || org == nil || u.ID == "" || !org.Settings.Passwords.LockoutEnabled {
		return false, err
	}
	for _, o := range waiting {
		f = o.after(f)
	}
	locked = at.Before(f.LockedUntil) || crowded && !from.Known
	o := outcome{attempt: a, policy: org.Settings.Passwords, at: at, wrong: !right}
	if o.wrong || f.Failures > 0 && !locked && u.Enabled && org.Enabled {
		l.ledger.put(o)
	}
	return locked, nil
}

// failures reads what is counted for a source, and whether there is no room to
// count it: so many others are locked out that a new one is locked out, too.
// Otherwise one could guess from ever more addresses without being counted.
func (l *Logins) failures(ctx context.Context, a attempt, at time.Time) (f LoginFailures, crowded bool, err error) {
	err = l.store.View(ctx, func(r Reader) (err error) {
		f, crowded, err = a.read(r, at)
		return err
	})
	return f, crowded, err
}

// attempt says whose failures are counted from where. The zero User is nobody.
type attempt struct {
	Org    OrgID
	User   UserID
	Source string
}

func (a attempt) read(r Reader, at time.Time) (f LoginFailures, crowded bool, err error) {
	f, err = r.LoginFailures(a.Org, a.User, a.Source)
	isNew := problem.Has(err, problem.NotFound)
	if err != nil && !isNew {
		return LoginFailures{}, false, err
	}
	locked, err := r.LockedSources(a.Org, a.User, at)
	if isNew {
		f = LoginFailures{Org: a.Org, User: a.User, Source: a.Source}
	}
	return f, isNew && locked >= SourcesPerUser, err
}

// outcome is how an attempt ended, and what the organization makes of it.
type outcome struct {
	attempt
	policy PasswordPolicy
	at     time.Time
	wrong  bool
}

// after is what is counted then. A right password forgets the wrong ones before
// it, unless another cell has locked the source out meanwhile.
func (o outcome) after(f LoginFailures) LoginFailures {
	switch {
	case o.wrong:
		return f.failed(o.policy, o.at)
	case o.at.Before(f.LockedUntil):
		return f
	}
	return LoginFailures{Org: o.Org, User: o.User, Source: o.Source}
}

// write counts o while the user's row is held, so that each of several at once
// counts.
func (o outcome) write(tx Tx) error {
	if err := tx.LockUser(o.Org, o.User); err != nil {
		return err
	}
	f, crowded, err := o.read(tx, o.at)
	if err != nil || crowded {
		return err
	}
	if f = o.after(f); f.Failures == 0 {
		return tx.ClearLoginFailures(o.Org, o.User, o.Source)
	}
	return tx.PutLoginFailures(f)
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
