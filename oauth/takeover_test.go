package oauth_test

import (
	"testing"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// Nobody gets hold of an account that may do more than they may: neither by an
// edit that would take away what they lack, nor by an answer to its request, nor
// by its ownership. Ending it is always allowed.
func TestTakeOver_R7_AMightierAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, weak := w.newAccount(), w.weak()
		tokens := w.activate(a)
		d := w.startDevice(a)
		a = w.account(a)
		for name, try := range map[string]func() error{
			"an edit to a weaker role": func() error {
				_, err := w.service.Update(w.ctx(), weak, w.snapshot(), a.ID, oauth.Edit{Role: w.roles[viewer], SoftwareID: a.SoftwareID})
				return err
			},
			"another software id": func() error {
				_, err := w.service.Update(w.ctx(), weak, w.snapshot(), a.ID, oauth.Edit{Role: a.Role, SoftwareID: tenants.NewID()})
				return err
			},
			"a grant":   func() error { return w.service.Grant(w.ctx(), weak, w.snapshot(), d.UserCode) },
			"ownership": func() error { return w.service.TakeOwnership(w.ctx(), weak, w.snapshot(), a.ID) },
		} {
			t.Run(name, func(t *testing.T) {
				wantProblem(t, try(), problem.Forbidden)
				if got := w.account(a); got != a {
					t.Errorf("the account became %+v", got)
				}
			})
		}
		if n := len(w.recorded(journal.AccountTakenOver)) + len(w.recorded(journal.AccountUpdated)); n != 0 {
			t.Errorf("%d refusals are recorded as done", n)
		}
		w.must(w.service.Deny(w.ctx(), weak, w.snapshot(), d.UserCode))
		w.wantAlive(tokens.AccessToken, true)
		w.must(w.service.Revoke(w.ctx(), weak, w.org, a.ID))
		w.wantAlive(tokens.AccessToken, false)
		w.must(w.service.Delete(w.ctx(), weak, w.org, a.ID))
	})
}

func TestTakeOwnership(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, foreign := w.newAccount(), w.neighbour().newAccount()
		w.must(w.service.TakeOwnership(w.ctx(), w.admin, w.snapshot(), a.ID))
		rows := w.recorded(journal.AccountTakenOver)
		if len(rows) != 1 || rows[0].Actor != w.admin.Actor() || rows[0].Subject.ID != string(a.ID) || rows[0].Subject.Name != a.Name {
			t.Errorf("recorded as %+v", rows)
		}
		if got := w.account(a); got != a {
			t.Errorf("the account became %+v", got)
		}
		for name, id := range map[string]oauth.ClientID{"R6 foreign": foreign.ID, "unknown": oauth.ClientID(tenants.NewID())} {
			t.Run(name, func(t *testing.T) {
				wantProblem(t, w.service.TakeOwnership(w.ctx(), w.admin, w.snapshot(), id), problem.NotFound)
			})
		}
	})
}

// globalRole makes a global role and says whether it is published to the world's
// organization.
func (w *world) globalRole(name string, published bool, rights ...tenants.Right) tenants.RoleID {
	w.t.Helper()
	id := tenants.NewID()
	w.inTenants(func(tx tenants.Tx) error {
		p := tenants.Publication{Kind: tenants.GlobalRole, ID: tenants.PublicationID(id), Name: name + id}
		if err := tx.CreatePublication(p); err != nil {
			return err
		}
		if err := tx.SetPublicationRights(p.Kind, p.ID, rights); err != nil || !published {
			return err
		}
		return tx.Publish(p.ID, []tenants.OrgID{w.org})
	})
	w.orgs.Flush()
	return tenants.RoleID(id)
}

// The roles of an account are the organization's own and the global ones that are
// published to it, and no others.
func TestRoles_VCD44(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		n := w.neighbour()
		published, kept := w.globalRole("Published ", true, viewCatalogs), w.globalRole("Kept ", false, viewCatalogs)
		theirs := n.globalRole("Theirs ", true, viewCatalogs)
		a := w.newAccount()
		for _, tt := range []struct {
			name string
			role tenants.RoleID
			want problem.Code
		}{
			{"a local role", w.roles[viewer], ""},
			{"a published global role", published, ""},
			{"a global role that is not published", kept, problem.BadRequest},
			{"a global role published to another organization", theirs, problem.BadRequest},
			{"a local role of another organization", n.roles[viewer], problem.BadRequest},
			{"no role", "", problem.BadRequest},
		} {
			t.Run(tt.name, func(t *testing.T) {
				before := w.account(a).Role
				_, err := w.service.Update(w.ctx(), w.admin, w.snapshot(), a.ID, oauth.Edit{Role: tt.role, SoftwareID: a.SoftwareID})
				wantProblem(t, err, tt.want)
				want := tt.role
				if tt.want != "" {
					want = before
				}
				if got := w.account(a).Role; got != want {
					t.Errorf("the account has role %s, want %s", got, want)
				}
			})
		}
		for name, role := range map[string]tenants.RoleID{"published": published, "kept": kept} {
			t.Run("registered with a global role, "+name, func(t *testing.T) {
				reg := registration()
				reg.Scope = oauth.RoleScope(map[string]string{"published": "Published ", "kept": "Kept "}[name] + string(role))
				got, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), reg)
				if name == "kept" {
					wantProblem(t, err, problem.InvalidScope)
					return
				}
				w.must(err)
				if got.Role != role {
					t.Errorf("the role is %s, want %s", got.Role, role)
				}
			})
		}
	})
}

// A role that is taken back while a request waits is not granted by surprise when
// it is published again.
func TestGrant_R7_UnpublishedRole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		role := w.globalRole("Brief ", true, viewCatalogs)
		a := w.newAccount()
		_, err := w.service.Update(w.ctx(), w.admin, w.snapshot(), a.ID, oauth.Edit{Role: role, SoftwareID: a.SoftwareID})
		w.must(err)
		d := w.startDevice(a)
		w.inTenants(func(tx tenants.Tx) error { return tx.Unpublish(tenants.PublicationID(role), []tenants.OrgID{w.org}) })
		w.orgs.Flush()
		wantProblem(t, w.service.Grant(w.ctx(), w.admin, w.snapshot(), d.UserCode), problem.Forbidden)
		w.wantStatus(a, oauth.Requested)
		_, err = w.service.Update(w.ctx(), w.admin, w.snapshot(), a.ID, oauth.Edit{Role: w.roles[viewer], SoftwareID: a.SoftwareID})
		w.must(err)
		w.must(w.service.Grant(w.ctx(), w.admin, w.snapshot(), d.UserCode))
	})
}

// What a role allows is live for sessions that run; which role it is, is not.
func TestRights_VCD89_AreLive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		cell, tokens := w.own(w.run()), w.activate(w.newAccount())
		allows := func(right tenants.Right) error {
			p, err := cell.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
			w.must(err)
			return cell.orgs.Require(w.ctx(), p, w.org, right)
		}
		w.must(allows(addToCatalog))
		w.setRights(deployer, viewCatalogs)
		wantProblem(t, allows(addToCatalog), problem.Forbidden)
		w.must(allows(viewCatalogs))
		w.setRights(deployer, viewCatalogs, addToCatalog)
		w.must(allows(addToCatalog))
	})
}
