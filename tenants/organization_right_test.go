package tenants_test

import (
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// Each part of an organization takes its own right, and no other one opens it.
func TestOrganizations_R7_EachPartTakesItsOwnRight(t *testing.T) {
	t.Parallel()
	parts := map[string]struct {
		right  tenants.Right
		change func(*tenants.Organization)
	}{
		"full name":      {tenants.RightOrganizationEdit, func(o *tenants.Organization) { o.DisplayName += "x" }},
		"description":    {tenants.RightOrganizationEdit, func(o *tenants.Organization) { o.Description += "x" }},
		"enabled":        {tenants.RightOrganizationEdit, func(o *tenants.Organization) { o.Enabled = !o.Enabled }},
		"publishing":     {tenants.RightOrganizationEdit, func(o *tenants.Organization) { o.Settings.CanPublishExternally = !o.Settings.CanPublishExternally }},
		"boot":           {tenants.RightOrganizationEdit, func(o *tenants.Organization) { o.Settings.DelayAfterPowerOnSeconds++ }},
		"name":           {tenants.RightOrganizationName, func(o *tenants.Organization) { o.Name += "x" }},
		"stored quota":   {tenants.RightOrganizationQuotas, func(o *tenants.Organization) { o.Settings.StoredVMQuota++ }},
		"deployed quota": {tenants.RightOrganizationQuotas, func(o *tenants.Organization) { o.Settings.DeployedVMQuota++ }},
		"lease":          {tenants.RightOrganizationLeases, func(o *tenants.Organization) { o.Settings.VAppLease.DeploymentSeconds++ }},
		"template lease": {tenants.RightOrganizationLeases, func(o *tenants.Organization) { o.Settings.VAppTemplateLease.StorageSeconds++ }},
		"directory":      {tenants.RightOrganizationLDAP, func(o *tenants.Organization) { o.Settings.LdapCustomUsersOU += "x" }},
		"lock-out":       {tenants.RightOrganizationPasswords, func(o *tenants.Organization) { o.Settings.Passwords.InvalidLogins++ }},
		"rotation": {tenants.RightOrganizationOAuth, func(o *tenants.Organization) {
			o.Settings.Tokens.MaxRetries = tenants.Just(o.Settings.Tokens.MaxRetries.Or(0) + 1)
		}},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		holder := map[tenants.Right]tenants.Caller{}
		for i, right := range tenants.OrganizationEditRights() {
			name := "holder " + string(rune('a'+i))
			_, err := p.CreateRole(p.ctx(), administrator(), tenants.SystemOrgID, name, []tenants.Right{right})
			p.must(err)
			holder[right] = p.person(tenants.SystemOrgID, name, name)
		}
		tested := map[tenants.Right]bool{}
		for name, part := range parts {
			tested[part.right] = true
			for right, by := range holder {
				before, want := p.snapshot(p.acme.ID).Organization, problem.Code("")
				if right != part.right {
					want = problem.Forbidden
				}
				wantProblem(t, p.change(by, p.acme.ID, part.change), want)
				if after := p.snapshot(p.acme.ID).Organization; (after != before) != (right == part.right) {
					t.Errorf("%s with %q: %+v became %+v", name, right, before, after)
				}
			}
		}
		if len(tested) != len(holder) {
			t.Errorf("%d rights change something, want all %d", len(tested), len(holder))
		}
		// Two parts at once take both rights, and without one neither is changed.
		before := p.snapshot(p.acme.ID).Organization
		wantProblem(t, p.change(holder[tenants.RightOrganizationEdit], p.acme.ID, func(o *tenants.Organization) {
			o.Description, o.Settings.Passwords.LockoutEnabled = "new", true
		}), problem.Forbidden)
		if after := p.snapshot(p.acme.ID).Organization; after != before {
			t.Errorf("%+v became %+v", before, after)
		}
	})
}
