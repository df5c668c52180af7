package tenants_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// eachKind runs f for global roles and for rights bundles: they are published
// alike.
func eachKind(t *testing.T, f func(t *testing.T, w *roleWorld, kind tenants.PublicationKind)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		for _, kind := range []tenants.PublicationKind{tenants.GlobalRole, tenants.RightsBundle} {
			t.Run(string(kind), func(t *testing.T) {
				inner := *w
				world := *w.world
				world.t, inner.world = t, &world
				f(t, &inner, kind)
			})
		}
	})
}

func (w *roleWorld) published(kind tenants.PublicationKind, name string, rights ...tenants.Right) tenants.Publication {
	w.t.Helper()
	p, err := w.CreatePublication(w.ctx(), w.provider(), kind, tenants.RoleText{Name: name}, false)
	w.must(err)
	p, err = w.SetPublicationRights(w.ctx(), w.provider(), kind, p.ID, rights)
	w.must(err)
	return p
}

// tenants lists whom a publication is published to, by name.
func (w *roleWorld) tenants(p tenants.Publication) (names []string) {
	w.t.Helper()
	list, total, err := w.PublicationTenants(w.ctx(), p.Kind, p.ID, tenants.Query{Page: 1, PageSize: 100})
	w.must(err)
	if total != len(list) {
		w.t.Errorf("%d of %d tenants", len(list), total)
	}
	for _, o := range list {
		names = append(names, o.Name)
	}
	return names
}

func TestPublications_WhoSeesThem(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, w *roleWorld, kind tenants.PublicationKind) {
		other, third := w.newOrg("Other "+string(kind)), w.newOrg("Third "+string(kind))
		everyone := func() (names []string) {
			w.must(w.db.Tenants().View(w.ctx(), func(r tenants.Reader) error {
				list, err := r.Organizations()
				for _, o := range list[1:] { // System comes first
					names = append(names, o.Name)
				}
				return err
			}))
			return names
		}
		nameOf := func(id tenants.OrgID) string { return w.organization(id).Name }
		p, by := w.published(kind, "set", viewCatalogs), w.provider()
		want := func(what string, all bool, names ...string) {
			t.Helper()
			if got := w.tenants(p); !slices.Equal(got, names) {
				t.Errorf("%s: published to %q, want %q", what, got, names)
			}
			if now, err := w.Publication(w.ctx(), kind, p.ID); err != nil || now.PublishAll != all {
				t.Errorf("%s: publishAll is %v, %v", what, now.PublishAll, err)
			}
		}
		want("at first", false)
		w.must(w.Publish(w.ctx(), by, kind, p.ID, []tenants.OrgID{other, w.acme}))
		want("published", false, "Acme", nameOf(other))
		w.must(w.Publish(w.ctx(), by, kind, p.ID, []tenants.OrgID{other}))
		want("published again", false, "Acme", nameOf(other))
		w.must(w.Unpublish(w.ctx(), by, kind, p.ID, []tenants.OrgID{w.acme, third}))
		want("unpublished", false, nameOf(other))
		w.must(w.ReplaceTenants(w.ctx(), by, kind, p.ID, []tenants.OrgID{third}))
		want("replaced", false, nameOf(third))
		w.must(w.PublishAll(w.ctx(), by, kind, p.ID))
		want("published to all", true, everyone()...)
		w.must(w.Publish(w.ctx(), by, kind, p.ID, []tenants.OrgID{w.acme}))
		want("published to one of all", true, everyone()...)
		w.must(w.Unpublish(w.ctx(), by, kind, p.ID, nil))
		want("unpublished from none of all", true, everyone()...)
		later := w.newOrg("Later " + string(kind))
		want("with a new tenant", true, everyone()...)
		w.must(w.Unpublish(w.ctx(), by, kind, p.ID, []tenants.OrgID{third}))
		want("unpublished from one of all", false, slices.DeleteFunc(everyone(), func(s string) bool { return s == nameOf(third) })...)
		w.newOrg("Too late " + string(kind))
		if slices.Contains(w.tenants(p), "Too late "+string(kind)) {
			t.Error("published to a later organization")
		}
		w.must(w.UnpublishAll(w.ctx(), by, kind, p.ID))
		want("unpublished from all", false)
		w.must(w.PublishAll(w.ctx(), by, kind, p.ID))
		w.must(w.ReplaceTenants(w.ctx(), by, kind, p.ID, []tenants.OrgID{later}))
		want("replaced after all", false, nameOf(later))
		w.must(w.PublishAll(w.ctx(), by, kind, p.ID))
		w.must(w.ReplaceTenants(w.ctx(), by, kind, p.ID, nil))
		want("replaced by none", false)

		before := w.changes()
		for name, orgs := range map[string][]tenants.OrgID{
			"System": {other, tenants.SystemOrgID}, "an unknown organization": {other, tenants.OrgID(tenants.NewID())},
		} {
			wantProblem(t, w.Publish(w.ctx(), by, kind, p.ID, orgs), problem.BadRequest)
			wantProblem(t, w.Unpublish(w.ctx(), by, kind, p.ID, orgs), problem.BadRequest)
			wantProblem(t, w.ReplaceTenants(w.ctx(), by, kind, p.ID, orgs), problem.BadRequest)
			want(name, false)
		}
		nothing := tenants.PublicationID(tenants.NewID())
		wantProblem(t, w.Publish(w.ctx(), by, kind, nothing, []tenants.OrgID{other}), problem.NotFound)
		wantProblem(t, w.PublishAll(w.ctx(), by, kind, nothing), problem.NotFound)
		_, _, err := w.PublicationTenants(w.ctx(), kind, nothing, tenants.Query{Page: 1, PageSize: 1})
		wantProblem(t, err, problem.NotFound)
		if after := w.changes(); after != before {
			t.Errorf("%d rows of the journal, want %d", after, before)
		}
	})
}

// What is published is what can be had; what is withdrawn is gone at once, also
// for who holds it.
func TestPublications_R7_WithdrawalCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		by, to := w.provider(), []tenants.OrgID{w.acme}
		w.must(w.UnpublishAll(w.ctx(), by, tenants.RightsBundle, tenants.DefaultRightsBundles()[0].ID))
		bundle := w.published(tenants.RightsBundle, "bundle", viewCatalogs, tenants.RightTaskView)
		global := w.published(tenants.GlobalRole, "global", viewCatalogs, tenants.RightUserView)
		id := tenants.RoleID(global.ID)
		allowed := func() []tenants.Right { return w.organization(w.acme).RightsOf(id, tenants.KindUser).List() }
		want := func(what string, rights ...tenants.Right) {
			t.Helper()
			if got := allowed(); !slices.Equal(got, rights) {
				t.Errorf("%s the role allows %q, want %q", what, got, rights)
			}
		}
		want("unpublished")
		w.must(w.Publish(w.ctx(), by, tenants.GlobalRole, global.ID, to))
		want("without a bundle")
		w.must(w.Publish(w.ctx(), by, tenants.RightsBundle, bundle.ID, to))
		want("with the bundle", viewCatalogs)
		_, err := w.AddPublicationRights(w.ctx(), by, tenants.RightsBundle, bundle.ID, []tenants.Right{tenants.RightUserView})
		w.must(err)
		if got := allowed(); len(got) != 2 {
			t.Errorf("with more in the bundle the role allows %q", got)
		}
		_, err = w.SetPublicationRights(w.ctx(), by, tenants.GlobalRole, global.ID, []tenants.Right{viewCatalogs})
		w.must(err)
		want("with less in the role", viewCatalogs)
		role := w.stored(w.acme, id)
		if !role.Global || !role.ReadOnly || role.Name != "global" {
			t.Errorf("in the organization it is %+v", role)
		}
		w.must(w.Unpublish(w.ctx(), by, tenants.GlobalRole, global.ID, to))
		want("unpublished again")
		_, err = w.Role(w.ctx(), w.acme, id)
		wantProblem(t, err, problem.NotFound)
		w.must(w.PublishAll(w.ctx(), by, tenants.GlobalRole, global.ID))
		want("published to all", viewCatalogs)
		w.must(w.DeletePublication(w.ctx(), by, tenants.RightsBundle, bundle.ID))
		want("without the bundle again")
	})
}

func TestPublications_Edits(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, w *roleWorld, kind tenants.PublicationKind) {
		by, yes, no := w.provider(), true, false
		text := tenants.RoleText{Name: "a / b %", Description: "d\n", BundleKey: "k"}
		p, err := w.CreatePublication(w.ctx(), by, kind, text, true)
		w.must(err)
		got, err := w.Publication(w.ctx(), kind, p.ID)
		w.must(err)
		if got.Name != text.Name || got.Description != text.Description || got.BundleKey != text.BundleKey || !got.PublishAll || got.ReadOnly {
			t.Errorf("made: %+v", got)
		}
		_, err = w.CreatePublication(w.ctx(), by, kind, text, false)
		wantProblem(t, err, problem.DuplicateName)
		for _, tt := range []struct {
			all  *bool
			want bool
		}{{nil, true}, {&no, false}, {nil, false}, {&yes, true}} {
			text.Description += "x"
			got, err := w.UpdatePublication(w.ctx(), by, kind, p.ID, text, tt.all)
			w.must(err)
			if got.PublishAll != tt.want || got.Description != text.Description {
				t.Errorf("updated: %+v, want publishAll %v", got, tt.want)
			}
		}
		n := w.changes()
		_, err = w.UpdatePublication(w.ctx(), by, kind, p.ID, text, &yes)
		w.must(err)
		if w.changes() != n {
			t.Error("an edit that changes nothing is recorded")
		}
		_, err = w.AddPublicationRights(w.ctx(), by, kind, p.ID, []tenants.Right{viewCatalogs, addVApp, viewCatalogs})
		w.must(err)
		got, err = w.AddPublicationRights(w.ctx(), by, kind, p.ID, []tenants.Right{addVApp})
		w.must(err)
		if len(got.Rights) != 2 {
			t.Errorf("rights: %q", got.Rights)
		}
		for _, right := range []tenants.Right{viewSites, "Anything: At All"} {
			_, err = w.AddPublicationRights(w.ctx(), by, kind, p.ID, []tenants.Right{right})
			wantProblem(t, err, problem.BadRequest)
		}
		// Nothing is reached by another kind's name.
		twin := map[tenants.PublicationKind]tenants.PublicationKind{tenants.GlobalRole: tenants.RightsBundle, tenants.RightsBundle: tenants.GlobalRole}[kind]
		_, err = w.UpdatePublication(w.ctx(), by, twin, p.ID, text, nil)
		wantProblem(t, err, problem.NotFound)
		wantProblem(t, w.DeletePublication(w.ctx(), by, twin, p.ID), problem.NotFound)
		w.must(w.DeletePublication(w.ctx(), by, kind, p.ID))
		_, err = w.Publication(w.ctx(), kind, p.ID)
		wantProblem(t, err, problem.NotFound)
	})
}

// A tenant publishes nothing, and a provider nothing that allows more than its
// own role.
func TestPublications_R7_NobodyGivesWhatTheyLack(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, w *roleWorld, kind tenants.PublicationKind) {
		name := "operator of " + string(kind)
		_, err := w.Provisioner.CreateRole(w.ctx(), administrator(), tenants.SystemOrgID, name, []tenants.Right{tenants.RightGlobalRoleEdit, tenants.RightBundleEdit, viewCatalogs})
		w.must(err)
		operator := w.callerWith(tenants.SystemOrgID, name)
		small, big := w.published(kind, "small", viewCatalogs), w.published(kind, "big", viewCatalogs, tenants.RightUserManage)
		to := []tenants.OrgID{w.acme}
		before := w.changes()
		refused := func(by tenants.Caller, id tenants.PublicationID, rights ...tenants.Right) map[string]error {
			text := tenants.RoleText{Name: "renamed"}
			_, update := w.UpdatePublication(w.ctx(), by, kind, id, text, nil)
			_, set := w.SetPublicationRights(w.ctx(), by, kind, id, rights)
			_, add := w.AddPublicationRights(w.ctx(), by, kind, id, rights)
			return map[string]error{
				"update": update, "set": set, "add": add,
				"publish": w.Publish(w.ctx(), by, kind, id, to), "publish to all": w.PublishAll(w.ctx(), by, kind, id),
				"unpublish": w.Unpublish(w.ctx(), by, kind, id, to), "unpublish from all": w.UnpublishAll(w.ctx(), by, kind, id),
				"replace": w.ReplaceTenants(w.ctx(), by, kind, id, to), "delete": w.DeletePublication(w.ctx(), by, kind, id),
			}
		}
		for who, by := range map[string]tenants.Caller{"a tenant": w.admin, "an operator": operator} {
			for what, err := range refused(by, big.ID, viewCatalogs) {
				t.Run(who+", "+what, func(t *testing.T) { wantProblem(t, err, problem.Forbidden) })
			}
		}
		_, err = w.CreatePublication(w.ctx(), w.admin, kind, tenants.RoleText{Name: "x"}, true)
		wantProblem(t, err, problem.Forbidden)
		_, err = w.AddPublicationRights(w.ctx(), operator, kind, small.ID, []tenants.Right{tenants.RightUserManage})
		wantProblem(t, err, problem.Forbidden)
		if after := w.changes(); after != before {
			t.Errorf("%d rows of the journal, want %d", after, before)
		}
		w.must(w.Publish(w.ctx(), operator, kind, small.ID, to))
		_, err = w.SetPublicationRights(w.ctx(), operator, kind, small.ID, []tenants.Right{viewCatalogs})
		w.must(err)
		w.must(w.DeletePublication(w.ctx(), operator, kind, small.ID))
	})
}

func TestPublications_HeldGlobalRolesStay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		by := w.provider()
		p := w.published(tenants.GlobalRole, "held", viewCatalogs)
		w.must(w.Publish(w.ctx(), by, tenants.GlobalRole, p.ID, []tenants.OrgID{w.acme}))
		u, err := w.Provisioner.CreateUser(w.ctx(), administrator(), w.acme, "holder", "held", password)
		w.must(err)
		w.must(w.UnpublishAll(w.ctx(), by, tenants.GlobalRole, p.ID)) // its holder can do nothing now
		wantProblem(t, w.DeletePublication(w.ctx(), by, tenants.GlobalRole, p.ID), problem.Conflict)
		w.inTx(func(tx tenants.Tx) error { return tx.DeleteUser(w.acme, u.ID) })
		w.must(w.DeletePublication(w.ctx(), by, tenants.GlobalRole, p.ID))
	})
}

// The trail names every tenant, in rows of bearable length.
func TestPublications_TheTrailNamesEveryTenant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		p := w.published(tenants.RightsBundle, "bundle", viewCatalogs)
		var ids []tenants.OrgID
		want := map[string]bool{}
		w.inTx(func(tx tenants.Tx) error {
			ids = ids[:0]
			for range 450 {
				o := tenants.Organization{ID: tenants.OrgID(tenants.NewID()), Name: "o, " + tenants.NewID(), CreatedAt: w.now}
				ids, want[o.Name] = append(ids, o.ID), true
				if err := tx.CreateOrganization(o); err != nil {
					return err
				}
			}
			return nil
		})
		w.must(w.Publish(w.ctx(), w.provider(), tenants.RightsBundle, p.ID, ids))
		got := map[string]bool{}
		rows := w.recorded(journal.BundlePublished)
		for _, row := range rows {
			var names []string
			w.must(json.Unmarshal([]byte(row.Detail["publishedTo"]), &names))
			for _, name := range names {
				got[name] = true
			}
			if row.Org != string(tenants.SystemOrgID) || row.Subject.ID != string(p.ID) || len(row.Detail["publishedTo"]) > 32<<10 {
				t.Errorf("recorded: %+v", row)
			}
		}
		if !maps.Equal(got, want) || len(rows) != 3 {
			t.Errorf("%d tenants in %d rows, want %d in 3", len(got), len(rows), len(want))
		}
		w.must(w.PublishAll(w.ctx(), w.provider(), tenants.RightsBundle, p.ID))
		rows = w.recorded(journal.BundlePublished)
		if last := rows[len(rows)-1]; !maps.Equal(last.Detail, map[string]string{"publishedToAll": "true"}) {
			t.Errorf("recorded: %+v", last)
		}
	})
}

// Of two tenants that are taken from a set published to all at the same time,
// neither brings the other back; nor does an edit of its text.
func TestPublications_R7_WithdrawalsAtOnceAllCount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		other := w.newOrg("Other")
		p, by := w.published(tenants.GlobalRole, "set", viewCatalogs), w.provider()
		for range 10 {
			w.must(w.PublishAll(w.ctx(), by, p.Kind, p.ID))
			errs := together(
				func() error { return w.Unpublish(w.ctx(), by, p.Kind, p.ID, []tenants.OrgID{w.acme}) },
				func() error { return w.Unpublish(w.ctx(), by, p.Kind, p.ID, []tenants.OrgID{other}) },
				func() error {
					_, err := w.UpdatePublication(w.ctx(), by, p.Kind, p.ID, tenants.RoleText{Name: "set", Description: tenants.NewID()}, nil)
					return err
				},
			)
			for _, err := range errs {
				w.must(err)
			}
			if got := w.tenants(p); len(got) != 0 {
				t.Fatalf("published to %q still", got)
			}
		}
	})
}
