package store_test

import (
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// served is a tenant with one of everything that apps and services need.
type served struct {
	*tenant
	definition services.Definition
	instance   services.ServiceInstance
	app        apps.App // of the tenant, and added to it
	custom     services.CustomRole
	account    services.InstanceAccount // the app's, in the instance
	manual     services.InstanceAccount
}

// holder is the app as one.
func (w *served) holder() services.Holder { return holderOf(w.app.ID) }

func holderOf(id apps.ID) services.Holder {
	return services.Holder{Kind: tenants.KindApp, ID: string(id)}
}

// person is the tenant's user as a holder.
func (w *served) person() services.Holder {
	return services.Holder{Kind: tenants.KindUser, ID: string(w.user)}
}

// The grants that app and user of a served tenant have.
func (w *served) ofService() services.Grant {
	return services.Grant{Kind: services.GrantService, Definition: w.definition.ID, Role: "aoa:dashboards", Resource: string(w.instance.ID), ExpiresAt: now.Add(time.Hour)}
}

func (w *served) ofCustom() services.Grant {
	return services.Grant{Kind: services.GrantCustom, Role: w.custom.Name}
}

var ofMember = services.Grant{Kind: services.GrantOrganization, Role: string(services.OrgMember)}

// newServed makes an organization with one of everything.
func newServed(t testing.TB, db *store.DB, name string) *served {
	t.Helper()
	w := &served{tenant: newTenant(t, db, name)}
	w.definition = newDefinition()
	w.instance = w.newInstance("production")
	w.app = w.newApp()
	w.custom = services.CustomRole{
		Org: w.org, Name: "operators", DisplayName: "Operators", Description: "They operate.", CreatedAt: now, CreatedBy: "boss", UpdatedAt: now, UpdatedBy: "boss",
		Permissions: []services.ServicePermission{{Definition: w.definition.ID, Permission: "aoa:metrics"}},
	}
	w.account = services.InstanceAccount{
		Org: w.org, ID: newID[string](), Instance: w.instance.ID, App: w.holder(), Name: w.app.DisplayName, CreatedAt: now,
		Hook: services.Hook{State: services.HookPending, Key: newID[string](), Next: now},
	}
	w.manual = services.InstanceAccount{
		Org: w.org, ID: newID[string](), Instance: w.instance.ID, Name: "sa::robot", CreatedAt: now, Hook: services.Hook{State: services.HookNone},
	}
	inApps(t, db, func(tx apps.Tx) error {
		return errors.Join(
			tx.PutDefinition(w.definition), tx.CreateInstance(w.instance), tx.CreateApp(w.app), tx.CreateCustomRole(w.custom),
			tx.AddMember(w.org, w.holder(), 7, "boss", now),
			tx.PutGrant(w.org, w.holder(), ofMember, "boss", now),
			tx.PutGrant(w.org, w.holder(), w.ofService(), "boss", now),
			tx.PutGrant(w.org, w.holder(), w.ofCustom(), "boss", now),
			tx.PutGrant(w.org, w.person(), w.ofService(), "boss", now),
			tx.CreateAccount(w.account), tx.CreateAccount(w.manual),
		)
	})
	return w
}

// newDefinition is one that is not stored yet, with something in all of it.
func newDefinition() services.Definition {
	d := filled[services.Definition]()
	d.ID = newID[services.DefinitionID]()
	d.Name = "Service " + string(d.ID)
	return d
}

func (w *served) newInstance(name string) services.ServiceInstance {
	i := filled[services.ServiceInstance]()
	i.ID, i.Org, i.Definition, i.Name, i.Mode = newID[services.InstanceID](), w.org, w.definition.ID, name, services.Onboarded
	i.Prefix, i.Hosts = "/"+string(i.ID), []string{"a." + string(i.ID), "b." + string(i.ID)}
	return i
}

func (w *served) newApp() apps.App {
	a := filled[apps.App]()
	a.ID, a.Org = newID[apps.ID](), w.org
	return a
}

func inApps(t testing.TB, db *store.DB, f func(apps.Tx) error) {
	t.Helper()
	ok(t, db.Apps().InTx(t.Context(), f))
}

// tryApps is inApps for what is refused.
func tryApps(t testing.TB, db *store.DB, f func(apps.Tx) error) error {
	t.Helper()
	return db.Apps().InTx(t.Context(), f)
}

// seen is one reading call in a View.
func seen[T any](t testing.TB, db *store.DB, f func(apps.Reader) (T, error)) T {
	t.Helper()
	var v T
	ok(t, db.Apps().View(t.Context(), func(r apps.Reader) (err error) {
		v, err = f(r)
		return err
	}))
	return v
}

// held is what somebody holds in the organization.
func (w *served) held(t testing.TB, org tenants.OrgID, h services.Holder) services.Held {
	t.Helper()
	return seen(t, w.db, func(r apps.Reader) (services.Held, error) { return r.Held(org, h) })
}

// missing is whether something is not there.
func missing[T any](t testing.TB, db *store.DB, what string, f func(apps.Reader) (T, error)) {
	t.Helper()
	err := db.Apps().View(t.Context(), func(r apps.Reader) error { return second(f(r)) })
	if !isNotFound(err) {
		t.Errorf("%s: got %v, want not_found", what, err)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}

// filled is a value with something in every field, however deep: what is not kept is
// missed.
func filled[T any]() (v T) {
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(now.Add(time.Duration(*n) * time.Second)))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case v.Kind() == reflect.Map:
		v.Set(reflect.ValueOf(map[string]any{"clients": "set", "this": []any{true, nil, 1.5}}))
	case v.Kind() == reflect.String:
		v.SetString("text " + strconv.Itoa(*n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(*n))
	case v.CanUint():
		v.SetUint(uint64(*n % 256))
	default:
		panic(v.Type().String())
	}
}
