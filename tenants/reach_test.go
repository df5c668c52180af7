package tenants_test

import (
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// withdraw takes a global role from acme; the returned function gives it back.
func (p *people) withdraw(role tenants.RoleID) (publish func()) {
	p.t.Helper()
	id, to := tenants.PublicationID(role), []tenants.OrgID{p.acme.ID}
	p.must(p.service.Unpublish(p.ctx(), p.root, tenants.GlobalRole, id, to))
	return func() { p.must(p.service.Publish(p.ctx(), p.root, tenants.GlobalRole, id, to)) }
}

// withdrawRight takes a right from every bundle; the returned function gives it back.
func (p *people) withdrawRight(right tenants.Right) (publish func()) {
	p.t.Helper()
	set := func(rights tenants.RightSet) {
		for _, bundle := range tenants.DefaultRightsBundles() {
			_, err := p.service.SetPublicationRights(p.ctx(), p.root, tenants.RightsBundle, bundle.ID, rights.List())
			p.must(err)
		}
	}
	set(tenants.TenantRights().Without(right))
	return func() { set(tenants.TenantRights()) }
}

// Somebody whose role is withdrawn for a moment is still who they will be when it
// is published again: whoever manages users must not get hold of them meanwhile.
func TestUsers_R7_HoldersOfWithdrawnRolesAreNotTakenOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		admin := p.roleID(p.acme.ID, tenants.OrganizationAdministrator)
		boss := p.read(tenants.User{ID: tenants.UserID(p.boss.Principal.ID), Org: p.acme.ID})
		idle, leaver, mover := p.hire("idle", admin), p.hire("leaver", admin), p.hire("mover", admin)
		p.must(p.edit(p.boss, idle, disable))
		publish := p.withdraw(admin)
		for name, err := range map[string]error{
			"another password": p.setPassword(p.clerk, boss, "another password"),
			"the provider's":   p.setPassword(p.root, boss, "another password"),
			"enabling":         p.edit(p.clerk, idle, func(u *tenants.User) { u.Enabled = true }),
			"another provider": p.edit(p.clerk, boss, func(u *tenants.User) { u.ProviderType = tenants.ProviderSAML }),
			"the same role":    p.edit(p.clerk, boss, func(u *tenants.User) { u.Role, u.ProviderType = admin, tenants.ProviderLDAP }),
		} {
			if !problem.Has(err, problem.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"deleting":         p.service.DeleteUser(p.ctx(), p.clerk, p.acme, leaver.ID),
			"another role":     p.edit(p.clerk, mover, func(u *tenants.User) { u.Role = p.small }),
			"a password then":  p.setPassword(p.clerk, mover, "another password"),
			"what is harmless": p.edit(p.clerk, boss, func(u *tenants.User) { u.FullName = "The Boss" }),
			"disabling":        p.edit(p.clerk, boss, disable),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		publish()
		_, err := p.logins().Check(p.ctx(), p.snapshot(p.acme.ID), "boss", "another password", here)
		wantProblem(t, err, problem.Unauthenticated)
		wantProblem(t, p.edit(p.clerk, boss, func(u *tenants.User) { u.Enabled = true }), problem.Forbidden)
	})
}

// What a role holds counts also while it is not published: it comes back.
func TestUsers_R7_WithdrawnRightsCount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		ada := p.hire("ada", p.author)
		publish := p.withdrawRight(viewCatalogs)
		acme := p.snapshot(p.acme.ID)
		if !acme.RightsOf(p.author, tenants.KindUser).Empty() {
			t.Fatal("the role still allows what is withdrawn")
		}
		_, err := p.service.CreateUser(p.ctx(), p.clerk, acme, tenants.User{Name: "eve", Role: p.author, Enabled: true}, password)
		wantProblem(t, err, problem.Forbidden)
		wantProblem(t, p.edit(p.clerk, p.hire("eve", p.small), func(u *tenants.User) { u.Role = p.author }), problem.Forbidden)
		wantProblem(t, p.setPassword(p.clerk, ada, "another password"), problem.Forbidden)
		wantProblem(t, p.service.DeleteUser(p.ctx(), p.clerk, acme, ada.ID), problem.Forbidden)
		// Whoever holds it as well, withdrawn or not, may go on.
		wantProblem(t, p.setPassword(p.boss, ada, "another password"), "")
		wantProblem(t, p.setPassword(p.root, ada, "a third password"), "")
		publish()
		wantProblem(t, p.setPassword(p.clerk, ada, "another password"), problem.Forbidden)
	})
}

// A caller whose role is withdrawn can do nothing, whatever it holds.
func TestUsers_R7_CallersWithWithdrawnRoles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		ada := p.hire("ada", p.author)
		p.withdraw(p.boss.Principal.Role)
		wantProblem(t, p.setPassword(p.boss, ada, "another password"), problem.Forbidden)
		wantProblem(t, p.service.DeleteUser(p.ctx(), p.boss, p.acme, ada.ID), problem.Forbidden)
	})
}

// What the caller's role lost since the request came in is lost, and so is what
// was withdrawn from the organization: nothing remembered decides.
func TestUsers_R7_TheCallersRightsAreReadAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		both := []tenants.Right{tenants.RightUserManage, viewCatalogs}
		lead, err := p.CreateRole(p.ctx(), administrator(), p.acme.ID, "Lead", both)
		p.must(err)
		by, ada := p.person(p.acme.ID, "lead", "Lead"), p.hire("ada", p.author)
		p.must(p.setPassword(by, ada, "another password"))
		acme := p.snapshot(p.acme.ID)
		p.inTx(func(tx tenants.Tx) error { // and the journal says nothing
			return tx.SetRoleRights(p.acme.ID, lead.ID, []tenants.Right{tenants.RightUserManage})
		})
		_, err = p.service.CreateUser(p.ctx(), by, acme, tenants.User{Name: "eve", Role: p.author, Enabled: true}, password)
		wantProblem(t, err, problem.Forbidden)
		_, err = p.service.UpdateUser(p.ctx(), by, acme, ada.ID, tenants.UserEdit{Password: "a third password"})
		wantProblem(t, err, problem.Forbidden)
	})
}

// A password is not even looked at, let alone hashed, for those who may not set it.
func TestUsers_R12_NoHashForTheForbidden(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		boss := tenants.User{ID: tenants.UserID(p.boss.Principal.ID), Org: p.acme.ID}
		admin := p.roleID(p.acme.ID, tenants.OrganizationAdministrator)
		wantProblem(t, p.setPassword(p.boss, boss, "short"), problem.BadRequest)
		wantProblem(t, p.setPassword(p.clerk, boss, "short"), problem.Forbidden)
		_, err := p.service.CreateUser(p.ctx(), p.clerk, p.acme, tenants.User{Name: "eve", Role: admin}, "short")
		wantProblem(t, err, problem.Forbidden)
		p.inTx(func(tx tenants.Tx) error {
			return tx.EndUserSessions(p.acme.ID, tenants.UserID(p.clerk.Principal.ID), "", p.now)
		})
		_, err = p.service.CreateUser(p.ctx(), p.clerk, p.acme, tenants.User{Name: "eve", Role: p.small}, "short")
		wantProblem(t, err, problem.Unauthenticated)
		peer := p.hire("peer", p.small)
		wantProblem(t, p.setPassword(p.clerk, peer, "short"), problem.Unauthenticated)
	})
}

// A role that was drawn up under what a request remembers as published gets
// nothing that is not published any more.
func TestRoles_R7_WhatIsPublishedIsReadAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		stale := p.acme
		p.withdrawRight(viewCatalogs)
		_, err := p.service.AddRoleRights(p.ctx(), p.boss, stale, p.small, []tenants.Right{viewCatalogs})
		wantProblem(t, err, problem.BadRequest)
		_, err = p.service.SetRoleRights(p.ctx(), p.root, stale, p.small, []tenants.Right{viewCatalogs})
		wantProblem(t, err, problem.BadRequest)
		// And a role that holds it is above who does not, though it allows nothing now.
		by := tenants.Caller{Principal: p.holder(p.acme.ID, p.mustRole("Roles", tenants.RightRoleManage))}
		_, err = p.service.UpdateRole(p.ctx(), by, stale, p.author, tenants.RoleText{Name: "mine"})
		wantProblem(t, err, problem.Forbidden)
	})
}

func (p *people) mustRole(name string, rights ...tenants.Right) tenants.RoleID {
	p.t.Helper()
	role, err := p.CreateRole(p.ctx(), administrator(), p.acme.ID, name, rights)
	p.must(err)
	return role.ID
}
