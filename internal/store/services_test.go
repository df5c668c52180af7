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

func TestDefinitions_KeepEverythingAndAreReplaced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, a := newDefinition(), newDefinition()
		a.Name, b.Name = "A", "B"
		inApps(t, db, func(tx apps.Tx) error { return tx.PutDefinition(b) })
		inApps(t, db, func(tx apps.Tx) error { return tx.PutDefinition(a) })
		all := func(r apps.Reader) ([]services.Definition, error) { return r.Definitions() }
		same(t, "both", seen(t, db, all), []services.Definition{a, b})
		a.Roles, a.BuiltIn = nil, false
		inApps(t, db, func(tx apps.Tx) error { return tx.PutDefinition(a) })
		same(t, "one replaced", seen(t, db, all), []services.Definition{a, b})
		same(t, "one", seen(t, db, func(r apps.Reader) (services.Definition, error) { return r.Definition(a.ID) }), a)
		a.ID = newID[services.DefinitionID]()
		wantProblem(t, tryApps(t, db, func(tx apps.Tx) error { return tx.PutDefinition(a) }), problem.DuplicateName)
		missing(t, db, "another", func(r apps.Reader) (services.Definition, error) { return r.Definition(a.ID) })
	})
}

func TestDeleteDefinition_ConflictWhileAnInstanceIsOfIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		remove := func(tx apps.Tx) error { return tx.DeleteDefinition(w.definition.ID) }
		wantProblem(t, tryApps(t, db, remove), problem.Conflict)
		inApps(t, db, func(tx apps.Tx) error { return tx.DeleteInstance(w.org, w.instance.ID) })
		inApps(t, db, remove)
		wantProblem(t, tryApps(t, db, remove), problem.NotFound)
		i := w.newInstance("another")
		wantProblem(t, tryApps(t, db, func(tx apps.Tx) error { return tx.CreateInstance(i) }), problem.NotFound)
	})
}

func TestInstances_KeepEverythingAndAreReplaced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		one := func(r apps.Reader) (services.ServiceInstance, error) { return r.ServiceInstance(w.org, w.instance.ID) }
		same(t, "as it was made", seen(t, db, one), w.instance)
		second := w.newInstance("second")
		second.Hosts, second.Prefix, second.HookSecret, second.Mode, second.Enabled = nil, "", nil, services.Original, false
		inApps(t, db, func(tx apps.Tx) error { return tx.CreateInstance(second) })
		list, n, err := func() (l []services.ServiceInstance, n int, err error) {
			ok(t, db.Services().View(t.Context(), func(r services.Reader) error {
				l, n, err = r.ServiceInstances(w.org, tenants.Query{Page: 1, PageSize: 10})
				return err
			}))
			return l, n, err
		}()
		if err != nil || n != 2 {
			t.Errorf("%d instances, %v", n, err)
		}
		same(t, "the list", list, []services.ServiceInstance{w.instance, second})
		other := newServed(t, db, "Other")
		every := seen(t, db, func(r apps.Reader) ([]services.ServiceInstance, error) { return r.EveryInstance() })
		found := map[services.InstanceID]services.ServiceInstance{}
		for _, i := range every {
			found[i.ID] = i
		}
		same(t, "every instance", found, map[services.InstanceID]services.ServiceInstance{
			w.instance.ID: w.instance, second.ID: second, other.instance.ID: other.instance,
		})
		org := seen(t, db, func(r apps.Reader) (tenants.OrgID, error) { return r.InstanceOrg(other.instance.ID) })
		same(t, "whose it is", org, other.org)

		changed := second
		changed.ID, changed.CreatedAt = w.instance.ID, w.instance.CreatedAt
		changed.Hosts = []string{"c.example", w.instance.Hosts[0]}
		inApps(t, db, func(tx apps.Tx) error {
			if err := tx.LockInstance(w.org, changed.ID); err != nil {
				return err
			}
			changed.Name = "renamed"
			attempt := changed
			attempt.Definition, attempt.CreatedAt = other.definition.ID, now
			return tx.UpdateInstance(attempt)
		})
		changed.Hosts = []string{w.instance.Hosts[0], "c.example"}
		same(t, "replaced", seen(t, db, one), changed)
	})
}

// A prefix or host leads to one instance of the site, whatever organization has it.
func TestInstances_R6_PrefixesAndHostsAreOneInstances(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newServed(t, db, "Own"), newServed(t, db, "Other")
		for name, set := range map[string]func(*services.ServiceInstance){
			"prefix": func(i *services.ServiceInstance) { i.Prefix = w.instance.Prefix },
			"host":   func(i *services.ServiceInstance) { i.Hosts = w.instance.Hosts[:1] },
		} {
			i := other.newInstance("another")
			set(&i)
			create := tryApps(t, db, func(tx apps.Tx) error { return tx.CreateInstance(i) })
			i = other.instance
			set(&i)
			update := tryApps(t, db, func(tx apps.Tx) error { return tx.UpdateInstance(i) })
			for did, err := range map[string]error{"create": create, "update": update} {
				if !problem.Has(err, problem.DuplicateName) {
					t.Errorf("%s with the %s of another: %v", did, name, err)
				}
			}
			same(t, "the other's "+name, seen(t, db, func(r apps.Reader) (services.ServiceInstance, error) {
				return r.ServiceInstance(other.org, other.instance.ID)
			}), other.instance)
		}
		name := w.newInstance(w.instance.Name)
		wantProblem(t, tryApps(t, db, func(tx apps.Tx) error { return tx.CreateInstance(name) }), problem.DuplicateName)
		bare := []services.ServiceInstance{w.newInstance("by its host"), other.newInstance("by its host")}
		for _, i := range bare { // no prefix is not one that is taken
			i.Prefix = ""
			inApps(t, db, func(tx apps.Tx) error { return tx.CreateInstance(i) })
		}
	})
}

func TestDeleteInstance_TakesAccountsHostsAndItsGrantsAlong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newServed(t, db, "Own"), newServed(t, db, "Other")
		everywhere := w.ofService()
		everywhere.Resource = ""
		inApps(t, db, func(tx apps.Tx) error { return tx.PutGrant(w.org, w.person(), everywhere, "boss", now) })
		inApps(t, db, func(tx apps.Tx) error { return tx.DeleteInstance(w.org, w.instance.ID) })
		for _, table := range []string{"instance_accounts", "service_hosts", "service_instances"} {
			if n := count(t, db, table, "org_id = '"+string(w.org)+"'"); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
			if count(t, db, table, "org_id = '"+string(other.org)+"'") == 0 {
				t.Errorf("another organization's rows of %s are gone", table)
			}
		}
		same(t, "the app's", w.held(t, w.org, w.holder()).Grants, []services.Grant{w.ofCustom(), ofMember})
		same(t, "the user's", w.held(t, w.org, w.person()).Grants, []services.Grant{everywhere})
		same(t, "the other's", len(w.held(t, other.org, other.holder()).Grants), 3)
	})
}

func TestCustomRoles_KeepEverythingAndAreReplaced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		role := filled[services.CustomRole]()
		role.Org, role.Name = w.org, "a-role"
		inApps(t, db, func(tx apps.Tx) error { return tx.CreateCustomRole(role) })
		all := func(r apps.Reader) ([]services.CustomRole, error) { return r.CustomRoles(w.org) }
		same(t, "both", seen(t, db, all), []services.CustomRole{role, w.custom})
		wantProblem(t, tryApps(t, db, func(tx apps.Tx) error { return tx.CreateCustomRole(role) }), problem.DuplicateName)

		changed := w.custom
		changed.Org, changed.Name, changed.CreatedAt, changed.CreatedBy = role.Org, role.Name, now.Add(-1), "somebody"
		changed.DisplayName, changed.UpdatedBy, changed.Permissions = "Changed", "somebody", nil
		inApps(t, db, func(tx apps.Tx) error { return tx.UpdateCustomRole(changed) })
		changed.CreatedAt, changed.CreatedBy = role.CreatedAt, role.CreatedBy
		same(t, "changed", seen(t, db, func(r apps.Reader) (services.CustomRole, error) { return r.CustomRole(w.org, role.Name) }), changed)
	})
}

// A role that is made again under the name of one that is gone is nobody's.
func TestDeleteCustomRole_R4_TakesItsGrantsAlong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newServed(t, db, "Own"), newServed(t, db, "Other")
		service := w.ofService()
		service.Role, service.ExpiresAt = w.custom.Name, service.ExpiresAt.Add(0) // a service's role of the same name
		inApps(t, db, func(tx apps.Tx) error {
			return tx.PutGrant(w.org, w.person(), w.ofCustom(), "boss", now)
		})
		inApps(t, db, func(tx apps.Tx) error { return tx.PutGrant(w.org, w.person(), service, "boss", now) })
		inApps(t, db, func(tx apps.Tx) error { return tx.DeleteCustomRole(w.org, w.custom.Name) })
		inApps(t, db, func(tx apps.Tx) error { return tx.CreateCustomRole(w.custom) })
		same(t, "the app's", w.held(t, w.org, w.holder()).Grants, []services.Grant{ofMember, w.ofService()})
		same(t, "the user's", w.held(t, w.org, w.person()).Grants, []services.Grant{w.ofService(), service})
		same(t, "the other's", w.held(t, other.org, other.holder()).Grants, []services.Grant{other.ofCustom(), ofMember, other.ofService()})
	})
}
