package tenants_test

import (
	"sync"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

func TestUsers_SessionsEndWithWhatOpenedThem(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		for _, tt := range []struct {
			name string
			do   func(u tenants.User) error
			ends bool
		}{
			{"disabling", func(u tenants.User) error { return p.edit(p.boss, u, disable) }, true},
			{"a password", func(u tenants.User) error { return p.setPassword(p.boss, u, "another password") }, true},
			{"deleting", func(u tenants.User) error { return p.service.DeleteUser(p.ctx(), p.boss, p.acme, u.ID) }, true},
			{"a role", func(u tenants.User) error { return p.edit(p.boss, u, func(u *tenants.User) { u.Role = p.small }) }, false},
			{"a text", func(u tenants.User) error { return p.edit(p.boss, u, func(u *tenants.User) { u.FullName = "Ada" }) }, false},
		} {
			u := p.hire("ada "+tt.name, p.author)
			session := p.session(u)
			p.must(tt.do(u))
			if p.live(session) == tt.ends {
				t.Errorf("%s: the session's end is %v, want %v", tt.name, !tt.ends, tt.ends)
			}
			if !p.live(p.boss.Principal.Session) {
				t.Errorf("%s ended somebody else's session", tt.name)
			}
		}
	})
}

// Whoever logs in while being disabled either has a session that ends or none.
func TestUsers_LoginRacesDisabling(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u := p.hire("ada", p.author)
		for range 10 {
			p.must(p.edit(p.boss, u, func(u *tenants.User) { u.Enabled = true }))
			session := p.newSession(u)
			var opened, disabled error
			var wait sync.WaitGroup
			wait.Go(func() { opened = p.open(session) })
			wait.Go(func() { disabled = p.edit(p.boss, u, disable) })
			wait.Wait()
			p.must(disabled)
			if opened != nil && !problem.Has(opened, problem.NotFound) && !problem.Has(opened, problem.Unauthenticated) {
				t.Fatal(opened)
			}
			if opened == nil && p.live(session.ID) {
				t.Fatal("a disabled user has a session")
			}
		}
		if p.open(p.newSession(u)) == nil {
			t.Error("a disabled user opened a session")
		}
	})
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u := p.hire("ada", p.author)
		ada, other := p.caller(u), p.session(u)
		machine, visitor := ada, ada
		machine.Principal.Kind = tenants.KindServiceAccount
		visitor.Principal.Session = "" // a peer site vouches
		for _, tt := range []struct {
			name         string
			by           tenants.Caller
			current, new secret.Text
			want         problem.Code
		}{
			{"a wrong password", ada, password + "r", "another password", problem.BadRequest},
			{"no password", ada, "", "another password", problem.BadRequest},
			{"a short one", ada, password, "1234567", problem.BadRequest},
			{"none", ada, password, "", problem.BadRequest},
			{"VCD-31 a machine", machine, password, "another password", problem.Forbidden},
			{"from another site", visitor, password, "another password", problem.Forbidden},
		} {
			if err := p.service.ChangePassword(p.ctx(), tt.by, tt.current, tt.new); !problem.Has(err, tt.want) {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		}
		if got := p.read(u); got != u || !p.live(other) {
			t.Errorf("%+v", got)
		}
		p.must(p.service.ChangePassword(p.ctx(), ada, password, "another password"))
		if !p.live(ada.Principal.Session) || p.live(other) {
			t.Error("the wrong session ended")
		}
		_, err := p.logins().Check(p.ctx(), p.acme, "ada", password, here)
		wantProblem(t, err, problem.Unauthenticated)
		_, err = p.logins().Check(p.ctx(), p.acme, "ada", "another password", here)
		wantProblem(t, err, "")
	})
}

// Of two who know the password and change it at once, one knows the new one.
func TestChangePassword_AtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		ada := p.caller(p.hire("ada", p.author))
		wanted := []secret.Text{"one password", "two passwords"}
		errs := make([]error, len(wanted))
		var wait sync.WaitGroup
		for i := range wanted {
			wait.Go(func() { errs[i] = p.service.ChangePassword(p.ctx(), ada, password, wanted[i]) })
		}
		wait.Wait()
		for i, err := range errs {
			_, login := p.logins().Check(p.ctx(), p.acme, "ada", wanted[i], here)
			if (err == nil) != (login == nil) {
				t.Errorf("%d: the change says %v, the login %v", i, err, login)
			}
		}
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("both: %v", errs)
		}
	})
}
