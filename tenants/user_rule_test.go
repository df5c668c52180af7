package tenants_test

import (
	"sync"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// A clerk who manages users and nothing else must not become an administrator
// by giving the role away or by taking an administrator's user over.
func TestUsers_R7_NobodyRulesTheMightier(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		orgAdmin := p.roleID(p.acme.ID, tenants.OrganizationAdministrator)
		boss := tenants.User{ID: tenants.UserID(p.boss.Principal.ID), Org: p.acme.ID, Name: "boss"}
		peer := p.hire("peer", p.small)
		before := p.read(boss)

		_, err := p.service.CreateUser(p.ctx(), p.clerk, p.acme, tenants.User{Name: "eve", Role: orgAdmin, Enabled: true}, password)
		wantProblem(t, err, problem.Forbidden)
		_, err = p.service.CreateUser(p.ctx(), p.clerk, p.acme, tenants.User{Name: "eve", Role: p.author}, password)
		wantProblem(t, err, problem.Forbidden)
		for name, err := range map[string]error{
			"another role":      p.edit(p.clerk, boss, func(u *tenants.User) { u.Role = p.small }),
			"another password":  p.setPassword(p.clerk, boss, "another password"),
			"disabling":         p.edit(p.clerk, boss, disable),
			"another provider":  p.edit(p.clerk, boss, func(u *tenants.User) { u.ProviderType = tenants.ProviderSAML }),
			"deleting":          p.service.DeleteUser(p.ctx(), p.clerk, p.acme, boss.ID),
			"taking ownership":  p.service.TakeOwnership(p.ctx(), p.clerk, p.acme, boss.ID),
			"a role for a peer": p.edit(p.clerk, peer, func(u *tenants.User) { u.Role = orgAdmin }),
			"a role for oneself": p.edit(p.clerk, tenants.User{ID: tenants.UserID(p.clerk.Principal.ID), Org: p.acme.ID},
				func(u *tenants.User) { u.Role = orgAdmin }),
		} {
			if !problem.Has(err, problem.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := p.read(boss); got != before || !p.live(p.boss.Principal.Session) {
			t.Errorf("%+v", got)
		}
		for name, err := range map[string]error{
			"what is harmless":    p.edit(p.clerk, boss, func(u *tenants.User) { u.FullName = "The Boss" }),
			"an equal's role":     p.edit(p.clerk, peer, func(u *tenants.User) { u.Role = p.small }),
			"an equal's password": p.setPassword(p.clerk, peer, "another password"),
			"an equal":            p.service.DeleteUser(p.ctx(), p.clerk, p.acme, peer.ID),
			"the provider":        p.setPassword(p.root, boss, "another password"),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// What counts are the caller's rights of now, at home: a role may be reduced, and
// the provider's people need rights like everybody else.
func TestUsers_R7_ProviderWithoutTheRight(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		_, err := p.CreateRole(p.ctx(), administrator(), tenants.SystemOrgID, "Help Desk", []tenants.Right{tenants.RightUserManage})
		p.must(err)
		desk := p.person(tenants.SystemOrgID, "desk", "Help Desk")
		boss := tenants.User{ID: tenants.UserID(p.boss.Principal.ID), Org: p.acme.ID}
		wantProblem(t, p.setPassword(desk, boss, "another password"), problem.Forbidden)
		wantProblem(t, p.setPassword(desk, tenants.User{ID: tenants.UserID(p.clerk.Principal.ID), Org: p.acme.ID}, "another password"), "")
		wantProblem(t, p.setPassword(desk, tenants.User{ID: tenants.UserID(p.root.Principal.ID), Org: tenants.SystemOrgID}, "another password"), problem.Forbidden)
	})
}

// A role that was withdrawn allows nothing: its holders can still be managed.
func TestUsers_HoldersOfWithdrawnRoles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u := p.hire("ada", p.roleID(p.acme.ID, "vApp Author"))
		p.inTx(func(tx tenants.Tx) error {
			list, _, err := tx.Publications(tenants.GlobalRole, tenants.Query{Where: "name = ?", Args: []any{"vApp Author"}, Page: 1, PageSize: 1})
			if err != nil {
				return err
			}
			list[0].PublishAll = false
			return tx.UpdatePublication(list[0])
		})
		p.must(p.edit(p.boss, u, func(u *tenants.User) { u.FullName = "Ada" }))
		p.must(p.edit(p.boss, u, disable))
		p.must(p.edit(p.boss, u, func(u *tenants.User) { u.Role = p.author }))
	})
}

func TestUsers_NobodyRemovesThemselves(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		self := tenants.User{ID: tenants.UserID(p.boss.Principal.ID), Org: p.acme.ID}
		wantProblem(t, p.edit(p.boss, self, disable), problem.Forbidden)
		wantProblem(t, p.service.DeleteUser(p.ctx(), p.boss, p.acme, self.ID), problem.Forbidden)
		wantProblem(t, p.edit(p.boss, self, func(u *tenants.User) { u.Email = "me@example.com" }), "")
		// One's own password ends one's other sessions only.
		other := p.session(p.read(self))
		p.must(p.setPassword(p.boss, self, "another password"))
		if !p.live(p.boss.Principal.Session) || p.live(other) {
			t.Error("the wrong session ended")
		}
	})
}

// A provider without anybody who can log in as its administrator is lost.
func TestUsers_TheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		system := p.snapshot(tenants.SystemOrgID)
		deputy, err := p.CreateRole(p.ctx(), administrator(), tenants.SystemOrgID, "Deputy", tenants.AllRights().List())
		p.must(err)
		by := p.person(tenants.SystemOrgID, "deputy", "Deputy")
		root := tenants.User{ID: tenants.UserID(p.root.Principal.ID), Org: tenants.SystemOrgID}
		// Neither of these two can log in.
		for _, u := range []tenants.User{
			{Name: "off", Role: p.root.Principal.Role}, {Name: "saml", Role: p.root.Principal.Role, Enabled: true, ProviderType: tenants.ProviderSAML},
		} {
			given := password
			if u.Imported() && u.ProviderType != "" {
				given = ""
			}
			_, err := p.service.CreateUser(p.ctx(), by, system, u, given)
			p.must(err)
		}
		for name, err := range map[string]error{
			"disable": p.edit(by, root, disable),
			"demote":  p.edit(by, root, func(u *tenants.User) { u.Role = deputy.ID }),
			"import":  p.edit(by, root, func(u *tenants.User) { u.ProviderType = tenants.ProviderOAuth }),
			"delete":  p.service.DeleteUser(p.ctx(), by, system, root.ID),
		} {
			if !problem.Has(err, problem.Conflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		p.must(p.edit(by, root, func(u *tenants.User) { u.FullName = "Root" }))
		p.person(tenants.SystemOrgID, "second", tenants.SystemAdministrator)
		p.must(p.edit(by, root, disable))
	})
}

// Of administrators who are all removed at the same moment one is left.
func TestUsers_AdministratorsRemovedAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		system := p.snapshot(tenants.SystemOrgID)
		deputy, err := p.CreateRole(p.ctx(), administrator(), tenants.SystemOrgID, "Deputy", tenants.AllRights().List())
		p.must(err)
		by := tenants.Caller{Principal: p.holder(tenants.SystemOrgID, deputy.ID)}
		admins := []tenants.Caller{p.root}
		for _, name := range []string{"second", "third", "fourth"} {
			admins = append(admins, p.person(tenants.SystemOrgID, name, tenants.SystemAdministrator))
		}
		errs := make([]error, len(admins))
		var wait sync.WaitGroup
		for i := range admins {
			target := tenants.UserID(admins[i].Principal.ID)
			wait.Go(func() {
				if i%2 == 0 {
					errs[i] = p.service.DeleteUser(p.ctx(), by, system, target)
				} else {
					errs[i] = p.edit(by, tenants.User{ID: target, Org: system.ID}, disable)
				}
			})
		}
		wait.Wait()
		refused := 0
		for i, err := range errs {
			switch {
			case problem.Has(err, problem.Conflict):
				refused++
			case err != nil:
				t.Errorf("%d: %v", i, err)
			}
		}
		if refused != 1 {
			t.Errorf("%d of %d were refused: %v", refused, len(errs), errs)
		}
	})
}
