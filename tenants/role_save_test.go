package tenants_test

import (
	"slices"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// A whole role is saved or nothing of it: what is refused renames nothing, and what
// somebody else changed meanwhile is not lost.
func TestReplaceRole_R7_AllOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		text := tenants.RoleText{Name: "Reader", BundleKey: tenants.UndefinedBundleKey}
		role, err := p.service.CreateRole(p.ctx(), p.boss, p.acme, text, tenants.RightUserView)
		p.must(err)
		other := tenants.RoleText{Name: "Writer"}
		replace := func(seen string, rights ...tenants.Right) error {
			_, err := p.service.ReplaceRole(p.ctx(), p.boss, p.acme, role.ID, seen, other, rights)
			return err
		}
		wantProblem(t, replace(role.Version(), tenants.RightSiteManage), problem.BadRequest)
		wantProblem(t, replace("another", tenants.RightRoleView), problem.Conflict)
		_, err = p.service.CreateRole(p.ctx(), p.boss, p.acme, other, tenants.RightSiteManage)
		wantProblem(t, err, problem.BadRequest)
		now, err := p.service.Role(p.ctx(), p.acme.ID, role.ID)
		p.must(err)
		if now.Name != "Reader" || !slices.Equal(now.Rights, []tenants.Right{tenants.RightUserView}) || now.Version() != role.Version() {
			t.Errorf("what was refused left %+v", now)
		}
		p.must(replace(role.Version(), tenants.RightRoleView))
		now, err = p.service.Role(p.ctx(), p.acme.ID, role.ID)
		p.must(err)
		if now.Name != "Writer" || !slices.Equal(now.Rights, []tenants.Right{tenants.RightRoleView}) {
			t.Errorf("it is %+v", now)
		}
		wantProblem(t, replace(role.Version(), tenants.RightUserView), problem.Conflict)
	})
}

// What an organization loses is what no other bundle gives it.
func TestWithdrawal_R7_IsWhatNobodyElsePublishes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		first := tenants.DefaultRightsBundles()[0].ID
		lost, err := p.service.Withdrawal(p.ctx(), first, p.acme.ID)
		p.must(err)
		if lost != p.snapshot(p.acme.ID).Available() {
			t.Errorf("without its only bundle it keeps %q", p.snapshot(p.acme.ID).Available().Minus(lost).List())
		}
		second, err := p.service.CreatePublication(p.ctx(), p.root, tenants.RightsBundle, tenants.RoleText{Name: "Second"}, false, tenants.RightUserView)
		p.must(err)
		again, err := p.service.Withdrawal(p.ctx(), first, p.acme.ID)
		p.must(err)
		if again != lost {
			t.Error("a bundle that is not published here saves something")
		}
		p.must(p.service.Publish(p.ctx(), p.root, tenants.RightsBundle, second.ID, []tenants.OrgID{p.acme.ID}))
		again, err = p.service.Withdrawal(p.ctx(), first, p.acme.ID)
		p.must(err)
		if again != lost.Without(tenants.RightUserView) {
			t.Errorf("with the second bundle it loses %d of %d", again.Len(), lost.Len())
		}
		_, err = p.service.ReplacePublication(p.ctx(), p.root, tenants.RightsBundle, second.ID, "another", tenants.RoleText{Name: "Third"}, nil)
		wantProblem(t, err, problem.Conflict)
	})
}
