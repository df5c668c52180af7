package store_test

import (
	"sync"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// foreign is an app of another site.
var foreign = services.Holder{Kind: tenants.KindApp, Site: "11111111-2222-3333-4444-555555555555", ID: "their-app"}

func TestHeld_CSP13_IsWhatWasGranted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		newServed(t, db, "Other")
		ceiling := w.app.Ceiling
		same(t, "an app's", w.held(t, w.org, w.holder()), services.Held{
			Holder: w.holder(), Org: w.org, Name: w.app.DisplayName, Owner: w.org, Epoch: 7,
			Grants: []services.Grant{w.ofCustom(), ofMember, w.ofService()}, Ceiling: &ceiling,
		})
		same(t, "a user's", w.held(t, w.org, w.person()), services.Held{Holder: w.person(), Org: w.org, Grants: []services.Grant{w.ofService()}})
		inApps(t, db, func(tx apps.Tx) error { return tx.AddMember(w.org, foreign, 9, "boss", now) })
		same(t, "an app's of another site", w.held(t, w.org, foreign), services.Held{Holder: foreign, Org: w.org, Epoch: 9})
		inApps(t, db, func(tx apps.Tx) error { return tx.PutGrant(w.org, foreign, ofMember, "boss", now) })
		same(t, "with a grant", w.held(t, w.org, foreign).Grants, []services.Grant{ofMember})

		namesake := foreign // of this site there is none by its id, nor a user
		namesake.Site = ""
		for _, h := range []services.Holder{
			namesake, {Kind: tenants.KindUser, ID: foreign.ID}, {Kind: tenants.KindUser, Site: foreign.Site, ID: string(w.user)},
			{Kind: tenants.KindServiceAccount, ID: string(w.tenant.account)}, {}, {Kind: tenants.KindApp, ID: "\x00\xff"},
		} {
			missing(t, db, "what nobody holds", func(r apps.Reader) (services.Held, error) { return r.Held(w.org, h) })
			inApps(t, db, func(tx apps.Tx) error {
				if err := tx.LockHolder(w.org, h); !isNotFound(err) {
					t.Errorf("LockHolder of %+v: %v", h, err)
				}
				return nil
			})
		}
	})
}

// An app that is not there although it is a member may do nothing, rather than all.
func TestHeld_R9_WithoutItsAppNothingIsAllowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		exec(t, db, "DELETE FROM apps")
		if roles := w.held(t, w.org, w.holder()).OrgRoles(now); len(roles) != 0 {
			t.Errorf("it has the roles %v", roles)
		}
		ok(t, db.Apps().View(t.Context(), func(r apps.Reader) error {
			members, _, err := r.Members(w.org, tenants.Query{Page: 1, PageSize: 10})
			if len(members) != 1 || len(members[0].OrgRoles(now)) != 0 {
				t.Errorf("as a member it has the roles %+v", members)
			}
			return err
		}))
	})
}

func TestPutGrant_AddsOneOrChangesItsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		sooner := w.ofService()
		sooner.ExpiresAt = now.Add(time.Minute)
		elsewhere := w.ofService()
		elsewhere.Resource = "another"
		inApps(t, db, func(tx apps.Tx) error { return tx.PutGrant(w.org, w.holder(), sooner, "other", now.Add(time.Second)) })
		inApps(t, db, func(tx apps.Tx) error { return tx.PutGrant(w.org, w.holder(), elsewhere, "other", now) })
		grants := w.held(t, w.org, w.holder()).Grants
		if len(grants) != 4 {
			t.Fatalf("%+v", grants)
		}
		for _, g := range grants {
			if g.Kind == services.GrantService && g != sooner && g != elsewhere {
				t.Errorf("%+v is neither %+v nor %+v", g, sooner, elsewhere)
			}
		}
		if n := count(t, db, "role_grants", "granted_by = 'other'"); n != 2 {
			t.Errorf("%d grants say by whom they are, want 2", n)
		}
		for _, want := range []bool{true, false} {
			inApps(t, db, func(tx apps.Tx) error {
				dropped, err := tx.DropGrant(w.org, w.holder(), elsewhere)
				same(t, "dropped", dropped, want)
				return err
			})
		}
		same(t, "what is left", w.held(t, w.org, w.holder()).Grants, []services.Grant{w.ofCustom(), ofMember, sooner})
		absent := services.Grant{Kind: services.GrantCustom, Role: "no-such-role"}
		inApps(t, db, func(tx apps.Tx) error { // and the transaction goes on
			wantProblem(t, tx.PutGrant(w.org, w.holder(), absent, "boss", now), problem.NotFound)
			wantProblem(t, tx.PutGrant(w.org, foreign, ofMember, "boss", now), problem.NotFound)
			wantProblem(t, tx.PutGrant(w.org, services.Holder{Kind: tenants.KindServiceAccount, ID: "x"}, ofMember, "boss", now), problem.NotFound)
			return nil
		})
	})
}

func TestHeldOn_CSP20_ListsWhoHasAServiceRoleThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		newServed(t, db, "Other")
		everywhere, elsewhere, ofAnother := w.ofService(), w.ofService(), w.ofService()
		everywhere.Resource, elsewhere.Resource, ofAnother.Definition, ofAnother.Resource = "", "another", "another", ""
		second, third := w.newApp(), w.newApp()
		second.DisplayName = "a second"
		another := newDefinition()
		another.ID = ofAnother.Definition
		inApps(t, db, func(tx apps.Tx) error { return tx.PutDefinition(another) })
		inApps(t, db, func(tx apps.Tx) error {
			for _, err := range []error{
				tx.CreateApp(second), tx.CreateApp(third),
				tx.AddMember(w.org, holderOf(second.ID), 1, "boss", now), tx.AddMember(w.org, holderOf(third.ID), 1, "boss", now), tx.AddMember(w.org, foreign, 9, "boss", now),
				tx.PutGrant(w.org, holderOf(second.ID), everywhere, "boss", now),
				tx.PutGrant(w.org, holderOf(third.ID), elsewhere, "boss", now), tx.PutGrant(w.org, holderOf(third.ID), ofAnother, "boss", now),
				tx.PutGrant(w.org, holderOf(third.ID), w.ofCustom(), "boss", now), tx.PutGrant(w.org, foreign, everywhere, "boss", now),
			} {
				if err != nil {
					return err
				}
			}
			return nil
		})
		got := seen(t, db, func(r apps.Reader) ([]services.Held, error) {
			return r.HeldOn(w.org, w.definition.ID, w.instance.ID)
		})
		want := []services.Held{
			w.held(t, w.org, foreign), w.held(t, w.org, holderOf(second.ID)), w.held(t, w.org, w.holder()), w.held(t, w.org, w.person()),
		}
		same(t, "who has a role there", got, want)
	})
}

func TestDeleteUser_R4_TakesItsGrantsAlong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		inTenants(t, db, func(tx tenants.Tx) error { return tx.DeleteUser(w.org, w.user) })
		if n := count(t, db, "role_grants", "holder_kind = 'user'"); n != 0 {
			t.Errorf("%d grants are left", n)
		}
		if n := count(t, db, "role_grants", "holder_kind = 'app'"); n != 3 {
			t.Errorf("apps have %d grants, want 3", n)
		}
	})
}

// Whatever is granted while its holder or its role is taken away is gone with it.
func TestPutGrant_R4_LeavesNothingBehindWhenItMeetsADeletion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		spare, ofSpare := newDefinition(), w.ofService()
		ofSpare.Definition, ofSpare.Resource = spare.ID, ""
		inApps(t, db, func(tx apps.Tx) error { return tx.PutDefinition(spare) })
		for name, meet := range map[string]struct {
			grant, take func(apps.Tx) error
			left        string
			restore     func(apps.Tx) error
		}{
			"member": {
				func(tx apps.Tx) error { return tx.PutGrant(w.org, w.holder(), ofMember, "boss", now) },
				func(tx apps.Tx) error { return tx.RemoveMember(w.org, w.holder()) }, "holder_kind = 'app'",
				func(tx apps.Tx) error { return tx.AddMember(w.org, w.holder(), 8, "boss", now) },
			},
			"custom role": {
				func(tx apps.Tx) error { return tx.PutGrant(w.org, w.person(), w.ofCustom(), "boss", now) },
				func(tx apps.Tx) error { return tx.DeleteCustomRole(w.org, w.custom.Name) }, "kind = 'custom'",
				func(tx apps.Tx) error { return tx.CreateCustomRole(w.custom) },
			},
			"service": {
				func(tx apps.Tx) error { return tx.PutGrant(w.org, w.person(), ofSpare, "boss", now) },
				func(tx apps.Tx) error { return tx.DeleteDefinition(spare.ID) }, "definition_id = '" + string(spare.ID) + "'",
				func(tx apps.Tx) error { return tx.PutDefinition(spare) },
			},
		} {
			granted := 0
			for range 20 {
				var wg sync.WaitGroup
				var did error
				wg.Go(func() { did = db.Apps().InTx(t.Context(), meet.grant) })
				wg.Go(func() {
					if err := db.Apps().InTx(t.Context(), meet.take); err != nil {
						t.Error(err)
					}
				})
				wg.Wait()
				switch {
				case did == nil:
					granted++
				case !isNotFound(did):
					t.Errorf("%s: %v", name, did)
				}
				if n := count(t, db, "role_grants", meet.left); n != 0 {
					t.Errorf("%s: %d grants are left", name, n)
				}
				inApps(t, db, meet.restore)
			}
			t.Logf("%s: granted first in %d rounds", name, granted)
		}
	})
}
