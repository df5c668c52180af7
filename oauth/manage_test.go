package oauth_test

import (
	"maps"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// everything is an edit that changes all that may be changed.
func (w *world) everything() oauth.Edit {
	return oauth.Edit{
		Role: w.roles[viewer], SoftwareID: "11111111-2222-4333-8444-555555555555", SoftwareVersion: "2.0", URI: "https://vendor.example/2",
	}
}

func TestUpdate_VCD88_VCD51(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		after, err := w.service.Update(w.ctx(), w.admin, w.snapshot(), a.ID, w.everything())
		w.must(err)
		want := a
		want.Role, want.SoftwareID, want.SoftwareVersion, want.URI = w.roles[viewer], "11111111-2222-4333-8444-555555555555", "2.0", "https://vendor.example/2"
		if after != want {
			t.Errorf("updated to %+v, want %+v", after, want)
		}
		if got := w.account(a); got != want { // VCD-20: the new role instead of the old
			t.Errorf("stored %+v, want %+v", got, want)
		}
		rows := w.recorded(journal.AccountUpdated)
		if len(rows) != 1 {
			t.Fatalf("recorded %d times", len(rows))
		}
		detail := map[string]string{
			"role.old": string(a.Role), "role.new": string(want.Role), "softwareId.old": a.SoftwareID, "softwareId.new": want.SoftwareID,
			"softwareVersion.old": "1.0", "softwareVersion.new": "2.0", "uri.old": a.URI, "uri.new": want.URI,
		}
		if !maps.Equal(rows[0].Detail, detail) {
			t.Errorf("recorded as %v, want %v", rows[0].Detail, detail)
		}
	})
}

func TestUpdate_Refuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, foreign := w.newAccount(), w.neighbour().newAccount()
		same := oauth.Edit{Role: a.Role, SoftwareID: a.SoftwareID}
		for _, tt := range []struct {
			name string
			by   tenants.Caller
			id   oauth.ClientID
			edit func(*oauth.Edit)
			want problem.Code
		}{
			{"VCD-44 an unknown role", w.admin, a.ID, func(e *oauth.Edit) { e.Role = tenants.RoleID(tenants.NewID()) }, problem.BadRequest},
			{"VCD-46 not a UUID", w.admin, a.ID, func(e *oauth.Edit) { e.SoftwareID = "x" }, problem.BadRequest},
			{"VCD-54 not a URL", w.admin, a.ID, func(e *oauth.Edit) { e.URI = "x" }, problem.BadRequest},
			{"R7 a role with rights the caller lacks", w.weak(), a.ID, func(e *oauth.Edit) {}, problem.Forbidden},
			{"R6 another organization's account", w.admin, foreign.ID, func(e *oauth.Edit) {}, problem.NotFound},
		} {
			t.Run(tt.name, func(t *testing.T) {
				edit := same
				tt.edit(&edit)
				_, err := w.service.Update(t.Context(), tt.by, w.snapshot(), tt.id, edit)
				wantProblem(t, err, tt.want)
				if got := w.account(a); got != a {
					t.Errorf("a refused edit made it %+v", got)
				}
			})
		}
		if n := len(w.recorded(journal.AccountUpdated)); n != 0 {
			t.Errorf("%d edits were recorded", n)
		}
	})
}

func TestUpdate_R7_JudgesTheRoleAsItIsNow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		reg := registration()
		reg.Scope = oauth.RoleScope(viewer)
		a, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), reg)
		w.must(err)
		weak, before := w.weak(), w.snapshot()
		fresh := tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: w.org, Name: "Made just now", Rights: []tenants.Right{addToCatalog}}
		w.inTenants(func(tx tenants.Tx) error { return tx.CreateRole(fresh) })
		_, err = w.service.Update(w.ctx(), weak, before, a.ID, oauth.Edit{Role: fresh.ID, SoftwareID: a.SoftwareID})
		wantProblem(t, err, problem.Forbidden)
	})
}

// TestUpdate_VCD89: a session keeps what it was issued under; the first refresh
// after the edit has the new.
func TestUpdate_VCD89_TakesEffectAtTheNextRefresh(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		tokens := w.activate(a)
		edit := w.everything()
		_, err := w.service.Update(w.ctx(), w.admin, w.snapshot(), a.ID, edit)
		w.must(err)
		w.wantStatus(a, oauth.Active)

		old, err := w.cell().Authenticate(w.ctx(), tokens.AccessToken.Reveal())
		w.must(err)
		if old.Role != w.roles[deployer] || old.RoleName != deployer || old.SoftwareID != a.SoftwareID {
			t.Errorf("the running session has role %s and software id %s", old.RoleName, old.SoftwareID)
		}
		w.must(w.orgs.Require(w.ctx(), old, w.org, addToCatalog))

		tokens = w.mustRefresh(tokens.RefreshToken)
		fresh, err := w.cell().Authenticate(w.ctx(), tokens.AccessToken.Reveal())
		w.must(err)
		if fresh.Role != edit.Role || fresh.RoleName != viewer || fresh.SoftwareID != edit.SoftwareID {
			t.Errorf("the refreshed session has role %s and software id %s", fresh.RoleName, fresh.SoftwareID)
		}
		wantProblem(t, w.orgs.Require(w.ctx(), fresh, w.org, addToCatalog), problem.Forbidden)
	})
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		t.Run("VCD-90 VCD-91 VCD-92 the token and all sessions end", func(t *testing.T) {
			w := newWorld(t, db)
			a, other := w.newAccount(), w.newAccount()
			first, others := w.activate(a), w.activate(other)
			second := w.mustRefresh(first.RefreshToken)
			w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID))

			r.in(t).wantNothingLive(a)
			w.wantAlive(first.AccessToken, false)
			w.wantAlive(second.AccessToken, false)
			for _, token := range []oauth.Tokens{first, second} {
				_, err := w.refresh(here, token.RefreshToken)
				wantProblem(t, err, problem.InvalidGrant)
			}
			w.wantStatus(a, oauth.Created)
			if got := w.account(a); got.Name != a.Name || got.Role != a.Role {
				t.Errorf("revoking changed the account: %+v", got)
			}
			w.wantAlive(others.AccessToken, true)
			w.mustRefresh(others.RefreshToken)
			rows := w.recorded(journal.AccountRevoked)
			if len(rows) != 1 || rows[0].Actor != w.admin.Actor() || rows[0].Subject.ID != string(a.ID) {
				t.Errorf("recorded as %+v", rows)
			}
		})
		t.Run("VCD-93 the app has asked again", func(t *testing.T) {
			w := newWorld(t, db)
			a := w.newAccount()
			w.activate(a)
			d := w.startDevice(a)
			w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID))
			w.wantStatus(a, oauth.Requested)
			_, err := d.poll(time.Minute)
			wantProblem(t, err, problem.AuthorizationPending)
			d.decide(granted)
			_, err = d.poll(time.Minute)
			wantProblem(t, err, "")
		})
		t.Run("VCD-94 to be active again everything is repeated", func(t *testing.T) {
			w := newWorld(t, db)
			a := w.newAccount()
			w.activate(a)
			waiting := w.startDevice(a)
			waiting.decide(granted) // a yes from before the revocation is none after it
			w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID))
			w.wantStatus(a, oauth.Created)
			_, err := waiting.poll(time.Minute)
			wantProblem(t, err, problem.InvalidGrant)
			tokens := w.activate(a)
			w.wantAlive(tokens.AccessToken, true)
			w.mustRefresh(tokens.RefreshToken)
			w.wantStatus(a, oauth.Active)
		})
		t.Run("an account without a token", func(t *testing.T) {
			w := newWorld(t, db)
			a := w.newAccount()
			w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID))
			w.wantStatus(a, oauth.Created)
		})
		t.Run("R6 another organization's account", func(t *testing.T) {
			w := newWorld(t, db)
			n := w.neighbour()
			a := n.newAccount()
			tokens := n.activate(a)
			for name, end := range map[string]func(oauth.ClientID) error{
				"revoke": func(id oauth.ClientID) error { return w.service.Revoke(w.ctx(), w.admin, w.org, id) },
				"delete": func(id oauth.ClientID) error { return w.service.Delete(w.ctx(), w.admin, w.org, id) },
			} {
				foreign, unknown := end(a.ID), end(oauth.ClientID(tenants.NewID()))
				wantProblem(t, foreign, problem.NotFound)
				if foreign == nil || unknown == nil || problem.From(foreign).Detail != problem.From(unknown).Detail {
					t.Errorf("%s: what is foreign (%v) and what is not there (%v) can be told apart", name, foreign, unknown)
				}
			}
			n.wantAlive(tokens.AccessToken, true)
			n.mustRefresh(tokens.RefreshToken)
		})
	})
}

// TestCounterpart_VCD38: an app of another site is the account here that has
// both its name and its software id.
func TestCounterpart_VCD38(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, n := w.newAccount(), w.neighbour()
		elsewhere := n.newAccount()
		for _, tt := range []struct {
			name, account, software string
			want                    problem.Code
		}{
			{"same name, same id", a.Name, a.SoftwareID, ""},
			{"same name, another id", a.Name, tenants.NewID(), problem.Forbidden},
			{"same name, no id", a.Name, "", problem.Forbidden},
			{"another name, same id", "another", a.SoftwareID, problem.Forbidden},
			{"no name, same id", "", a.SoftwareID, problem.Forbidden},
			{"R6 an account of another organization", elsewhere.Name, elsewhere.SoftwareID, problem.Forbidden},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got, err := w.service.Counterpart(t.Context(), w.org, tt.account, tt.software)
				wantProblem(t, err, tt.want)
				want := tenants.Principal{
					Kind: tenants.KindServiceAccount, ID: string(a.ID), Name: a.Name, SoftwareID: a.SoftwareID, Org: w.org, Role: a.Role,
				}
				if err != nil {
					want = tenants.Principal{}
				}
				if got != want {
					t.Errorf("it stands for %+v, want %+v", got, want)
				}
			})
		}
	})
}

func TestDelete_R4(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		a := w.newAccount()
		tokens := w.activate(a)
		w.must(w.service.Delete(w.ctx(), w.admin, w.org, a.ID))

		r.wantNothingLive(a)
		w.wantAlive(tokens.AccessToken, false)
		_, err := w.refresh(here, tokens.RefreshToken)
		wantProblem(t, err, problem.InvalidGrant)
		_, err = w.service.Account(w.ctx(), w.org, a.ID)
		wantProblem(t, err, problem.NotFound)
		wantProblem(t, w.service.Delete(w.ctx(), w.admin, w.org, a.ID), problem.NotFound)
		if rows := w.recorded(journal.AccountDeleted); len(rows) != 1 || rows[0].Subject.Name != a.Name {
			t.Errorf("recorded as %+v", rows)
		}

		// The name may be used again, the identifier and its tokens never.
		reg := registration()
		reg.ClientName = a.Name
		again, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), reg)
		w.must(err)
		if again.ID == a.ID {
			t.Error("the identifier was given out again")
		}
		w.activate(again)
		w.wantAlive(tokens.AccessToken, false)
		_, err = w.refresh(here, tokens.RefreshToken)
		wantProblem(t, err, problem.InvalidGrant)
	})
}
