package oauth_test

import (
	"testing"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// changeUser does what an administrator does to the world's user.
func (w *world) changeUser(change func(*tenants.User)) {
	w.t.Helper()
	change(&w.user)
	w.inTenants(func(tx tenants.Tx) error {
		if err := tx.UpdateUser(w.user); err != nil {
			return err
		}
		return tx.Record(w.entry(journal.UserUpdated, journal.Subject{Kind: journal.KindUser, ID: string(w.user.ID)}))
	})
}

// A person's session goes by the user as it is, on a cell that remembers the
// token and on one that does not.
func TestPerson_R7_RoleCountsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		knows, token := w.own(w.run()), w.loginLegacy()
		w.must(knows.use(w.ctx(), token.AccessToken))
		w.must(knows.use(w.ctx(), token.LegacyToken))
		w.changeUser(func(u *tenants.User) { u.Role = w.roles[viewer] })
		for _, text := range []string{token.AccessToken.Reveal(), token.LegacyToken.Reveal()} {
			for name, cell := range map[string]*oauth.Authenticator{"knows": knows.Authenticator, "does not": w.cell()} {
				p, err := cell.Authenticate(w.ctx(), text)
				w.must(err)
				if p.Role != w.roles[viewer] || p.RoleName != viewer {
					t.Errorf("on a cell that %s the token the role is %q", name, p.RoleName)
				}
				wantProblem(t, w.orgs.Require(w.ctx(), p, w.org, tenants.RightAccountsManage), problem.Forbidden)
			}
		}
	})
}

func TestPerson_R4_SwitchedOff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		knows, token := w.own(w.run()), w.login().AccessToken
		w.must(knows.use(w.ctx(), token))
		w.changeUser(func(u *tenants.User) { u.Enabled = false })
		wantProblem(t, knows.use(w.ctx(), token), problem.Unauthenticated)
		w.wantAlive(token, false)
	})
}

// A role that gets another name has it in sessions that run.
func TestSession_RoleRenamed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		knows, token := w.own(w.run()), w.activate(w.newAccount()).AccessToken
		w.must(knows.use(w.ctx(), token))
		w.inTenants(func(tx tenants.Tx) error {
			if err := tx.UpdateRole(tenants.Role{ID: w.roles[deployer], Org: w.org, Name: "Renamed"}); err != nil {
				return err
			}
			return tx.Record(w.entry(journal.RoleUpdated, journal.Subject{Kind: journal.KindRole, ID: string(w.roles[deployer])}))
		})
		p, err := knows.Authenticate(w.ctx(), token.Reveal())
		w.must(err)
		if p.RoleName != "Renamed" {
			t.Errorf("the role is still called %q", p.RoleName)
		}
	})
}

// What was switched off while a password was being checked lets nobody in.
func TestOpenSession_R4_SwitchedOffMeanwhile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, off := range map[string]func(*world){
			"the user disabled": func(w *world) { w.changeUser(func(u *tenants.User) { u.Enabled = false }) },
			"the user deleted": func(w *world) {
				w.inTenants(func(tx tenants.Tx) error { return tx.DeleteUser(w.org, w.user.ID) })
			},
			"the organization disabled": func(w *world) {
				o := w.snapshot().Organization
				o.Enabled = false
				w.inTenants(func(tx tenants.Tx) error { return tx.UpdateOrganization(o) })
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				org, user := w.snapshot(), w.user
				off(w)
				_, err := w.service.OpenSession(w.ctx(), from(office), org, user)
				wantProblem(t, err, problem.Unauthenticated)
				_, err = w.service.OpenLegacySession(w.ctx(), from(office), org, user)
				wantProblem(t, err, problem.Unauthenticated)
				_, n, err := w.service.Sessions(w.ctx(), w.org, tenants.Query{Page: 1, PageSize: 10})
				if err != nil || n != 0 {
					t.Errorf("%d sessions, %v", n, err)
				}
			})
		}
	})
}

// The same for an app that fetches its token.
func TestRedeem_R4_OrganizationSwitchedOffMeanwhile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		d := w.startDevice(a)
		d.decide(granted)
		o := w.snapshot().Organization // as this cell goes on to believe
		o.Enabled = false
		w.inTenants(func(tx tenants.Tx) error { return tx.UpdateOrganization(o) })
		_, err := d.poll(0)
		wantProblem(t, err, problem.InvalidGrant)
		w.wantStatus(a, oauth.Granted)
	})
}
