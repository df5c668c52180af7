package store_test

import (
	"errors"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// call is one method, called for organization org about what belongs to owner.
type call struct {
	name string
	do   func(f federation.Tx, o oauth.Tx, n tenants.Tx, org tenants.OrgID, owner *tenant) error
}

// second drops a result that does not matter here.
func second[T any](_ T, err error) error { return err }

// refused makes "false" an absence, for methods that report it so.
func refused(done bool, err error) error {
	if err == nil && !done {
		return problem.New(problem.NotFound, "false")
	}
	return err
}

// tenantCalls are all methods that name a row of an organization.
var tenantCalls = []call{
	{"LiveSession", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.LiveSession(org, w.session.ID, now)
	}},
	{"User", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(n.User(org, w.user, now))
	}},
	{"Role", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(n.Role(org, w.role))
	}},
	{"SetRoleRights", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.SetRoleRights(org, w.role, []tenants.Right{"Task: View", "Organization: View"})
	}},
	{"CreateUser with a role", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: newID[tenants.UserID](), Org: org, Name: "x" + newID[string](), Role: w.role})
	}},
	{"ServiceAccount", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(o.ServiceAccount(org, w.account, now))
	}},
	{"LockServiceAccount", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return o.LockServiceAccount(org, w.account)
	}},
	{"CreateServiceAccount with a role", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return o.CreateServiceAccount(oauth.ServiceAccount{ID: newID[oauth.ClientID](), Org: org, Name: newID[string](), Role: w.role})
	}},
	{"UpdateServiceAccount", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		a, err := o.ServiceAccount(w.org, w.account, now)
		if err != nil {
			return err
		}
		a.Org = org
		return o.UpdateServiceAccount(a)
	}},
	{"DeviceByUserCode", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(o.DeviceByUserCode(org, w.device.UserCode, now))
	}},
	{"OpenDevices in a transaction", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(o.OpenDevices(org, w.account, now))
	}},
	{"LockDevice", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(o.LockDevice(org, w.device.DeviceCode))
	}},
	{"CreateDevice for an account", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		d := w.newDevice(oauth.DeviceDead)
		d.Org = org
		return o.CreateDevice(d)
	}},
	{"SetPolled", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return o.SetPolled(org, w.device.ID, now, w.device.Interval)
	}},
	{"MoveDevice", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return refused(o.MoveDevice(org, w.device.ID, oauth.DevicePending, oauth.DevicePending, now))
	}},
	{"CountRetry", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return refused(o.CountRetry(org, w.family.ID, w.used, true))
	}},
	{"CreateSession of a family", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		s := w.newSession()
		s.Org, s.EndedAt = org, now
		return o.CreateSession(s)
	}},
	{"CreateSession of a user", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		s := w.newSession()
		s.Org, s.EndedAt, s.Family, s.Kind, s.Principal = org, now, "", tenants.KindUser, string(w.user)
		return o.CreateSession(s)
	}},
	{"CreateSession of an API token", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		s := w.newTokenSession()
		s.Org, s.EndedAt = org, now
		return o.CreateSession(s)
	}},
	{"CreateAPIToken for a user", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		a := w.newAPIToken(newID[string]())
		a.Org = org
		return o.CreateAPIToken(a, 100)
	}},
	{"APIToken", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(o.APIToken(org, w.token.ID))
	}},
	{"FetchAPIToken", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		a := w.token
		a.Org = org
		return second(o.FetchAPIToken(a, digest(a.ID)))
	}},
	{"RenameAPIToken", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return o.RenameAPIToken(org, w.token.ID, "renamed")
	}},
	{"DeleteAPIToken", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		a := w.token
		a.Org = org
		return o.DeleteAPIToken(a, now)
	}},
	{"OrgAssociation", func(f federation.Tx, _ oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(f.OrgAssociation(org, w.remote))
	}},
	{"SetRemote", func(f federation.Tx, _ oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return changedOne(f.SetRemote(org, w.remote, "renamed", false))
	}},
	{"SetOrgStatus", func(f federation.Tx, _ oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return changedOne(f.SetOrgStatus(org, w.remote, federation.Asymmetric, federation.StatusChange{Status: federation.StatusActive, At: now}))
	}},
	{"DeleteOrgAssociation", func(f federation.Tx, _ oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return f.DeleteOrgAssociation(org, w.remote)
	}},
	{"CreateFamily for an account", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		f := w.newFamily()
		f.Org, f.RevokedAt = org, now
		return o.CreateFamily(f)
	}},
	{"EndSession", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return o.EndSession(org, w.session.ID, now)
	}},
	{"RevokeFamilies", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return o.RevokeFamilies(org, w.account, now)
	}},
	{"UserByName", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		u, err := n.UserByName(org, "jane", now)
		if err == nil && u.ID != w.user {
			return problem.New(problem.NotFound, "this is the other's jane")
		}
		return err
	}},
	{"LoginFailures", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(n.LoginFailures(org, w.user, source))
	}},
	{"LockedSources", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		f := tenants.LoginFailures{Org: w.org, User: w.user, Source: "elsewhere", Failures: 1, LastAt: now, LockedUntil: now.Add(time.Hour)}
		if err := n.PutLoginFailures(f); err != nil {
			return err
		}
		locked, err := n.LockedSources(org, w.user, now)
		if err == nil && locked == 0 {
			return problem.New(problem.NotFound, "nothing of the other's is seen")
		}
		return err
	}},
	{"LockUser", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.LockUser(org, w.user)
	}},
	{"UpdateUser", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		u, err := n.User(w.org, w.user, now)
		if err != nil {
			return err
		}
		u.Org = org
		return n.UpdateUser(u)
	}},
	{"PutLoginFailures", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.PutLoginFailures(tenants.LoginFailures{Org: org, User: w.user, Source: source, Failures: 1, LastAt: now})
	}},
	{"UpdateRole", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.UpdateRole(tenants.Role{Org: org, ID: w.role, Name: "Deployer"})
	}},
	{"QuotaPolicy", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(n.QuotaPolicy(org, w.quota))
	}},
	{"LockQuotaPolicy", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.LockQuotaPolicy(org, w.quota)
	}},
	{"UpdateQuotaPolicy", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.UpdateQuotaPolicy(tenants.QuotaPolicy{Org: org, ID: w.quota, Name: "small"})
	}},
	{"SetUserQuota", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.SetUserQuota(org, w.user, "")
	}},
	{"SetAccountQuota", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.SetAccountQuota(org, string(w.account), "")
	}},
	{"SetOrganizationQuota to a policy", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return errors.Join(n.SetOrganizationQuota(org, w.quota), n.SetOrganizationQuota(org, ""))
	}},
	{"AccountQuota", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(n.AccountQuota(org, string(w.account)))
	}},
	{"Task", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return second(n.Task(org, w.task))
	}},
	{"DeleteQuotaPolicy", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.DeleteQuotaPolicy(org, w.quota)
	}},
	{"DeleteUser", func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, org tenants.OrgID, w *tenant) error {
		return n.DeleteUser(org, w.user)
	}},
	{"DeleteServiceAccount", func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, org tenants.OrgID, w *tenant) error {
		return o.DeleteServiceAccount(org, w.account, now)
	}},
}

// all runs a call with the three views of one transaction each.
func (c call) run(t *testing.T, db *store.DB, org tenants.OrgID, owner *tenant) error {
	var inner error
	err := db.Federation().InTx(t.Context(), func(f federation.Tx) error {
		inner = c.do(f, f.(oauth.Tx), f.(tenants.Tx), org, owner)
		return inner
	})
	if inner != nil {
		return inner
	}
	return err
}

func TestTenancy_R6_ForeignRowsAreNoRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		own, other := newTenant(t, db, "Own"), newTenant(t, db, "Other")
		before := dump(t, db)
		for _, c := range tenantCalls {
			err := c.run(t, db, other.org, own)
			if !problem.Has(err, problem.NotFound) {
				t.Errorf("%s for another organization: got %v, want not_found", c.name, err)
			}
		}
		if after := dump(t, db); after != before {
			t.Errorf("a refused call changed something:\n%s\nbefore:\n%s", after, before)
		}
		for _, c := range tenantCalls { // the same calls work for the owner: they refuse for no other reason
			if err := c.run(t, db, own.org, own); err != nil {
				t.Errorf("%s for its own organization: %v", c.name, err)
			}
		}
	})
}

// Methods that report nothing when nothing fits must leave others' rows alone.
func TestTenancy_R6_SilentCallsTouchNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		own, other := newTenant(t, db, "Own"), newTenant(t, db, "Other")
		third := newOrg(t, db, "Third")
		before := dump(t, db)
		inOAuth(t, db, func(tx oauth.Tx) error {
			if err := tx.CloseDevices(other.org, own.account, ""); err != nil {
				return err
			}
			return tx.EndSessionsOf(other.org, tenants.KindServiceAccount, string(own.account), now)
		})
		inTenants(t, db, func(tx tenants.Tx) error {
			return errors.Join(
				tx.EndUserSessions(other.org, own.user, "", now),
				tx.ClearLoginFailures(other.org, own.user, ""),
				tx.EndSessions(third.org, now),
			)
		})
		_, rotated, err := db.OAuth().Rotate(t.Context(), func() oauth.Rotation {
			r := own.rotation(1)
			r.Org = other.org
			return r
		}())
		if rotated || err != nil {
			t.Errorf("Rotate for another organization: %v, %v", rotated, err)
		}
		ok(t, db.OAuth().View(t.Context(), func(r oauth.Reader) error {
			open, err := r.OpenDevices(other.org, own.account, now)
			if len(open) > 0 {
				t.Error("OpenDevices shows another organization's requests")
			}
			return err
		}))
		if after := dump(t, db); after != before {
			t.Errorf("something of another organization changed:\n%s\nbefore:\n%s", after, before)
		}
	})
}

func TestTenancy_R6_ListsShowOneOrganization(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		own, other := newTenant(t, db, "Own"), newTenant(t, db, "Other")
		ok(t, db.Federation().View(t.Context(), func(r federation.Reader) error {
			roles, err := r.(tenants.Reader).Roles(own.org)
			if err != nil || len(roles) != 1 || roles[0].ID != own.role {
				t.Errorf("Roles: %+v, %v", roles, err)
			}
			accounts, n, err := r.(oauth.Reader).ServiceAccounts(own.org, tenants.Query{Page: 1, PageSize: 10}, now)
			if err != nil || n != 1 || len(accounts) != 1 || accounts[0].ID != own.account {
				t.Errorf("ServiceAccounts: %+v, %d, %v", accounts, n, err)
			}
			for _, whose := range []oauth.Whose{{All: true}, {Owner: own.user}} {
				tokens, n, err := r.(oauth.Reader).APITokens(own.org, whose, tenants.Query{Page: 1, PageSize: 10})
				if err != nil || n != 1 || tokens[0] != own.token {
					t.Errorf("APITokens of %+v: %+v, %d, %v", whose, tokens, n, err)
				}
			}
			for _, whose := range []oauth.Whose{{}, {Owner: other.user}} {
				if tokens, n, err := r.(oauth.Reader).APITokens(own.org, whose, tenants.Query{Page: 1, PageSize: 10}); err != nil || n != 0 || len(tokens) != 0 {
					t.Errorf("APITokens of %+v: %+v, %d, %v", whose, tokens, n, err)
				}
			}
			orgs, err := r.OrgAssociations(own.org)
			if err != nil || len(orgs) != 1 || orgs[0].Remote != own.remote.Org {
				t.Errorf("OrgAssociations: %+v, %v", orgs, err)
			}
			people, n, err := r.(tenants.Reader).Users(own.org, tenants.Query{Page: 1, PageSize: 10}, now)
			if err != nil || n != 1 || people[0].ID != own.user {
				t.Errorf("Users: %+v, %d, %v", people, n, err)
			}
			page, n, err := r.(tenants.Reader).RolePage(own.org, tenants.Query{Page: 1, PageSize: 10})
			if err != nil || n != 1 || page[0].ID != own.role {
				t.Errorf("RolePage: %+v, %d, %v", page, n, err)
			}
			quotas, n, err := r.(tenants.Reader).QuotaPolicies(own.org, tenants.Query{Page: 1, PageSize: 10})
			if err != nil || n != 1 || quotas[0].ID != own.quota {
				t.Errorf("QuotaPolicies: %+v, %d, %v", quotas, n, err)
			}
			tasks, n, err := r.(tenants.Reader).Tasks(own.org, tenants.Query{Page: 1, PageSize: 10})
			if err != nil || n != 1 || tasks[0].ID != own.task {
				t.Errorf("Tasks: %+v, %d, %v", tasks, n, err)
			}
			rows, n, err := r.(tenants.Reader).Audit(own.org, tenants.Query{Page: 1, PageSize: 10})
			if err != nil || n != 1 || rows[0].Org != string(own.org) {
				t.Errorf("Audit: %+v, %d, %v", rows, n, err)
			}
			org, err := r.(oauth.Reader).AccountOrg(other.account)
			if err != nil || org != other.org {
				t.Errorf("AccountOrg: %v, %v", org, err)
			}
			return nil
		}))
	})
}

// A condition is compiled by others; even a wrong one stays in its organization.
func TestTenancy_R6_ConditionsCannotLeaveTheOrganization(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		own := newTenant(t, db, "Own")
		newTenant(t, db, "Other")
		for _, where := range []string{"1 = 1 OR 1 = 1", "name = 'app' OR status <> ''"} {
			_ = db.OAuth().View(t.Context(), func(r oauth.Reader) error {
				accounts, n, err := r.ServiceAccounts(own.org, tenants.Query{Where: where, Page: 1, PageSize: 10}, now)
				if err != nil || n != 1 || len(accounts) != 1 || accounts[0].Org != own.org {
					t.Errorf("%s: %+v, %d, %v", where, accounts, n, err)
				}
				return nil
			})
		}
		for _, q := range []tenants.Query{
			{Where: "org_id <> ''", Page: 1, PageSize: 10},
			{Where: "name = ?", Page: 1, PageSize: 10},
			{SortBy: "org_id", Page: 1, PageSize: 10},
			{SortBy: "name; DROP TABLE users", Page: 1, PageSize: 10},
			{Page: 0, PageSize: 10},
			{Page: 1},
			{Page: 1 << 40, PageSize: 1 << 40},
		} {
			_ = db.OAuth().View(t.Context(), func(r oauth.Reader) error {
				if _, _, err := r.ServiceAccounts(own.org, q, now); err == nil {
					t.Errorf("%+v was not refused", q)
				}
				return nil
			})
		}
	})
}

// changedOne turns "nothing changed" into an absence.
func changedOne(changed bool, err error) error {
	if err == nil && !changed {
		return problem.New(problem.NotFound, "nothing changed")
	}
	return err
}
