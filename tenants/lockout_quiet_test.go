package tenants_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// held is a store whose transactions begin when gate is closed.
type held struct {
	tenants.Store
	gate chan struct{}
}

func (h held) InTx(ctx context.Context, f func(tenants.Tx) error) error {
	select {
	case <-h.gate:
		return h.Store.InTx(ctx, f)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestLockout_R6_RefusalsCostTheSame: neither the answer nor the work behind it
// tells whether organization or user exist, are disabled or count failures,
// whether the address is locked out, or the password was right. No answer waits
// for a write: none can happen here.
func TestLockout_R6_RefusalsCostTheSame(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		free := *p.acme
		p.lockOut()
		p.hire("ada", p.author)
		off := p.hire("off", p.author)
		p.must(p.edit(p.boss, off, func(u *tenants.User) { u.Enabled = false }))
		disabled := *p.acme
		disabled.Enabled = false
		h := held{db.Tenants(), make(chan struct{})}
		logins := tenants.NewLogins(h, p.hasher, func() time.Time { return p.now })
		cost := func(org *tenants.Snapshot, name string, password secret.Text) int64 {
			before := db.Statements()
			_, err := logins.Check(p.ctx(), org, name, password, elsewhere)
			wantProblem(t, err, problem.Unauthenticated)
			return db.Statements() - before
		}
		want := cost(p.acme, "ada", "wrong")
		for _, tt := range []struct {
			what     string
			org      *tenants.Snapshot
			name     string
			password secret.Text
		}{
			{"wrong again", p.acme, "ada", "wrong"},
			{"locking", p.acme, "ada", "wrong"},
			{"locked out", p.acme, "ada", "wrong"},
			{"locked out, right", p.acme, "ada", password},
			{"nobody", p.acme, "eve", password},
			{"nobody again", p.acme, "eve", password},
			{"a disabled user, wrong", p.acme, "off", "wrong"},
			{"a disabled user, right", p.acme, "off", password},
			{"a disabled organization, wrong", &disabled, "boss", "wrong"},
			{"a disabled organization, right", &disabled, "boss", password},
			{"no lock-out", &free, "ada", "wrong"},
			{"no lock-out, nobody", &free, "eve", "wrong"},
		} {
			if got := cost(tt.org, tt.name, tt.password); got != want {
				t.Errorf("%s costs %d statements, a wrong password %d", tt.what, got, want)
			}
		}
		// The caller has asked for an unknown organization, and not for one that
		// it remembers.
		if got := cost(nil, "ada", password); got != want-1 {
			t.Errorf("an unknown organization costs %d statements, want %d", got, want-1)
		}
		if _, err := logins.Check(p.ctx(), p.acme, "clerk", password, elsewhere); err != nil {
			t.Errorf("others' failures lock out: %v", err)
		}
		close(h.gate)
		p.must(logins.Stop(p.ctx()))
		if p.try(password, elsewhere) || !p.try(password, here) {
			t.Error("what was counted is not what was written")
		}
	})
}

// A right password that is not yet written forgets the wrong ones, too.
func TestLockout_CountsWhatIsNotYetWritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.lockOut()
		p.hire("ada", p.author)
		h := held{db.Tenants(), make(chan struct{})}
		logins := tenants.NewLogins(h, p.hasher, func() time.Time { return p.now })
		for i, step := range []struct {
			password secret.Text
			in       bool
		}{{"wrong", false}, {"wrong", false}, {password, true}, {"wrong", false}, {"wrong", false}, {password, true}, {"wrong", false}, {"wrong", false}, {"wrong", false}, {password, false}} {
			if in := p.tryWith(logins, step.password, elsewhere); in != step.in {
				t.Fatalf("step %d: logged in is %v", i, in)
			}
		}
		close(h.gate)
		p.must(logins.Stop(p.ctx()))
		if p.try(password, elsewhere) {
			t.Error("the lock was not written")
		}
	})
}

// failures puts n sources into what is counted for a user.
func (p *people) failures(u tenants.User, n int, locked bool) {
	p.t.Helper()
	p.inTx(func(tx tenants.Tx) error {
		for i := range n {
			f := tenants.LoginFailures{Org: u.Org, User: u.ID, Source: fmt.Sprintf("2001:db8:0:%x::/64", i), Failures: 1, LastAt: p.now}
			if locked {
				f.Failures, f.LockedUntil = 3, p.now.Add(10*time.Minute)
			}
			if err := tx.PutLoginFailures(f); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *people) lockedSources(u tenants.User) (n int) {
	p.t.Helper()
	p.must(p.db.Tenants().View(p.ctx(), func(r tenants.Reader) (err error) {
		n, err = r.LockedSources(u.Org, u.ID, p.now)
		return err
	}))
	return n
}

// TestLockout_R13_NotFlushedByFailingElsewhere: who is locked out does not get
// rid of it by failing from more addresses than are kept.
func TestLockout_R13_NotFlushedByFailingElsewhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.lockOut()
		u := p.hire("ada", p.author)
		for range 3 {
			p.try("wrong", elsewhere)
		}
		p.now = p.now.Add(time.Second)
		p.failures(u, 2*tenants.SourcesPerUser, false)
		if p.try(password, elsewhere) || p.lockedSources(u) != 1 {
			t.Error("the lock was flushed")
		}
		if !p.try(password, here) {
			t.Error("others are locked out")
		}
		p.now = p.now.Add(10 * time.Minute)
		p.failures(u, 2*tenants.SourcesPerUser, false)
		if !p.try(password, elsewhere) {
			t.Error("a lock that ended holds")
		}
	})
}

// TestLockout_R13_NoRoomIsLockedOut: when as many sources are locked out as are
// kept, a new one is too, whatever its password; but not one that is known.
func TestLockout_R13_NoRoomIsLockedOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.lockOut()
		p.acme.Settings.Passwords.InvalidLogins = 1 // each wrong password is a lock
		u := p.hire("ada", p.author)
		p.failures(u, tenants.SourcesPerUser-1, true)
		if !p.try(password, here) || p.try("wrong", elsewhere) {
			t.Error("there is room for one more")
		}
		known := tenants.Origin{Source: here.Source, Known: true}
		for range 2 {
			if p.try(password, here) || p.try("wrong", here) || p.try("wrong", known) {
				t.Error("a new source gets in where nothing counts it")
			}
			if !p.try(password, known) {
				t.Error("a known source is locked out by strangers")
			}
		}
		if p.try(password, tenants.Origin{Source: elsewhere.Source, Known: true}) {
			t.Error("a known source is not locked out by its own failures")
		}
		if n := p.lockedSources(u); n != tenants.SourcesPerUser {
			t.Errorf("%d sources are locked out", n)
		}
		p.now = p.now.Add(10 * time.Minute)
		if !p.try(password, here) {
			t.Error("the crowd's locks ended, and still they hold")
		}
	})
}
