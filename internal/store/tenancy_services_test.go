package store_test

import (
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// serviceCall is a [call] about apps and services.
type serviceCall struct {
	name string
	do   func(tx apps.Tx, org tenants.OrgID, w *served) error
}

func (c serviceCall) run(t *testing.T, db *store.DB, org tenants.OrgID, w *served) error {
	t.Helper()
	var inner error
	err := tryApps(t, db, func(tx apps.Tx) error {
		inner = c.do(tx, org, w)
		return inner
	})
	if inner != nil {
		return inner
	}
	return err
}

func isNotFound(err error) bool { return problem.Has(err, problem.NotFound) }

// servedCalls are all methods that name a row of an organization; the last ones take
// it apart.
var servedCalls = []serviceCall{
	{"ServiceInstance", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return second(tx.ServiceInstance(org, w.instance.ID))
	}},
	{"LockInstance", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.LockInstance(org, w.instance.ID) }},
	{"UpdateInstance", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		i := w.instance
		i.Org = org
		return tx.UpdateInstance(i)
	}},
	{"CustomRole", func(tx apps.Tx, org tenants.OrgID, w *served) error { return second(tx.CustomRole(org, w.custom.Name)) }},
	{"LockCustomRole", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.LockCustomRole(org, w.custom.Name) }},
	{"UpdateCustomRole", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		c := w.custom
		c.Org = org
		return tx.UpdateCustomRole(c)
	}},
	{"App", func(tx apps.Tx, org tenants.OrgID, w *served) error { return second(tx.App(org, w.app.ID)) }},
	{"LockApp", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.LockApp(org, w.app.ID) }},
	{"UpdateApp", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		a := w.app
		a.Org = org
		return tx.UpdateApp(a)
	}},
	{"AppStands", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return tx.AppStands(org, "", string(w.app.ID), 7)
	}},
	{"Held by an app", func(tx apps.Tx, org tenants.OrgID, w *served) error { return second(tx.Held(org, w.holder())) }},
	{"Held by a user", func(tx apps.Tx, org tenants.OrgID, w *served) error { return second(tx.Held(org, w.person())) }},
	{"LockHolder of an app", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.LockHolder(org, w.holder()) }},
	{"LockHolder of a user", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.LockHolder(org, w.person()) }},
	{"PutGrant to an app", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return tx.PutGrant(org, w.holder(), ofMember, "boss", now)
	}},
	{"PutGrant of a custom role to an app", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return tx.PutGrant(org, w.holder(), w.ofCustom(), "boss", now)
	}},
	{"PutGrant to a user", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return tx.PutGrant(org, w.person(), ofMember, "boss", now)
	}},
	{"PutGrant of a custom role to a user", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return tx.PutGrant(org, w.person(), w.ofCustom(), "boss", now)
	}},
	{"HeldOn", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		list, err := tx.HeldOn(org, w.definition.ID, w.instance.ID)
		return refused(len(list) == 2, err)
	}},
	{"LiveAccounts", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		list, err := tx.LiveAccounts(org, w.holder())
		return refused(len(list) == 1, err)
	}},
	{"InstanceAccounts", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		list, n, err := tx.InstanceAccounts(org, w.instance.ID, tenants.Query{Page: 1, PageSize: 10})
		return refused(len(list) == 2 && n == 2, err)
	}},
	{"CreateAccount in an instance", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return tx.CreateAccount(services.InstanceAccount{Org: org, ID: newID[string](), Instance: w.instance.ID, Name: "sa::other", CreatedAt: now})
	}},
	{"RepeatHook", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return tx.RepeatHook(org, w.account.ID, w.account.Hook.Key, services.Hook{State: services.HookFailed})
	}},
	{"EndAccount", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return refused(tx.EndAccount(org, w.account.ID, now, services.Hook{}))
	}},
	{"DropGrant of a user", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return refused(tx.DropGrant(org, w.person(), w.ofService()))
	}},
	{"DropGrant of an app", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return refused(tx.DropGrant(org, w.holder(), w.ofService()))
	}},
	{"DeleteCustomRole", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.DeleteCustomRole(org, w.custom.Name) }},
	{"DeleteInstance", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.DeleteInstance(org, w.instance.ID) }},
	{"RemoveMember", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.RemoveMember(org, w.holder()) }},
	{"DeleteApp", func(tx apps.Tx, org tenants.OrgID, w *served) error { return tx.DeleteApp(org, w.app.ID) }},
}

func TestTenancy_R6_ForeignAppsAndServicesAreNoRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		own, other := newServed(t, db, "Own"), newServed(t, db, "Other")
		inApps(t, db, func(tx apps.Tx) error { return tx.DeleteCustomRole(other.org, other.custom.Name) }) // of the same name
		before := dump(t, db)
		for _, c := range servedCalls {
			if err := c.run(t, db, other.org, own); !isNotFound(err) {
				t.Errorf("%s for another organization: got %v, want not_found", c.name, err)
			}
		}
		if after := dump(t, db); after != before {
			t.Errorf("a refused call changed something:\n%s\nbefore:\n%s", after, before)
		}
		for _, c := range servedCalls {
			if err := c.run(t, db, own.org, own); err != nil {
				t.Errorf("%s for its own organization: %v", c.name, err)
			}
		}
	})
}

func TestTenancy_R6_ListsOfAppsAndServicesShowOneOrganization(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		own := newServed(t, db, "Own")
		newServed(t, db, "Other")
		for _, where := range []string{"", "1 = 1 OR 1 = 1"} {
			q := tenants.Query{Where: where, Page: 1, PageSize: 10}
			ok(t, db.Apps().View(t.Context(), func(r apps.Reader) error {
				owned, n, err := r.Apps(own.org, q)
				if err != nil || n != 1 || len(owned) != 1 || owned[0].ID != own.app.ID {
					t.Errorf("Apps: %+v, %d, %v", owned, n, err)
				}
				members, n, err := r.Members(own.org, q)
				if err != nil || n != 1 || len(members) != 1 || members[0].App.ID != own.app.ID {
					t.Errorf("Members: %+v, %d, %v", members, n, err)
				}
				instances, n, err := r.ServiceInstances(own.org, q)
				if err != nil || n != 1 || len(instances) != 1 || instances[0].ID != own.instance.ID {
					t.Errorf("ServiceInstances: %+v, %d, %v", instances, n, err)
				}
				roles, err := r.CustomRoles(own.org)
				if err != nil || len(roles) != 1 || roles[0].Org != own.org {
					t.Errorf("CustomRoles: %+v, %v", roles, err)
				}
				return nil
			}))
		}
		for _, column := range []string{"settings", "secret_digest", "org_id", "site_id", "hook_secret", "hook_key"} {
			q := tenants.Query{Where: column + " <> ''", Page: 1, PageSize: 10}
			ok(t, db.Apps().View(t.Context(), func(r apps.Reader) error {
				for name, list := range map[string]func() error{
					"Apps":             func() error { _, _, err := r.Apps(own.org, q); return err },
					"Members":          func() error { _, _, err := r.Members(own.org, q); return err },
					"ServiceInstances": func() error { _, _, err := r.ServiceInstances(own.org, q); return err },
					"InstanceAccounts": func() error { _, _, err := r.InstanceAccounts(own.org, own.instance.ID, q); return err },
				} {
					if list() == nil {
						t.Errorf("%s lets %s be named", name, column)
					}
				}
				return nil
			}))
		}
	})
}
