package store_test

import (
	"errors"
	"fmt"
	"testing"

	"causeway/internal/store"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// servedPlanCalls are what servedCalls leave out. A name begins with the method's.
var servedPlanCalls = []serviceCall{
	{"Definitions", func(tx apps.Tx, _ tenants.OrgID, _ *served) error { return second(tx.Definitions()) }},
	{"Definition PutDefinition DeleteDefinition", func(tx apps.Tx, _ tenants.OrgID, w *served) error {
		d := newDefinition()
		return errors.Join(second(tx.Definition(w.definition.ID)), tx.PutDefinition(d), tx.DeleteDefinition(d.ID))
	}},
	{"EveryInstance", func(tx apps.Tx, _ tenants.OrgID, _ *served) error { return second(tx.EveryInstance()) }},
	{"InstanceOrg CreateInstance", func(tx apps.Tx, _ tenants.OrgID, w *served) error {
		return errors.Join(second(tx.InstanceOrg(w.instance.ID)), tx.CreateInstance(w.newInstance("staging")))
	}},
	{"ServiceInstances", servedPages("mode", func(tx apps.Tx, w *served, q tenants.Query) error {
		_, _, err := tx.ServiceInstances(w.org, q)
		return err
	})},
	{"InstanceAccounts", servedPages("ended_at", func(tx apps.Tx, w *served, q tenants.Query) error {
		_, _, err := tx.InstanceAccounts(w.org, w.instance.ID, q)
		return err
	})},
	{"Apps", servedPages("description", func(tx apps.Tx, w *served, q tenants.Query) error {
		_, _, err := tx.Apps(w.org, q)
		return err
	})},
	{"Members", servedPages("added_at", func(tx apps.Tx, w *served, q tenants.Query) error {
		_, _, err := tx.Members(w.org, q)
		return err
	})},
	{"CustomRoles CreateCustomRole", func(tx apps.Tx, _ tenants.OrgID, w *served) error {
		return errors.Join(second(tx.CustomRoles(w.org)), tx.CreateCustomRole(services.CustomRole{Org: w.org, Name: "other"}))
	}},
	{"AppByID MemberOf OrgRolesElsewhere CreateApp AddMember", func(tx apps.Tx, _ tenants.OrgID, w *served) error {
		a := w.newApp()
		return errors.Join(second(tx.AppByID(w.app.ID)), second(tx.MemberOf(w.app.ID)), second(tx.OrgRolesElsewhere(w.org, w.app.ID, now)), tx.CreateApp(a),
			tx.AddMember(w.org, holderOf(a.ID), 1, "boss", now))
	}},
	{"RepeatHook", func(tx apps.Tx, org tenants.OrgID, w *served) error {
		return tx.RepeatHook(org, w.account.ID, w.account.Hook.Key, services.Hook{State: services.HookPending})
	}},
	{"DeleteOrganization with apps elsewhere", func(tx apps.Tx, _ tenants.OrgID, w *served) error {
		o := tenants.Organization{ID: newID[tenants.OrgID](), Name: "owner"}
		a := w.newApp()
		a.Org = o.ID
		n := tx.(tenants.Tx)
		return errors.Join(n.CreateOrganization(o), tx.CreateApp(a), tx.AddMember(w.org, holderOf(a.ID), 1, "boss", now), n.DeleteOrganization(o.ID, now))
	}},
}

func servedPages(sort string, list func(apps.Tx, *served, tenants.Query) error) func(apps.Tx, tenants.OrgID, *served) error {
	return func(tx apps.Tx, _ tenants.OrgID, w *served) error {
		for _, q := range []tenants.Query{
			{Page: 1, PageSize: 10},
			{Page: 1, PageSize: 10, Where: "id = ?", Args: []any{"x"}},
			{Page: 2, PageSize: 10, SortBy: sort, Desc: true},
		} {
			if err := list(tx, w, q); err != nil {
				return fmt.Errorf("%+v: %w", q, err)
			}
		}
		return nil
	}
}

// watchServed calls everything about apps and services; by is told what comes next.
func watchServed(t *testing.T, db *store.DB, w, other *served, by func(string)) {
	t.Helper()
	for _, c := range servedPlanCalls {
		by(c.name)
		if err := c.run(t, db, w.org, w); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	by("DueHooks")
	for _, not := range [][]services.InstanceID{nil, {w.instance.ID, "another"}} {
		_, err := db.Hooks().DueHooks(t.Context(), now, now, 10, not)
		ok(t, err)
	}
	by("SettleHook")
	ok(t, db.Hooks().SettleHook(t.Context(), w.org, w.account.ID, w.account.Hook.Key, services.Hook{State: services.HookProvisioned}))
	by("NoteIssued")
	ok(t, db.Apps().NoteIssued(t.Context(), oauth.Event{At: now, Org: w.org, Account: oauth.ClientID(w.app.ID), Kind: "issued"}))
	for _, c := range servedCalls {
		by(c.name)
		_ = c.run(t, db, other.org, w)
		if err := c.run(t, db, w.org, w); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
