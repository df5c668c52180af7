package tenants_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

const (
	editCatalogs = tenants.Right("Catalog: Edit Properties")
	addVApp      = tenants.Right("Catalog: Add vApp from My Cloud")
)

// roleWorld is a site with the defaults, one tenant and two people who manage
// its roles: one who may do everything there, and one who may do little else.
type roleWorld struct {
	*world
	*tenants.Service
	acme         tenants.OrgID
	admin        tenants.Caller
	little       tenants.Caller
	littleRights []tenants.Right
	callers      map[tenants.RoleID]tenants.Caller
}

func newRoleWorld(t *testing.T, db *store.DB) *roleWorld {
	w := &roleWorld{world: newWorld(t, db), callers: map[tenants.RoleID]tenants.Caller{}}
	w.must(w.EnsureSystem(w.ctx()))
	w.Service = tenants.New(tenants.Config{Store: db.Tenants(), Directory: w.directory(), Hasher: w.hasher, Now: func() time.Time { return w.now }})
	w.acme = w.newOrg("Acme")
	w.admin = w.callerWith(w.acme, tenants.OrganizationAdministrator)
	w.littleRights = []tenants.Right{tenants.RightRoleManage, tenants.RightRoleView, viewCatalogs, tenants.RightTaskView}
	little, err := w.Provisioner.CreateRole(w.ctx(), administrator(), w.acme, "little", w.littleRights)
	w.must(err)
	w.little = tenants.Caller{Principal: w.holder(w.acme, little.ID)}
	return w
}

// callerWith is somebody who holds a role by its name.
func (w *roleWorld) callerWith(org tenants.OrgID, role string) tenants.Caller {
	w.t.Helper()
	var held tenants.Role
	w.must(w.db.Tenants().View(w.ctx(), func(r tenants.Reader) (err error) {
		held, err = r.RoleByName(org, role)
		return err
	}))
	c, ok := w.callers[held.ID]
	if !ok {
		c.Principal = w.holder(org, held.ID)
		w.callers[held.ID] = c
	}
	return c
}

func (w *roleWorld) provider() tenants.Caller {
	return w.callerWith(tenants.SystemOrgID, tenants.SystemAdministrator)
}

// made is a role of Acme's own, made by its administrator.
func (w *roleWorld) made(name string, rights ...tenants.Right) tenants.Role {
	w.t.Helper()
	org := w.organization(w.acme)
	role, err := w.Service.CreateRole(w.ctx(), w.admin, org, tenants.RoleText{Name: name})
	w.must(err)
	role, err = w.SetRoleRights(w.ctx(), w.admin, org, role.ID, rights)
	w.must(err)
	return role
}

func (w *roleWorld) stored(org tenants.OrgID, id tenants.RoleID) tenants.Role {
	w.t.Helper()
	role, err := w.Role(w.ctx(), org, id)
	w.must(err)
	return role
}

// changes counts what the journal knows: what is refused adds nothing.
func (w *roleWorld) changes() int {
	w.t.Helper()
	all, err := w.db.Journal().After(w.ctx(), 0, 1000)
	w.must(err)
	return len(all)
}

func (w *roleWorld) wantRights(role tenants.Role, want ...tenants.Right) {
	w.t.Helper()
	got := w.stored(role.Org, role.ID).Rights
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("%s has the rights %q, want %q", role.Name, got, want)
	}
}

func TestRoles_VCD23_NamesOfAnyText(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		org := w.organization(w.acme)
		for _, name := range []string{"two words", "100%", "a/b", "what?", "#1", "größer 鍵", "x", `"<&>'\|*:`, strings.Repeat("ü", 64), "%20", "urn:vcloud:role:x"} {
			text := tenants.RoleText{Name: name, Description: "line\n<b>%s</b>\t", BundleKey: "com.vmware.vcloud.undefined.key"}
			role, err := w.Service.CreateRole(w.ctx(), w.admin, org, text)
			w.must(err)
			got := w.stored(w.acme, role.ID)
			if got.Name != name || got.Description != text.Description || got.BundleKey != text.BundleKey || got.ReadOnly || got.Global {
				t.Errorf("%q became %+v", name, got)
			}
			list, total, err := w.Roles(w.ctx(), w.acme, tenants.Query{Where: "name = ?", Args: []any{name}, Page: 1, PageSize: 2})
			if err != nil || total != 1 || list[0].ID != role.ID {
				t.Errorf("%q is not found by its name: %+v, %v", name, list, err)
			}
		}
		before := w.changes()
		ok := tenants.RoleText{Name: "ok"}
		for name, text := range map[string]tenants.RoleText{
			"no name": {}, "a space before": {Name: " x"}, "a space after": {Name: "x\u00a0"}, "a line break": {Name: "a\nb"}, "a zero byte": {Name: "a\x00b"},
			"bytes": {Name: "\xff"}, "too long": {Name: strings.Repeat("ü", 64) + "x"}, "a DEL": {Name: "a\x7fb"},
			"a description of bytes": {Name: "x", Description: "\xff"}, "a zero byte in the description": {Name: "x", Description: "\x00"},
			"an endless description": {Name: "x", Description: strings.Repeat("x", 1<<20)}, "an endless key": {Name: "x", BundleKey: strings.Repeat("x", 1<<20)},
			"a key of bytes": {Name: "x", BundleKey: "\xff"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.Service.CreateRole(w.ctx(), w.admin, org, text)
				wantProblem(t, err, problem.BadRequest)
				_, err = w.UpdateRole(w.ctx(), w.admin, org, "", text)
				wantProblem(t, err, problem.BadRequest)
				_, err = w.CreatePublication(w.ctx(), w.provider(), tenants.RightsBundle, text, true)
				wantProblem(t, err, problem.BadRequest)
			})
		}
		if after := w.changes(); after != before {
			t.Errorf("%d rows of the journal, want %d", after, before)
		}
		_, err := w.Service.CreateRole(w.ctx(), w.admin, org, ok)
		w.must(err)
	})
}

func TestRoles_RightsAreKeptAsGiven(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		org := w.organization(w.acme)
		role := w.made("catalogs", editCatalogs)
		w.wantRights(role, editCatalogs) // and nothing that it implies
		add := func(rights ...tenants.Right) {
			t.Helper()
			got, err := w.AddRoleRights(w.ctx(), w.admin, org, role.ID, rights)
			w.must(err)
			w.wantRights(role, got.Rights...)
		}
		add(addVApp, editCatalogs, addVApp)
		w.wantRights(role, addVApp, editCatalogs)
		n := w.changes()
		add(addVApp)
		add()
		if got := w.changes(); got != n {
			t.Error("adding nothing was recorded as a change")
		}
		_, err := w.SetRoleRights(w.ctx(), w.admin, org, role.ID, []tenants.Right{addVApp, tenants.RightTaskView})
		w.must(err)
		w.wantRights(role, addVApp, tenants.RightTaskView)
		last := w.recorded(journal.RoleUpdated)
		want := map[string]string{"added": `["Task: View Tasks"]`, "removed": `["Catalog: Edit Properties"]`}
		if got := last[len(last)-1]; !maps.Equal(got.Detail, want) || got.Org != string(w.acme) || got.Subject.Name != "catalogs" {
			t.Errorf("recorded: %+v", got)
		}
		_, err = w.SetRoleRights(w.ctx(), w.admin, org, role.ID, nil)
		w.must(err)
		w.wantRights(role)
	})
}

// What the organization no longer has goes with the next replacement: it must
// not come back when it is published again.
func TestRoles_ReplacingDropsWhatIsNotAvailable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		role := w.made("both", viewCatalogs, tenants.RightTaskView)
		bundle := tenants.DefaultRightsBundles()[0]
		_, err := w.SetPublicationRights(w.ctx(), w.provider(), tenants.RightsBundle, bundle.ID, tenants.TenantRights().Without(viewCatalogs).List())
		w.must(err)
		org := w.organization(w.acme)
		if org.Allows(role.ID, tenants.KindUser, viewCatalogs) {
			t.Error("the role allows what has been withdrawn")
		}
		_, err = w.AddRoleRights(w.ctx(), w.admin, org, role.ID, []tenants.Right{viewCatalogs})
		wantProblem(t, err, problem.BadRequest)
		_, err = w.AddRoleRights(w.ctx(), w.admin, org, role.ID, []tenants.Right{editCatalogs})
		w.must(err)
		w.wantRights(role, viewCatalogs, editCatalogs, tenants.RightTaskView)
		_, err = w.SetRoleRights(w.ctx(), w.admin, org, role.ID, []tenants.Right{tenants.RightTaskView})
		w.must(err)
		w.wantRights(role, tenants.RightTaskView)
	})
}

func TestRoles_NamesAreUnique(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		org := w.organization(w.acme)
		role, other := w.made("role"), w.made("other")
		unpublished, err := w.CreatePublication(w.ctx(), w.provider(), tenants.GlobalRole, tenants.RoleText{Name: "unpublished"}, false)
		w.must(err)
		for _, tt := range []struct {
			name string
			want problem.Code
		}{
			{"role", problem.DuplicateName}, {tenants.OrganizationAdministrator, problem.DuplicateName}, {"Role", ""}, {unpublished.Name, ""},
		} {
			_, err := w.Service.CreateRole(w.ctx(), w.admin, org, tenants.RoleText{Name: tt.name})
			wantProblem(t, err, tt.want)
		}
		for _, tt := range []struct {
			name string
			want problem.Code
		}{
			{"role", problem.DuplicateName}, {tenants.OrganizationAdministrator, problem.DuplicateName}, {"other", ""}, {"third", ""},
		} {
			_, err := w.UpdateRole(w.ctx(), w.admin, org, other.ID, tenants.RoleText{Name: tt.name, Description: "d"})
			wantProblem(t, err, tt.want)
		}
		if got := w.stored(w.acme, other.ID); got.Name != "third" || got.Description != "d" {
			t.Errorf("updated: %+v", got)
		}
		if got := w.stored(w.acme, role.ID); got.Name != "role" {
			t.Errorf("another role changed: %+v", got)
		}
		last := w.recorded(journal.RoleUpdated)
		if got := last[len(last)-1].Detail; !maps.Equal(got, map[string]string{"name.old": "other", "name.new": "third"}) {
			t.Errorf("recorded: %v", got)
		}
	})
}

func TestRoles_HeldRolesStay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		org := w.organization(w.acme)
		role := w.made("held", viewCatalogs)
		u, err := w.Provisioner.CreateUser(w.ctx(), administrator(), w.acme, "holder", "held", password)
		w.must(err)
		wantProblem(t, w.DeleteRole(w.ctx(), w.admin, org, role.ID), problem.Conflict)
		w.wantRights(role, viewCatalogs)
		w.inTx(func(tx tenants.Tx) error { return tx.DeleteUser(w.acme, u.ID) })
		w.must(w.DeleteRole(w.ctx(), w.admin, org, role.ID))
		wantProblem(t, w.DeleteRole(w.ctx(), w.admin, org, role.ID), problem.NotFound)
		if rows := w.recorded(journal.RoleDeleted); len(rows) != 1 || rows[0].Detail["removed"] == "" {
			t.Errorf("recorded: %+v", rows)
		}
	})
}

// Who may manage roles and little else gives nobody more than that, and touches
// no role that allows more.
func TestRoles_R7_NobodyGivesWhatTheyLack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		other := w.newOrg("Other")
		w.made("mighty", editCatalogs)
		foreign, err := w.Provisioner.CreateRole(w.ctx(), administrator(), other, "foreign", nil)
		w.must(err)
		mine := w.made("mine", viewCatalogs)
		org, ctx := w.organization(w.acme), w.ctx()
		byName := func(in tenants.OrgID, name string) tenants.RoleID { return w.callerWith(in, name).Principal.Role }
		set := func(id tenants.RoleID, rights ...tenants.Right) error {
			_, err := w.SetRoleRights(ctx, w.little, org, id, rights)
			return err
		}
		add := func(id tenants.RoleID, rights ...tenants.Right) error {
			_, err := w.AddRoleRights(ctx, w.little, org, id, rights)
			return err
		}
		text := func(id tenants.RoleID) error {
			_, err := w.UpdateRole(ctx, w.little, org, id, tenants.RoleText{Name: "renamed"})
			return err
		}
		before := w.changes()
		mighty, global, own := byName(w.acme, "mighty"), byName(w.acme, tenants.OrganizationAdministrator), w.little.Principal.Role
		for name, tt := range map[string]struct {
			err  error
			want problem.Code
		}{
			"replaces by what they lack":          {set(mine.ID, viewCatalogs, editCatalogs), problem.Forbidden},
			"adds what they lack":                 {add(mine.ID, tenants.RightUserManage), problem.Forbidden},
			"adds to their own role":              {add(own, tenants.RightUserManage), problem.Forbidden},
			"gives a right of the provider":       {set(mine.ID, viewSites), problem.BadRequest},
			"gives an unknown right":              {set(mine.ID, "Anything: At All"), problem.BadRequest},
			"gives it all":                        {set(mine.ID, everything...), problem.Forbidden},
			"weakens a mightier role":             {set(mighty), problem.Forbidden},
			"adds to a mightier role":             {add(mighty, viewCatalogs), problem.Forbidden},
			"adds nothing to a mightier role":     {add(mighty), problem.Forbidden},
			"renames a mightier role":             {text(mighty), problem.Forbidden},
			"deletes a mightier role":             {w.DeleteRole(ctx, w.little, org, mighty), problem.Forbidden},
			"changes a published role":            {set(global), problem.Forbidden},
			"renames a published role":            {text(global), problem.Forbidden},
			"deletes a published role":            {w.DeleteRole(ctx, w.little, org, global), problem.Forbidden},
			"changes another organization's role": {set(foreign.ID), problem.NotFound},
			"deletes another organization's role": {w.DeleteRole(ctx, w.little, org, foreign.ID), problem.NotFound},
			"changes the provider's role":         {set(byName(tenants.SystemOrgID, tenants.SystemAdministrator)), problem.NotFound},
			"changes no role":                     {text(tenants.RoleID(tenants.NewID())), problem.NotFound},
		} {
			t.Run(name, func(t *testing.T) { wantProblem(t, tt.err, tt.want) })
		}
		if after := w.changes(); after != before {
			t.Errorf("%d rows of the journal, want %d", after, before)
		}
		w.wantRights(mine, viewCatalogs)
		w.must(set(mine.ID, w.littleRights...))
		w.must(add(own, tenants.RightTaskView))
		w.must(text(mine.ID))
		w.must(w.DeleteRole(ctx, w.little, org, mine.ID))
	})
}

// The provider acts in a tenant by its own role, and by no more.
func TestRoles_R7_ProvidersInATenant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		_, err := w.Provisioner.CreateRole(w.ctx(), administrator(), tenants.SystemOrgID, "operator", []tenants.Right{tenants.RightRoleManage, viewCatalogs})
		w.must(err)
		operator := w.callerWith(tenants.SystemOrgID, "operator")
		role, org := w.made("role"), w.organization(w.acme)
		for _, tt := range []struct {
			by     tenants.Caller
			rights []tenants.Right
			want   problem.Code
		}{
			{operator, []tenants.Right{editCatalogs}, problem.Forbidden},
			{operator, []tenants.Right{viewCatalogs}, ""},
			{w.provider(), []tenants.Right{viewSites}, problem.BadRequest},
			{w.provider(), everything, ""},
			{operator, nil, problem.Forbidden}, // it is mightier now
		} {
			_, err := w.SetRoleRights(w.ctx(), tt.by, org, role.ID, tt.rights)
			wantProblem(t, err, tt.want)
		}
		systems := w.organization(tenants.SystemOrgID)
		_, err = w.UpdateRole(w.ctx(), w.provider(), systems, w.provider().Principal.Role, tenants.RoleText{Name: "x"})
		wantProblem(t, err, problem.Forbidden) // read-only
		wantProblem(t, w.DeleteRole(w.ctx(), w.provider(), systems, w.provider().Principal.Role), problem.Forbidden)
		_, err = w.SetRoleRights(w.ctx(), w.provider(), systems, operator.Principal.Role, tenants.AllRights().List())
		w.must(err)
	})
}

// A right that the caller has lost since the request came in counts no more.
func TestRoles_R7_TheCallersRightsAreReadAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		role, org := w.made("role"), w.organization(w.acme)
		w.inTx(func(tx tenants.Tx) error {
			return tx.SetRoleRights(w.acme, w.little.Principal.Role, []tenants.Right{tenants.RightRoleManage})
		})
		_, err := w.SetRoleRights(w.ctx(), w.little, org, role.ID, []tenants.Right{viewCatalogs})
		wantProblem(t, err, problem.Forbidden)
		gone := w.little
		gone.Principal.Role = tenants.RoleID(tenants.NewID())
		_, err = w.SetRoleRights(w.ctx(), gone, org, role.ID, []tenants.Right{tenants.RightRoleManage})
		wantProblem(t, err, problem.Forbidden)
		machine := w.admin
		machine.Principal.Kind = tenants.KindServiceAccount
		_, err = w.SetRoleRights(w.ctx(), machine, org, role.ID, []tenants.Right{tenants.RightUserManage})
		wantProblem(t, err, problem.Forbidden)
		w.wantRights(role)
	})
}

// together runs functions at once and answers their errors.
func together(fs ...func() error) []error {
	errs := make([]error, len(fs))
	var all sync.WaitGroup
	for i, f := range fs {
		all.Go(func() { errs[i] = f() })
	}
	all.Wait()
	return errs
}

func TestRoles_R7_ReplacementsDoNotAddUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		org := w.organization(w.acme)
		a, b, c := []tenants.Right{viewCatalogs, editCatalogs}, []tenants.Right{tenants.RightTaskView}, []tenants.Right{tenants.RightUserView}
		for range 10 {
			role := w.made("r"+tenants.NewID(), "vApp: Copy")
			errs := together(
				func() error { _, err := w.SetRoleRights(w.ctx(), w.admin, org, role.ID, a); return err },
				func() error { _, err := w.SetRoleRights(w.ctx(), w.admin, org, role.ID, b); return err },
				func() error { _, err := w.AddRoleRights(w.ctx(), w.admin, org, role.ID, c); return err },
			)
			for _, err := range errs {
				w.must(err)
			}
			got := tenants.SetOf(w.stored(w.acme, role.ID).Rights...)
			if got = got.Without(c...); got != tenants.SetOf(a...) && got != tenants.SetOf(b...) {
				t.Fatalf("%q is neither of the replacements", got.List())
			}
		}
	})
}

func TestRoles_R7_NobodyHoldsADeletedRole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newRoleWorld(t, db)
		org := w.organization(w.acme)
		for range 10 {
			role := w.made("r" + tenants.NewID())
			u := tenants.User{ID: tenants.UserID(tenants.NewID()), Org: w.acme, Name: string(role.Name), Role: role.ID, ProviderType: tenants.ProviderSAML, CreatedAt: w.now}
			errs := together(
				func() error { return w.DeleteRole(w.ctx(), w.admin, org, role.ID) },
				func() error {
					return w.db.Tenants().InTx(w.ctx(), func(tx tenants.Tx) error {
						if _, err := tx.Role(w.acme, role.ID); err != nil {
							return err
						}
						return tx.CreateUser(u)
					})
				},
			)
			_, err := w.Role(w.ctx(), w.acme, role.ID)
			switch {
			case errs[0] == nil && problem.Has(errs[1], problem.NotFound) && problem.Has(err, problem.NotFound):
			case problem.Has(errs[0], problem.Conflict) && errs[1] == nil && err == nil:
			default:
				t.Fatalf("deleting: %v, giving: %v, the role: %v", errs[0], errs[1], err)
			}
		}
	})
}
