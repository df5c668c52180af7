package oauth_test

import (
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// changes is one call of each kind by which somebody changes an account, or makes
// something that acts for them.
func (w *world) changes(by tenants.Caller, a oauth.ServiceAccount, d *device) map[string]func() error {
	return map[string]func() error{
		"Register": func() error {
			_, err := w.service.Register(w.ctx(), by, w.snapshot(), registration())
			return err
		},
		"Update": func() error {
			_, err := w.service.Update(w.ctx(), by, w.snapshot(), a.ID, oauth.Edit{Role: w.roles[viewer], SoftwareID: a.SoftwareID})
			return err
		},
		"Grant":         func() error { return w.service.Grant(w.ctx(), by, w.snapshot(), d.UserCode) },
		"Deny":          func() error { return w.service.Deny(w.ctx(), by, w.snapshot(), d.UserCode) },
		"TakeOwnership": func() error { return w.service.TakeOwnership(w.ctx(), by, w.snapshot(), a.ID) },
		"Revoke":        func() error { return w.service.Revoke(w.ctx(), by, w.org, a.ID) },
		"Delete":        func() error { return w.service.Delete(w.ctx(), by, w.org, a.ID) },
		"RegisterToken": func() error {
			_, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), "script")
			return err
		},
	}
}

// Who was let in a moment ago and stands no more changes no account.
func TestManage_R4_WhoNoLongerStands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, tt := range map[string]struct {
			happen func(tenants.User) tenants.User
			want   problem.Code
		}{
			"disabled":        {func(u tenants.User) tenants.User { u.Enabled = false; return u }, problem.Forbidden},
			"in another role": {func(u tenants.User) tenants.User { u.Role = ""; return u }, problem.Forbidden},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				a := w.newAccount()
				d := w.startDevice(a)
				a = w.account(a)
				w.inTenants(func(tx tenants.Tx) error {
					u := tt.happen(w.user)
					if u.Role == "" {
						u.Role = w.roles[viewer]
					}
					return tx.UpdateUser(u)
				})
				before := len(w.journal())
				for what, do := range w.changes(w.admin, a, d) {
					if err := do(); !problem.Has(err, tt.want) {
						t.Errorf("%s: %v", what, err)
					}
				}
				if after := len(w.journal()); after != before || w.account(a) != a {
					t.Errorf("%d rows of the journal, want %d; the account is %+v", after, before, w.account(a))
				}
			})
		}
	})
}

// An account is not got hold of while a right of its role is withdrawn: it comes
// back with the right.
func TestTakeOver_R7_WithdrawnRightsCount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, weak := w.newAccount(), w.weak()
		d := w.startDevice(a)
		w.inTenants(func(tx tenants.Tx) error {
			list, _, err := tx.Publications(tenants.RightsBundle, tenants.Query{Page: 1, PageSize: 1})
			if err != nil {
				return err
			}
			return tx.SetPublicationRights(tenants.RightsBundle, list[0].ID, tenants.TenantRights().Without(addToCatalog).List())
		})
		w.orgs.Flush()
		wantProblem(t, w.service.Grant(w.ctx(), weak, w.snapshot(), d.UserCode), problem.Forbidden)
		wantProblem(t, w.service.TakeOwnership(w.ctx(), weak, w.snapshot(), a.ID), problem.Forbidden)
		_, err := w.service.Register(w.ctx(), weak, w.snapshot(), registration())
		wantProblem(t, err, problem.Forbidden)
		_, err = w.service.Update(w.ctx(), weak, w.snapshot(), a.ID, oauth.Edit{Role: w.roles[viewer], SoftwareID: a.SoftwareID})
		wantProblem(t, err, problem.Forbidden)
		w.must(w.service.Grant(w.ctx(), w.admin, w.snapshot(), d.UserCode))
	})
}
