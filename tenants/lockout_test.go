package tenants_test

import (
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

const elsewhere = "198.51.100.7"

// lockOut makes acme lock out after three wrong passwords for ten minutes.
func (p *people) lockOut() {
	p.t.Helper()
	strict := *p.acme
	strict.Settings.Passwords = tenants.PasswordPolicy{LockoutEnabled: true, InvalidLogins: 3, LockoutIntervalMinutes: 10}
	p.acme = &strict
}

// try logs in and returns whether it worked.
func (p *people) try(password secret.Text, from string) bool {
	p.t.Helper()
	_, err := p.logins().Check(p.ctx(), p.acme, "ada", password, from)
	if err != nil {
		wantProblem(p.t, err, problem.Unauthenticated)
	}
	return err == nil
}

// TestLockout_R5_OfTheAddressAlone: a stranger who guesses locks out nobody but
// the stranger.
func TestLockout_R5_OfTheAddressAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.lockOut()
		u := p.hire("ada", p.author)
		for i, step := range []struct {
			password secret.Text
			from     string
			later    time.Duration
			in       bool
			locked   bool // as administrators see it then
		}{
			{"wrong", elsewhere, 0, false, false},
			{"wrong", elsewhere, 0, false, false},
			{password, here, 0, true, false},
			{password, elsewhere, 0, true, false}, // a right one begins anew
			{"wrong", elsewhere, 0, false, false},
			{"wrong", elsewhere, 0, false, false},
			{"wrong", elsewhere, 0, false, true},
			{password, elsewhere, 0, false, true},
			{password, here, 0, true, true},
			{password, elsewhere, 9 * time.Minute, false, true}, // trying on
			{password, elsewhere, 59 * time.Second, false, true},
			{password, elsewhere, time.Second, true, false}, // does not make it longer
			{"wrong", elsewhere, 0, false, false},
			{"wrong", elsewhere, 0, false, false},
			{"wrong", elsewhere, 10 * time.Minute, false, false}, // what is long ago does not count
			{"wrong", elsewhere, 0, false, false},
			{"wrong", elsewhere, 0, false, true},
			{"wrong", elsewhere, 10 * time.Minute, false, false}, // after the lock it begins anew
			{password, elsewhere, 0, true, false},
		} {
			p.now = p.now.Add(step.later)
			if in := p.try(step.password, step.from); in != step.in {
				t.Fatalf("step %d: logged in is %v", i, in)
			}
			if locked := p.read(u).Locked; locked != step.locked {
				t.Fatalf("step %d: locked is %v", i, locked)
			}
		}
	})
}

func TestLockout_OffByDefault(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u := p.hire("ada", p.author)
		for range 10 {
			p.try("wrong", here)
		}
		if !p.try(password, here) || p.read(u).Locked {
			t.Error("a lock-out that nobody asked for")
		}
	})
}

func TestLockout_Unlock(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.lockOut()
		u := p.hire("ada", p.author)
		for _, from := range []string{here, elsewhere} {
			for range 3 {
				p.try("wrong", from)
			}
		}
		got, err := p.service.UpdateUser(p.ctx(), p.clerk, p.acme, u.ID, tenants.UserEdit{Unlock: true})
		p.must(err)
		if got.Locked || p.read(u).Locked || !p.try(password, here) || !p.try(password, elsewhere) {
			t.Error("still locked")
		}
		_, err = p.service.UpdateUser(p.ctx(), p.clerk, p.acme, u.ID, tenants.UserEdit{Unlock: true}) // again
		p.must(err)
		if rows := p.recorded(journal.UserUnlocked); len(rows) != 1 || rows[0].Subject.ID != string(u.ID) {
			t.Errorf("%+v", rows)
		}
	})
}

// Guesses made at once all count, so one made with them is no better.
func TestLockout_FailuresAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.lockOut()
		p.acme.Settings.Passwords.InvalidLogins = 8
		u := p.hire("ada", p.author)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() { p.try("wrong", elsewhere) })
		}
		wait.Wait()
		if p.try(password, elsewhere) || !p.read(u).Locked {
			t.Error("a failure did not count")
		}
	})
}

// TestLockout_R6_RefusalsCostTheSame: neither the answer nor the work behind it
// tells whether the user exists, the address is locked out, or the password was
// right.
func TestLockout_R6_RefusalsCostTheSame(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.lockOut()
		p.hire("ada", p.author)
		cost := func(name string, password secret.Text) int64 {
			before := db.Statements()
			_, err := p.logins().Check(p.ctx(), p.acme, name, password, elsewhere)
			wantProblem(t, err, problem.Unauthenticated)
			return db.Statements() - before
		}
		want := cost("ada", "wrong")
		for range 2 {
			cost("ada", "wrong")
		}
		for name, got := range map[string]int64{
			"locked out": cost("ada", "wrong"), "locked out, right": cost("ada", password), "nobody": cost("eve", password), "nobody again": cost("eve", password),
		} {
			if got != want {
				t.Errorf("%s costs %d statements, a wrong password %d", name, got, want)
			}
		}
		for _, name := range []string{"boss", "clerk"} { // the line of no address locks nobody out
			if _, err := p.logins().Check(p.ctx(), p.acme, name, password, elsewhere); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
