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

var elsewhere = tenants.Origin{Source: "198.51.100.7"}

// lockOut makes acme lock out after three wrong passwords for ten minutes.
func (p *people) lockOut() {
	p.t.Helper()
	strict := *p.acme
	strict.Settings.Passwords = tenants.PasswordPolicy{LockoutEnabled: true, InvalidLogins: 3, LockoutIntervalMinutes: 10}
	p.acme = &strict
}

// try logs in and returns whether it worked. What it counts is written then.
func (p *people) try(password secret.Text, from tenants.Origin) bool {
	p.t.Helper()
	logins := p.logins()
	in := p.tryWith(logins, password, from)
	p.must(logins.Stop(p.ctx()))
	return in
}

func (p *people) tryWith(logins *tenants.Logins, password secret.Text, from tenants.Origin) bool {
	p.t.Helper()
	_, err := logins.Check(p.ctx(), p.acme, "ada", password, from)
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
			from     tenants.Origin
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
		for _, from := range []tenants.Origin{here, elsewhere} {
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

// Guesses made at once all count, so one made with them is no better; at the
// same cell it need not wait until they are written.
func TestLockout_FailuresAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.lockOut()
		p.acme.Settings.Passwords.InvalidLogins = 8
		u := p.hire("ada", p.author)
		cells := []*tenants.Logins{p.logins(), p.logins()}
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() { p.tryWith(cells[i%2], "wrong", elsewhere) })
		}
		wait.Wait()
		for _, cell := range cells {
			p.must(cell.Stop(p.ctx()))
		}
		if p.try(password, elsewhere) || !p.read(u).Locked {
			t.Error("a failure did not count")
		}
	})
}
